// What has no shape of its own: the components of state, action and reward over the steps of the
// episode, each in a band, with a cursor at the step and the value there.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include <gallop/host/rendering/colors.h>
#include <gallop/host/rendering/drawing.h>

namespace gallop {
namespace {

// The scene is the picture itself: units are pixels, from the lower left corner.
constexpr double kWidth = 480, kHeight = 360, kTop = 324, kBottom = 12, kSide = 16;
constexpr int kRowsInColumn = 6, kMostColumns = 3;
constexpr int kMostPoints = 600;  // of a trace
constexpr double kLongest = 10;   // seconds that an episode takes, unless that is slower than
constexpr double kSlowest = 0.5;  // seconds a step
constexpr double kLetters = 12, kPad = 6;

struct Trace {
  std::string name;
  std::vector<double> values;  // one for each state, or one for each step
  Color color;
};

std::vector<Trace> traces_of(const Episode& e) {
  const EnvironmentSpec& spec = e.spec();
  std::vector<Trace> traces;
  // Of run-time sizes the first components are in use, where the state is what is observed.
  const bool sized = spec.sizes != nullptr && spec.observation_kind == SpaceKind::kBox &&
                     spec.n_state == spec.observation_capacity;
  const int n_state = sized ? e.sizes.observation : spec.n_state;
  for (int k = 0; k < n_state; k++) {
    traces.push_back({spec.state_names[k], {}, kBlue});
    for (const auto& state : e.states) traces.back().values.push_back(double(state[k]));
  }
  const bool discrete = spec.action_kind == SpaceKind::kDiscrete;
  for (int k = 0; k < (discrete ? 1 : e.sizes.action); k++) {
    traces.push_back({discrete ? "action" : spec.action[k].name, {}, kOrange});
    for (const auto& action : e.actions) traces.back().values.push_back(double(action[k]));
  }
  traces.push_back({"reward", {}, kGreen});
  for (const float reward : e.rewards) traces.back().values.push_back(double(reward));
  return traces;
}

struct Band {
  double left, right, bottom, top;
};

class TraceScenes {
 public:
  explicit TraceScenes(const Episode& episode) : episode_(episode), traces_(traces_of(episode)) {
    const std::size_t most = kRowsInColumn * kMostColumns;
    if (traces_.size() > most) traces_.erase(traces_.begin() + most - 1, traces_.end() - 1);
    columns_ = (int(traces_.size()) + kRowsInColumn - 1) / kRowsInColumn;
    rows_ = (int(traces_.size()) + columns_ - 1) / columns_;
  }

  Scene at(int step) const {
    Scene scene;
    scene.background = kPaper;
    scene.camera = {View::kSide, {0.5 * kWidth, 0, 0.5 * kHeight}, 0.5 * kWidth, 0.5 * kHeight};
    for (int k = 0; k < int(traces_.size()); k++) add(scene, traces_[k], band(k), step);
    return scene;
  }

 private:
  Band band(int k) const {
    const double width = (kWidth - 2 * kSide) / columns_, height = (kTop - kBottom) / rows_;
    const double left = kSide + width * (k / rows_), top = kTop - height * (k % rows_);
    return {left + 4, left + width - 4, top - height + 5, top - 5};
  }

  void add(Scene& scene, const Trace& trace, const Band& b, int step) const {
    auto& s = scene.shapes;
    s.push_back(polygon(
        {{b.left, 0, b.bottom}, {b.right, 0, b.bottom}, {b.right, 0, b.top}, {b.left, 0, b.top}},
        {255, 255, 255}));
    const double text_z = b.top - kPad - 0.5 * kLetters;
    s.push_back(text(b.left + kPad, text_z, trace.name, kSoft, false));
    const int n = int(trace.values.size());
    if (n == 0) return;
    const auto [least, greatest] = std::minmax_element(trace.values.begin(), trace.values.end());
    const double low = *least, range = *greatest - low;
    const Band plot = {b.left + kPad, b.right - kPad, b.bottom + kPad, text_z - kLetters};
    const auto place = [&](int at) {
      const double last = std::max(1, episode_.length());
      const double part = range > 0 ? (trace.values[at] - low) / range : 0.5;
      return Point3{plot.left + (plot.right - plot.left) * at / last, 0,
                    plot.bottom + (plot.top - plot.bottom) * part};
    };
    if (range > 0 && low < 0 && *greatest > 0) {
      const double zero = plot.bottom - (plot.top - plot.bottom) * low / range;
      s.push_back(line({{plot.left, 0, zero}, {plot.right, 0, zero}}, 1, kRule));
    }
    std::vector<Point3> points;
    const int stride = 1 + n / kMostPoints;
    for (int at = 0; at < n; at += stride) {
      if (std::isfinite(trace.values[at])) points.push_back(place(at));
    }
    s.push_back(line(std::move(points), 1.5, mixed(trace.color, kPaper, 0.45)));
    const int at = std::min(step, n - 1);
    const Point3 now = place(at);
    s.push_back(line({{now.x, 0, plot.bottom - 3}, {now.x, 0, plot.top + 3}}, 1, kRule));
    s.push_back(disc(now, 4, trace.color));
    s.push_back(text(b.right - kPad, text_z, fmt::format("{:.4g}", trace.values[at]), kInk, true));
  }

  Shape text(double x, double z, const std::string& words, Color color, bool ends_there) const {
    Shape shape = label({x, 0, z}, words, kLetters, color);
    shape.anchor = ends_there ? TextAnchor::kRight : TextAnchor::kLeft;
    return shape;
  }

  const Episode& episode_;
  std::vector<Trace> traces_;
  int columns_ = 1, rows_ = 1;
};

}  // namespace

Drawing trace_drawing(const Episode& episode) {
  const auto scenes = std::make_shared<TraceScenes>(episode);
  const double seconds = std::min(kSlowest, kLongest / std::max(1, episode.length()));
  return {[scenes](int step) { return scenes->at(step); }, seconds};
}

}  // namespace gallop
