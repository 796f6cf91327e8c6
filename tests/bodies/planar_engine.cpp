// The engine in double for the planar models.
#include "tests/bodies/all_models.h"

GALLOP_TEST_PLANAR_ENGINES()
