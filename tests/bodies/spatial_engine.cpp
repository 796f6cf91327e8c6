// The engine in double for the spatial models.
#include "tests/bodies/all_models.h"

GALLOP_TEST_SPATIAL_ENGINES()
