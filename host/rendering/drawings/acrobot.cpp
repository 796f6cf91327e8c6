// Two links that hang from a fixed joint, as Gymnasium draws them, and the height that the tip has
// to pass. The arrow shows the torque on the joint between the links.
#include <cmath>

#include <gallop/host/rendering/colors.h>
#include <gallop/host/rendering/drawing.h>
#include <gallop/host/rendering/drawings/shapes.h>

namespace gallop {
namespace {

Scene acrobot(const Episode& e, int step) {
  const double upper = e.parameter("length_1"), lower = 2 * e.parameter("center_2");
  const double theta_1 = e.state(step, "theta_1"), theta_12 = theta_1 + e.state(step, "theta_2");
  const double reach = upper + lower;
  Scene scene;
  scene.background = kPaper;
  scene.camera = {View::kSide, {0, 0, 0}, 1.15 * reach, 1.15 * reach};
  auto& s = scene.shapes;
  const double goal = e.parameter("goal_height") * upper;
  s.push_back(line({{-2 * reach, 0, goal}, {2 * reach, 0, goal}}, 2, kGreen));
  const Point3 elbow = {upper * std::sin(theta_1), 0, -upper * std::cos(theta_1)};
  const Point3 tip = elbow + lower * Point3{std::sin(theta_12), 0, -std::cos(theta_12)};
  const double thick = 0.06 * reach;
  s.push_back(outlined(capsule({0, 0, 0}, elbow, thick, kBlue)));
  s.push_back(outlined(capsule(elbow, tip, thick, kOrange)));
  for (const Point3 joint : {Point3{0, 0, 0}, elbow}) s.push_back(disc(joint, 0.45 * thick, kInk));
  if (step < e.length()) {
    const double torque = double(e.actions[step][0]) - 1;
    add_turn_arrow(s, elbow, 0.11 * reach, 1.6 * torque, kPurple);
  }
  return scene;
}

}  // namespace
}  // namespace gallop

GALLOP_DRAWING(Acrobot)
gallop::Drawing gallop_drawing_Acrobot(const gallop::Episode& episode) {
  return {[&episode](int step) { return gallop::acrobot(episode, step); }};
}
