// The conditions of optimality for the other planar models: a unit of its own, for the compiler's
// time.
#include "tests/bodies/optimality_suite.h"

namespace gallop::testing {
namespace {

using Others = ::testing::Types<HalfCheetahCase, SwimmerCase, InvertedPendulumCase,
                                InvertedDoublePendulumCase, ReacherCase>;
INSTANTIATE_TYPED_TEST_SUITE_P(Others, Optimality, Others, ModelName);

}  // namespace
}  // namespace gallop::testing
