// A helicopter over the ground, seen from the front right: body, tail, skids and a disc of the
// rotor, turned as it flies, with the place where it is to hover.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/rendering/colors.h>
#include <gallop/host/rendering/drawing.h>
#include <gallop/host/rendering/drawings/shapes.h>

namespace gallop {
namespace {

constexpr double kHeight = 2.5;  // of the target over the ground that is drawn, m
constexpr double kTail = 1.5, kRotor = 1.2;

// Where the helicopter is and how it is turned; the scene has x north, y west and z up, which
// leaves the picture what a beholder would see.
struct Attitude {
  Point3 centre;
  double m[3][3];  // from the body's axes to north, east, down

  Attitude(const Episode& e, int step) {
    const double x = e.state(step, "q_x"), y = e.state(step, "q_y"), z = e.state(step, "q_z"),
                 w = e.state(step, "q_w");
    const double rows[3][3] = {{1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)},
                               {2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)},
                               {2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)}};
    for (int i = 0; i < 3; i++) std::copy(rows[i], rows[i] + 3, m[i]);
    centre = world(e.state(step, "north"), e.state(step, "east"), e.state(step, "down"));
  }

  static Point3 world(double north, double east, double down) {
    return {north, -east, kHeight - down};
  }
  // A point of the body: forward, to the right, down.
  Point3 at(double forward, double right, double down) const {
    const double v[3] = {forward, right, down};
    double turned[3] = {0, 0, 0};
    for (int i = 0; i < 3; i++) {
      for (int k = 0; k < 3; k++) turned[i] += m[i][k] * v[k];
    }
    return centre + Point3{turned[0], -turned[1], -turned[2]};
  }
};

Shape solid(Shape shape) {
  Shape part = outlined(std::move(shape));
  part.is_solid = true;
  return part;
}

void add_ground(std::vector<Shape>& s, Point3 under) {
  constexpr double kFar = 60, kSpacing = 1;
  const double x0 = std::floor(under.x / kSpacing) * kSpacing,
               y0 = std::floor(under.y / kSpacing) * kSpacing;
  s.push_back(polygon({{x0 - kFar, y0 - kFar, 0},
                       {x0 + kFar, y0 - kFar, 0},
                       {x0 + kFar, y0 + kFar, 0},
                       {x0 - kFar, y0 + kFar, 0}},
                      kGround));
  constexpr int kLines = 24;
  for (int k = -kLines; k <= kLines; k++) {
    const double reach = kLines * kSpacing, along = k * kSpacing;
    s.push_back(line({{x0 + along, y0 - reach, 0}, {x0 + along, y0 + reach, 0}}, 1, kGroundDark));
    s.push_back(line({{x0 - reach, y0 + along, 0}, {x0 + reach, y0 + along, 0}}, 1, kGroundDark));
  }
}

Scene helicopter(const Episode& e, int step) {
  const Attitude body(e, step);
  Scene scene;
  scene.background = kPaper;
  // The target stays in the picture as long as it is near.
  const Point3 target = {0, 0, kHeight};
  const Point3 off = body.centre - target;
  const double reach = std::max({std::abs(off.x), std::abs(off.y), std::abs(off.z)});
  const double part = reach > 3 ? 1 - 3 / reach : 0;
  scene.camera = {View::kPerspective, target + part * off, 3.2, 2.4};
  auto& s = scene.shapes;
  add_ground(s, scene.camera.target);
  const auto ground = [](Point3 p) { return Point3{p.x, p.y, 0}; };
  s.push_back(capsule(ground(body.at(0.5, 0, 0)), ground(body.at(-kTail, 0, 0)), 0.2, kGroundDark));
  s.push_back(line({ground(target), target}, 1, kSoft));
  s.push_back(disc(target, 0.06, kRed));

  s.push_back(solid(capsule(body.at(0.45, 0, 0.02), body.at(-0.35, 0, 0), 0.26, kOrange)));
  s.push_back(solid(capsule(body.at(-0.5, 0, -0.05), body.at(-kTail, 0, -0.1), 0.07, kOrange)));
  s.push_back(solid(capsule(body.at(-kTail, 0, -0.1), body.at(-kTail - 0.1, 0, -0.5), 0.06, kInk)));
  for (const double side : {-0.28, 0.28}) {
    s.push_back(solid(capsule(body.at(0.5, side, 0.45), body.at(-0.5, side, 0.45), 0.035, kInk)));
    for (const double forward : {0.25, -0.25}) {
      s.push_back(solid(
          capsule(body.at(forward, 0.6 * side, 0.15), body.at(forward, side, 0.45), 0.03, kInk)));
    }
  }
  s.push_back(solid(capsule(body.at(0, 0, -0.2), body.at(0, 0, -0.5), 0.045, kInk)));
  // Two blades, a quarter of a turn further at each step.
  const double angle = 0.7 + 1.3 * step;
  const double c = kRotor * std::cos(angle), d = kRotor * std::sin(angle);
  s.push_back(solid(capsule(body.at(c, d, -0.52), body.at(-c, -d, -0.52), 0.035, kBlue)));
  std::vector<Point3> rim;
  for (int k = 0; k <= 48; k++) {
    const double turn = k * 2 * M_PI / 48;
    rim.push_back(body.at(kRotor * std::cos(turn), kRotor * std::sin(turn), -0.52));
  }
  s.push_back(line(std::move(rim), 1, kBlue));
  return scene;
}

}  // namespace
}  // namespace gallop

GALLOP_DRAWING(Helicopter)
gallop::Drawing gallop_drawing_Helicopter(const gallop::Episode& episode) {
  return {[&episode](int step) { return gallop::helicopter(episode, step); }};
}
