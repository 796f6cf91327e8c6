// A pole on a cart, as Gymnasium draws it; posts stand where an episode ends, an arrow shows the
// push. Likewise the pole that is swung up from below, on a rail without an end.
#include <algorithm>
#include <cmath>

#include <gallop/host/rendering/colors.h>
#include <gallop/host/rendering/drawing.h>
#include <gallop/host/rendering/drawings/shapes.h>

namespace gallop {
namespace {

constexpr double kAxle = 0.33, kMargin = 1.15;  // height of the pole's foot; room around the posts
constexpr double kPost = 0.18;

void add_cart(std::vector<Shape>& s, double x, double theta, double length) {
  for (const double wheel : {-0.16, 0.16}) s.push_back(disc({x + wheel, 0, 0.08}, 0.08, kInk));
  s.push_back(outlined(box({x, 0, 0.22}, 0.28, 0.11, 0, kBlue)));
  const Point3 foot = {x, 0, kAxle};
  const Point3 tip = foot + length * Point3{std::sin(theta), 0, std::cos(theta)};
  s.push_back(outlined(capsule(foot, tip, 0.055, kOrange)));
  s.push_back(disc(foot, 0.028, kPaper));
}

// An arrow of the push beside the cart, of full length at 1 and -1.
void add_push(std::vector<Shape>& s, double x, double push) {
  const double side = push < 0 ? -1 : 1;
  add_arrow(s, {x + 0.33 * side, 0, 0.22}, {x + 0.33 * side + 0.35 * push, 0, 0.22}, 3, kSoft);
}

// Metres along the track, below it.
void add_marks(std::vector<Shape>& s, double middle, double far) {
  s.push_back(line({{middle - far, 0, 0}, {middle + far, 0, 0}}, 2, kGroundDark));
  for (int k = int(std::floor(middle - far)); k <= int(std::ceil(middle + far)); k++) {
    s.push_back(line({{double(k), 0, 0}, {double(k), 0, -0.1}}, 1.5, kSoft));
  }
}

Scene swing_up(const Episode& e, int step) {
  const double x = e.state(step, "x"), length = 2 * e.parameter("half_length");
  Scene scene;
  scene.background = kPaper;
  const double half_width = 2.4 * length;
  scene.camera = {View::kSide, {x, 0, kAxle}, half_width, 0.6 * half_width};
  auto& s = scene.shapes;
  add_marks(s, x, 2 * half_width);
  s.push_back(line({{0, 0, 0}, {0, 0, -kPost}}, 3, kRed));  // where it is to stand
  add_cart(s, x, e.state(step, "theta"), length);
  if (step < e.length()) {
    const double greatest = e.parameter("max_force");
    const double force = std::clamp(double(e.actions[step][0]), -greatest, greatest);
    if (greatest > 0) add_push(s, x, force / greatest);
  }
  return scene;
}

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
  add_marks(s, middle, far);
  for (const double side : {-limit, limit}) {
    s.push_back(line({{side, 0, 0}, {side, 0, kPost}}, 3, kRed));
  }
  add_cart(s, x, theta, length);
  if (step < e.length()) add_push(s, x, e.actions[step][0] == 1 ? 1 : -1);
  return scene;
}

}  // namespace
}  // namespace gallop

GALLOP_DRAWING(CartPole)
gallop::Drawing gallop_drawing_CartPole(const gallop::Episode& episode) {
  return {[&episode](int step) { return gallop::cartpole(episode, step); }};
}

GALLOP_DRAWING(CartPoleSwingUp)
gallop::Drawing gallop_drawing_CartPoleSwingUp(const gallop::Episode& episode) {
  return {[&episode](int step) { return gallop::swing_up(episode, step); }};
}
