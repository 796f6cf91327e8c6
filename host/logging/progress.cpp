#include <gallop/host/logging/progress.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace gallop {
namespace {

constexpr int kWidestBar = 20, kNarrowestBar = 5;

// The return with four digits, without a trailing point.
std::string short_return(double value) {
  return std::fabs(value) >= 1e5 ? fmt::format("{:.3g}", value) : fmt::format("{:.4g}", value);
}

}  // namespace

std::string short_count(double value) {
  constexpr const char* kUnits[] = {"", " k", " M", " G", " T", " P"};
  if (!std::isfinite(value)) return fmt::format("{}", value);
  size_t unit = 0;
  // 999.5 of one unit would be shown as 1000.
  while (std::fabs(value) >= (unit == 0 ? 1000 : 999.5) && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  if (unit == 0 && value == std::floor(value)) return fmt::format("{:.0f}", value);
  const double size = std::fabs(value);
  return fmt::format("{:.{}f}{}", value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2, kUnits[unit]);
}

std::string short_duration(double seconds) {
  if (!(seconds >= 0 && seconds < 1e9)) return "?";
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  const int64_t days = whole / 86400;
  const int64_t hours = whole / 3600 % 24;
  const int64_t minutes = whole / 60 % 60;
  if (days > 0) return fmt::format("{} d {}:{:02}:{:02}", days, hours, minutes, whole % 60);
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{}:{:02}", minutes, whole % 60);
}

Progress::Progress(ProgressForm form, ProgressLine::Write write, ProgressLine::Columns columns,
                   uint64_t total_steps, uint64_t first_step)
    : line_(form, std::move(write), std::move(columns)),
      total_steps_(total_steps),
      first_step_(first_step) {}

// What a reader misses least has the greatest rank: the bar, the speed, the steps.
std::vector<ProgressPart> Progress::parts(uint64_t step, double mean_return, double seconds,
                                          int columns) const {
  const double total = static_cast<double>(std::max<uint64_t>(total_steps_, 1));
  const double part = std::min(1.0, static_cast<double>(step) / total);
  std::vector<ProgressPart> parts = {
      {fmt::format("{:3.0f} %", std::floor(100 * part)), 0, " "},
      {fmt::format("{} steps", short_count(static_cast<double>(step))), 3}};
  const double done = step > first_step_ ? static_cast<double>(step - first_step_) : 0;
  if (seconds > 0 && done > 0) {
    parts.push_back({fmt::format("{} steps/s", short_count(done / seconds)), 4});
  }
  if (!std::isnan(mean_return)) {
    parts.push_back({fmt::format("return {}", short_return(mean_return)), 1});
  }
  if (seconds > 0 && done > 0 && step < total_steps_) {
    const double left = static_cast<double>(total_steps_ - step) * seconds / done;
    parts.push_back({fmt::format("{} left", short_duration(left)), 2});
  }
  int width = columns - static_cast<int>(std::string_view("[] ").size());
  for (const ProgressPart& p : parts) width -= columns_of(p.before + p.text);
  width = std::min(kWidestBar, width + 1);  // nothing stands before the first of them
  if (width < kNarrowestBar) return parts;
  const auto filled = static_cast<size_t>(part * width);
  const std::string bar = fmt::format("[{}{}]", std::string(filled, '='),
                                      std::string(static_cast<size_t>(width) - filled, '.'));
  parts.insert(parts.begin(), {bar, 5});
  return parts;
}

std::string Progress::line(uint64_t step, double mean_return, double seconds, int columns) const {
  return fitted(parts(step, mean_return, seconds, columns), columns);
}

void Progress::update(uint64_t step, double mean_return, double seconds) {
  if (!line_.is_due(seconds)) return;
  line_.show(seconds, [&](int columns) { return parts(step, mean_return, seconds, columns); });
}

void Progress::finish(uint64_t step, double mean_return, double seconds) {
  line_.finish([&](int columns) { return parts(step, mean_return, seconds, columns); });
}

}  // namespace gallop
