#include <gallop/host/rendering/film.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <gallop/host/rendering/colors.h>

namespace gallop {
namespace {

constexpr double kTextSize = 13, kTextMargin = 12;

Figure text(std::string words, Point2 at, TextAnchor anchor, double scale, Color color) {
  Figure figure;
  figure.kind = ShapeKind::kText;
  figure.points = {at};
  figure.fill = color;
  figure.text = std::move(words);
  figure.size = scale * kTextSize;
  figure.anchor = anchor;
  return figure;
}

const char* ending(const Episode& episode) {
  return episode.terminated ? "terminated" : episode.truncated ? "truncated" : "cut";
}

FilmSubject subject_of(const Episode& episode) {
  return {episode.spec().name, drawing_of(episode), episode.time_step(),
          std::vector<double>(episode.rewards.begin(), episode.rewards.end()), ending(episode)};
}

}  // namespace

Film::Film(const Episode& episode, const FilmSettings& settings)
    : Film(subject_of(episode), settings) {}

Film::Film(FilmSubject subject, const FilmSettings& settings)
    : subject_(std::move(subject)),
      settings_(settings),
      step_seconds_(subject_.time_step > 0 ? subject_.time_step : subject_.drawing.pace) {
  const double seconds = step_seconds_ * length();
  fps_ = settings.fps > 0 ? settings.fps : std::min(1 / step_seconds_, settings.most_fps);
  const int most = settings.fps > 0 ? 0 : settings.most_frames;
  if (most > 1 && seconds * fps_ > most - 1) fps_ = (most - 1) / seconds;
  // Rounding up but for a rounding error, so that the last state is there.
  n_frames_ = int(std::ceil(seconds * fps_ - 1e-6)) + 1;
  returns_.push_back(0);
  for (const double reward : subject_.rewards) returns_.push_back(returns_.back() + reward);
}

int Film::step_of(int frame) const {
  if (frame + 1 >= n_frames_) return length();
  const double steps = frame / (fps_ * step_seconds_);
  return std::min(length(), int(std::floor(steps + 1e-6)));
}

Picture Film::picture(int frame) const {
  const int step = step_of(frame);
  Picture picture = project(subject_.drawing.scene(step), settings_.width, settings_.height);
  const double scale = picture_scale(settings_.width, settings_.height),
               margin = kTextMargin * scale;
  const double y = 1.4 * margin;
  std::string right = fmt::format("step {}", step);
  if (subject_.time_step > 0) right += fmt::format("  {:.2f} s", step * step_seconds_);
  right += fmt::format("  return {:.1f}", returns_[step]);
  picture.figures.push_back(text(name(), {margin, y}, TextAnchor::kLeft, scale, kSoft));
  if (step == length() && step > 0) {
    const double below = y + 1.6 * kTextSize * scale;
    picture.figures.push_back(
        text(subject_.ending, {margin, below}, TextAnchor::kLeft, scale, kRed));
  }
  picture.figures.push_back(
      text(right, {settings_.width - margin, y}, TextAnchor::kRight, scale, kInk));
  return picture;
}

}  // namespace gallop
