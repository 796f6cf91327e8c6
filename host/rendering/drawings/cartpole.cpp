// A pole on a cart, as Gymnasium draws it; posts stand where an episode ends, an arrow shows the
// push.
#include <algorithm>
#include <cmath>

#include <gallop/host/rendering/colors.h>
#include <gallop/host/rendering/drawing.h>
#include <gallop/host/rendering/drawings/shapes.h>

namespace gallop {
namespace {

constexpr double kAxle = 0.33, kMargin = 1.15;  // height of the pole's foot; room around the posts
constexpr double kPost = 0.18;

Scene cartpole(const Episode& e, int step) {
  const double x = e.state(step, "x"), theta = e.state(step, "theta");
  const double length = 2 * e.parameter("half_length"), limit = e.parameter("x_limit");
  // A track that is much longer than the pole does not fit: the camera follows.
  const bool follows = limit > 6 * length;
  const double reach = follows ? 3 * length : std::max(limit, 1.2 * length);
  Scene scene;
  scene.background = kPaper;
  const double half_width = kMargin * reach, half_height = 0.75 * half_width;
  scene.camera = {View::kSide, {follows ? x : 0, 0, 0.55 * half_height}, half_width, half_height};
  auto& s = scene.shapes;
  const double far = 4 * reach, middle = scene.camera.target.x;
  s.push_back(box({middle, 0, -far}, far, far, 0, kGround));
  s.push_back(line({{middle - far, 0, 0}, {middle + far, 0, 0}}, 2, kGroundDark));
  for (int k = int(std::floor(middle - far)); k <= int(std::ceil(middle + far)); k++) {
    s.push_back(line({{double(k), 0, 0}, {double(k), 0, -0.1}}, 1.5, kSoft));
  }
  for (const double side : {-limit, limit}) {
    s.push_back(line({{side, 0, 0}, {side, 0, kPost}}, 3, kRed));
  }
  for (const double wheel : {-0.16, 0.16}) s.push_back(disc({x + wheel, 0, 0.08}, 0.08, kInk));
  s.push_back(outlined(box({x, 0, 0.22}, 0.28, 0.11, 0, kBlue)));
  const Point3 foot = {x, 0, kAxle};
  const Point3 tip = foot + length * Point3{std::sin(theta), 0, std::cos(theta)};
  s.push_back(outlined(capsule(foot, tip, 0.055, kOrange)));
  s.push_back(disc(foot, 0.028, kPaper));
  if (step < e.length()) {
    const double way = e.actions[step][0] == 1 ? 1 : -1;
    add_arrow(s, {x + 0.33 * way, 0, 0.22}, {x + 0.68 * way, 0, 0.22}, 3, kSoft);
  }
  return scene;
}

}  // namespace
}  // namespace gallop

GALLOP_DRAWING(CartPole)
gallop::Drawing gallop_drawing_CartPole(const gallop::Episode& episode) {
  return {[&episode](int step) { return gallop::cartpole(episode, step); }};
}
