// The conditions of optimality for the spatial models.
#include "tests/bodies/optimality_suite.h"

namespace gallop::testing {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Spatial, Optimality, SpatialModels, ModelName);

}  // namespace
}  // namespace gallop::testing
