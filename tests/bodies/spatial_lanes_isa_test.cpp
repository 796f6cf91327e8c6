// Bodies of the spatial models in lanes against the same ones one at a time.
#include "sims/models/ant_model.h"
#include "sims/models/humanoid_model.h"
#include "tests/bodies/lanes_suite.h"

namespace gallop::testing {
namespace {

TEST(SpatialBodiesInLanes, Ant) { expect_equal_bits<AntModel>(0.1, 0.8); }
TEST(SpatialBodiesInLanes, Humanoid) { expect_equal_bits<HumanoidModel>(0.3, 1.4); }

}  // namespace
}  // namespace gallop::testing
