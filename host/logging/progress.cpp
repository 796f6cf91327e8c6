#include "host/logging/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gallop {
namespace {

constexpr double kShortestInterval = 0.1;  // seconds
constexpr int kBarWidth = 20;
// Back to the start of the line; forget what stands to the right.
constexpr std::string_view kLineStart = "\r";
constexpr std::string_view kClearRight = "\x1b[K";

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

Progress::Progress(Write write, bool is_terminal, uint64_t total_steps, uint64_t first_step)
    : write_(std::move(write)),
      is_terminal_(is_terminal),
      total_steps_(total_steps),
      first_step_(first_step) {}

std::string Progress::line(uint64_t step, double mean_return, double seconds) const {
  const double total = static_cast<double>(std::max<uint64_t>(total_steps_, 1));
  const double part = std::min(1.0, static_cast<double>(step) / total);
  const int filled = static_cast<int>(part * kBarWidth);
  std::string text =
      fmt::format("[{}{}] {:3.0f} %  {} steps", std::string(static_cast<size_t>(filled), '='),
                  std::string(static_cast<size_t>(kBarWidth - filled), '.'), std::floor(100 * part),
                  short_count(static_cast<double>(step)));
  const double done = step > first_step_ ? static_cast<double>(step - first_step_) : 0;
  if (seconds > 0 && done > 0) text += fmt::format("  {} steps/s", short_count(done / seconds));
  if (!std::isnan(mean_return)) text += fmt::format("  return {}", short_return(mean_return));
  if (seconds > 0 && done > 0 && step < total_steps_) {
    const double left = static_cast<double>(total_steps_ - step) * seconds / done;
    text += fmt::format("  {} left", short_duration(left));
  }
  return text;
}

void Progress::update(uint64_t step, double mean_return, double seconds) {
  if (!is_terminal_ || (last_seconds_ >= 0 && seconds - last_seconds_ < kShortestInterval)) return;
  last_seconds_ = seconds;
  write_(fmt::format("{}{}{}", kLineStart, line(step, mean_return, seconds), kClearRight));
}

void Progress::finish(uint64_t step, double mean_return, double seconds) {
  if (!is_terminal_ || last_seconds_ < 0) return;
  write_(fmt::format("{}{}{}\n", kLineStart, line(step, mean_return, seconds), kClearRight));
}

}  // namespace gallop
