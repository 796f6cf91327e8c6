#pragma once

#include <string>
#include <vector>

namespace gallop {

// Where the ticks of an axis stand, with their texts.
struct AxisTicks {
  std::vector<double> values;
  std::vector<std::string> labels;
};

// Round numbers (1, 2 or 5 times a power of ten) inside [low, high], about `wanted` of them.
AxisTicks axis_ticks(double low, double high, int wanted);

// Powers of ten inside [low, high], both positive.
AxisTicks log_ticks(double low, double high);

}  // namespace gallop
