// A block on a line that is to come to rest at the post. The arrow shows the force.
#include <algorithm>
#include <cmath>

#include <gallop/host/rendering/colors.h>
#include <gallop/host/rendering/drawing.h>
#include <gallop/host/rendering/drawings/shapes.h>

namespace gallop {
namespace {

Scene double_integrator(const Episode& e, int step) {
  const double x = e.state(step, "x"), reach = std::max(1.0, 1.5 * e.parameter("reset_x"));
  Scene scene;
  scene.background = kPaper;
  // A block that has run away takes the camera with it.
  const double middle = std::abs(x) > reach ? x : 0;
  const double half_width = 1.2 * reach, half_height = 0.5 * half_width, block = 0.1 * reach;
  scene.camera = {View::kSide, {middle, 0, 0.5 * half_height}, half_width, half_height};
  auto& s = scene.shapes;
  const double far = 2 * half_width;
  s.push_back(box({middle, 0, -far}, far, far, 0, kGround));
  s.push_back(line({{middle - far, 0, 0}, {middle + far, 0, 0}}, 2, kGroundDark));
  s.push_back(line({{0, 0, 0}, {0, 0, 3 * block}}, 3, kRed));
  s.push_back(outlined(box({x, 0, block}, block, block, 0, kBlue)));
  if (step < e.length()) {
    const double greatest = e.parameter("max_force");
    const double force = std::clamp(double(e.actions[step][0]), -greatest, greatest);
    const double part = greatest > 0 ? force / greatest : 0;
    const double side = part < 0 ? -1.2 * block : 1.2 * block;
    add_arrow(s, {x + side, 0, block}, {x + side + 3 * block * part, 0, block}, block, kSoft);
  }
  return scene;
}

}  // namespace
}  // namespace gallop

GALLOP_DRAWING(DoubleIntegrator)
gallop::Drawing gallop_drawing_DoubleIntegrator(const gallop::Episode& episode) {
  return {[&episode](int step) { return gallop::double_integrator(episode, step); }};
}
