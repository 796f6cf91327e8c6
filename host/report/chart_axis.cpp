#include <gallop/host/report/chart_axis.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace gallop {
namespace {

// One unit for all ticks of an axis, and the digits that tell a tick from the next.
std::string tick_label(double value, double step, double largest) {
  constexpr const char* kUnits[] = {"", " k", " M", " G", " T", " P"};
  if (value == 0) return "0";
  const int thousands = largest < 10000 ? 0 : static_cast<int>(std::floor(std::log10(largest) / 3));
  if (thousands >= static_cast<int>(std::size(kUnits)) || step < 1e-6)
    return fmt::format("{:.3g}", value);
  const double unit = std::pow(1000.0, thousands);
  const int digits = static_cast<int>(std::ceil(-std::log10(step / unit) - 1e-9));
  return fmt::format("{:.{}f}{}", value / unit, std::max(digits, 0), kUnits[thousands]);
}

}  // namespace

AxisTicks axis_ticks(double low, double high, int wanted) {
  const double raw = (high - low) / std::max(wanted, 1);
  double step = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {2.0, 2.5, 2.0}) {  // 1, 2, 5, 10
    if (step >= raw) break;
    step *= factor;
  }
  const double largest = std::max(std::fabs(low), std::fabs(high));
  AxisTicks ticks;
  const double first = std::ceil(low / step - 1e-9);
  for (int i = 0; i < 100 && (first + i) * step <= high + 1e-9 * step; ++i) {
    const double value = first + i == 0 ? 0 : (first + i) * step;
    ticks.values.push_back(value);
    ticks.labels.push_back(tick_label(value, step, largest));
  }
  return ticks;
}

AxisTicks log_ticks(double low, double high) {
  AxisTicks ticks;
  const int first = static_cast<int>(std::ceil(std::log10(low) - 1e-9));
  const int last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
  const int stride = std::max(1, (last - first + 5) / 6);
  for (int power = first; power <= last; power += stride) {
    ticks.values.push_back(std::pow(10.0, power));
    ticks.labels.push_back(power >= -3 && power <= 3 ? fmt::format("{:g}", std::pow(10.0, power))
                                                     : fmt::format("1e{}", power));
  }
  return ticks;
}

}  // namespace gallop
