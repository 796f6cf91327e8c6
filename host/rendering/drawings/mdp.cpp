// A tabular decision process: its states on a circle, the present one in colour, the way that led
// there as an arrow, and in the middle what was done and paid for it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/rendering/colors.h>
#include <gallop/host/rendering/drawing.h>
#include <gallop/host/rendering/drawings/shapes.h>

namespace gallop {
namespace {

constexpr double kSecondsInAll = 10, kMostSeconds = 0.7;  // of an episode, of a step

Point3 place_of(int state, int n_states) {
  const double angle = M_PI / 2 - state * 2 * M_PI / n_states;
  return {std::cos(angle), 0, std::sin(angle)};
}

// From the state before to the present one; a loop where they are the same.
void add_way(std::vector<Shape>& s, const Episode& e, int step, double radius) {
  const int n = e.sizes.observation, now = int(e.states[step][0]);
  const Point3 from = place_of(int(e.states[step - 1][0]), n), way = place_of(now, n) - from;
  const double length = std::hypot(way.x, way.z);
  if (length == 0) {
    const Point3 centre = (1 + 1.15 * radius) * from;
    s.push_back(disc(centre, 0.75 * radius, kSoft));
    s.push_back(disc(centre, 0.6 * radius, kPaper));
    return;
  }
  const double part = std::min(0.4, 1.1 * radius / length);
  add_arrow(s, from + part * way, from + (1 - part) * way, 0.1, kSoft);
}

Scene mdp(const Episode& e, int step) {
  const int n = e.sizes.observation, now = int(e.states[step][0]);
  const double radius = std::min(0.2, 0.8 * std::sin(M_PI / std::max(n, 2)));
  Scene scene;
  scene.background = kPaper;
  scene.camera = {View::kSide, {0, 0, 0.08}, 1.5, 1.35};
  auto& s = scene.shapes;
  if (step > 0) add_way(s, e, step, radius);
  for (int k = 0; k < n; k++) {
    const bool visited = std::any_of(e.states.begin(), e.states.begin() + step + 1,
                                     [k](const auto& state) { return int(state[0]) == k; });
    const Color color = k == now ? kOrange : visited ? mixed(kBlue, kPaper, 0.55) : kRule;
    s.push_back(outlined(disc(place_of(k, n), radius, color)));
    if (n <= 32) s.push_back(label(place_of(k, n), std::to_string(k), 60 * radius, kInk));
  }
  if (step == 0) return scene;
  s.push_back(label({0, 0, 0.06}, fmt::format("action {:.0f}", e.actions[step - 1][0]), 13, kInk));
  s.push_back(label({0, 0, -0.08}, fmt::format("reward {:.4g}", e.rewards[step - 1]), 13, kInk));
  return scene;
}

}  // namespace
}  // namespace gallop

GALLOP_DRAWING(Mdp)
gallop::Drawing gallop_drawing_Mdp(const gallop::Episode& episode) {
  const double seconds =
      std::min(gallop::kMostSeconds, gallop::kSecondsInAll / std::max(1, episode.length()));
  return {[&episode](int step) { return gallop::mdp(episode, step); }, seconds};
}
