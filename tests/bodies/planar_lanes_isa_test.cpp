// Bodies of the planar models in lanes against the same ones one at a time.
#include <gallop/sims/models/hopper_model.h>
#include "tests/bodies/lanes_suite.h"

namespace gallop::testing {
namespace {

TEST(PlanarBodiesInLanes, Hopper) { expect_equal_bits<HopperModel>(0.7, 1.4); }

}  // namespace
}  // namespace gallop::testing
