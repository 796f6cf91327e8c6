// The ant's body in lanes against one at a time: a unit of its own, for the compiler's time.
#include <gallop/sims/models/ant_model.h>
#include "tests/bodies/lanes_suite.h"

namespace gallop::testing {
namespace {

TEST(SpatialBodiesInLanes, Ant) { expect_equal_bits<AntModel>(0.1, 0.8); }

}  // namespace
}  // namespace gallop::testing
