// A rod that turns about its end, as Gymnasium draws it: a positive angle leans to the left. The
// arrow shows the torque.
#include <algorithm>
#include <cmath>

#include <gallop/host/rendering/colors.h>
#include <gallop/host/rendering/drawing.h>
#include <gallop/host/rendering/drawings/shapes.h>

namespace gallop {
namespace {

Scene pendulum(const Episode& e, int step) {
  const double theta = e.state(step, "theta"), length = e.parameter("length");
  Scene scene;
  scene.background = kPaper;
  scene.camera = {View::kSide, {0, 0, 0}, 1.25 * length, 1.25 * length};
  auto& s = scene.shapes;
  std::vector<Point3> way;
  for (int k = 0; k <= 72; k++) {
    const double angle = k * 2 * M_PI / 72;
    way.push_back({length * std::cos(angle), 0, length * std::sin(angle)});
  }
  s.push_back(line(way, 1.2, kRule));
  const Point3 tip = {-length * std::sin(theta), 0, length * std::cos(theta)};
  s.push_back(outlined(capsule({0, 0, 0}, tip, 0.09 * length, kOrange)));
  s.push_back(disc({0, 0, 0}, 0.045 * length, kInk));
  if (step < e.length()) {
    const double greatest = e.parameter("max_torque");
    const double torque = std::clamp(double(e.actions[step][0]), -greatest, greatest);
    const double part = greatest > 0 ? torque / greatest : 0;
    add_turn_arrow(s, {0, 0, 0}, 0.3 * length, 2.2 * part, kBlue);
  }
  return scene;
}

}  // namespace
}  // namespace gallop

GALLOP_DRAWING(Pendulum)
gallop::Drawing gallop_drawing_Pendulum(const gallop::Episode& episode) {
  return {[&episode](int step) { return gallop::pendulum(episode, step); }};
}
