// The engine in double for the humanoid on its back.
#include "tests/bodies/all_models.h"

GALLOP_TEST_STANDUP_ENGINES()
