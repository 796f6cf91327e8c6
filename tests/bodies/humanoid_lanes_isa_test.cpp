// The humanoid's body in lanes against one at a time: a unit of its own, for the compiler's time.
#include <gallop/sims/models/humanoid_model.h>
#include "tests/bodies/lanes_suite.h"

namespace gallop::testing {
namespace {

TEST(SpatialBodiesInLanes, Humanoid) { expect_equal_bits<HumanoidModel>(0.3, 1.4); }

}  // namespace
}  // namespace gallop::testing
