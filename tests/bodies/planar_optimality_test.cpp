// The conditions of optimality for planar models.
#include "tests/bodies/optimality_suite.h"

namespace gallop::testing {
namespace {

using Walkers = ::testing::Types<HopperCase, Walker2dCase>;
INSTANTIATE_TYPED_TEST_SUITE_P(Walkers, Optimality, Walkers, ModelName);

}  // namespace
}  // namespace gallop::testing
