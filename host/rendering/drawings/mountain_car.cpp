// A car in a valley with a flag at the goal, as Gymnasium draws it. The hill is sin(3 x), whose
// slope the dynamics have. The arrow shows the engine.
#include <algorithm>
#include <cmath>

#include <gallop/host/rendering/colors.h>
#include <gallop/host/rendering/drawing.h>
#include <gallop/host/rendering/drawings/shapes.h>

namespace gallop {
namespace {

constexpr double kStepSeconds =
    1.0 / 30;  // a step has no time of its own; Gymnasium shows 30 a second
constexpr double kWheel = 0.035;

double height(double x) { return 0.45 * std::sin(3 * x); }

std::vector<Point3> hill(double from, double to) {
  constexpr int kParts = 120;
  std::vector<Point3> points;
  for (int k = 0; k <= kParts; k++) {
    const double x = from + (to - from) * k / kParts;
    points.push_back({x, 0, height(x)});
  }
  return points;
}

// `push` from -1 to 1.
Scene mountain_car(const Episode& e, int step, double push) {
  const double x = e.state(step, "position");
  const double low = e.parameter("min_position"), high = e.parameter("max_position");
  const double middle = 0.5 * (low + high), goal = e.parameter("goal_position");
  Scene scene;
  scene.background = kPaper;
  scene.camera = {View::kSide, {middle, 0, 0.12}, 0.53 * (high - low), 0.74};
  auto& s = scene.shapes;
  const double margin = 0.5 * (high - low);
  std::vector<Point3> ground = hill(low - margin, high + margin);
  const std::vector<Point3> surface = ground;
  ground.push_back({high + margin, 0, -10});
  ground.push_back({low - margin, 0, -10});
  s.push_back(polygon(ground, kGround));
  s.push_back(line(surface, 2, kGroundDark));
  const Point3 foot = {goal, 0, height(goal)}, top = foot + Point3{0, 0, 0.28};
  s.push_back(line({foot, top}, 2, kInk));
  s.push_back(polygon({top, top + Point3{0.13, 0, -0.05}, top + Point3{0, 0, -0.1}}, kGreen));
  const double slope = std::atan(0.45 * 3 * std::cos(3 * x));
  const Point3 at = {x, 0, height(x)};
  const Point3 ahead = {std::cos(slope), 0, std::sin(slope)};
  const Point3 up = {-std::sin(slope), 0, std::cos(slope)};
  s.push_back(outlined(box(at + 0.09 * up, 0.1, 0.04, slope, kBlue)));
  s.push_back(outlined(box(at + 0.145 * up, 0.055, 0.03, slope, kBlue)));
  for (const double wheel : {-0.06, 0.06}) {
    s.push_back(disc(at + wheel * ahead + kWheel * up, kWheel, kInk));
  }
  const Point3 side = at + 0.09 * up + (push > 0 ? 0.13 : -0.13) * ahead;
  add_arrow(s, side, side + 0.2 * push * ahead, 0.06, kOrange);
  return scene;
}

}  // namespace
}  // namespace gallop

GALLOP_DRAWING(MountainCar)
gallop::Drawing gallop_drawing_MountainCar(const gallop::Episode& episode) {
  return {[&episode](int step) {
            const bool acts = step < episode.length();
            return gallop::mountain_car(episode, step,
                                        acts ? double(episode.actions[step][0]) - 1 : 0);
          },
          gallop::kStepSeconds};
}

GALLOP_DRAWING(MountainCarContinuous)
gallop::Drawing gallop_drawing_MountainCarContinuous(const gallop::Episode& episode) {
  return {[&episode](int step) {
            const bool acts = step < episode.length();
            const double force = acts ? double(episode.actions[step][0]) : 0;
            return gallop::mountain_car(episode, step, std::clamp(force, -1.0, 1.0));
          },
          gallop::kStepSeconds};
}
