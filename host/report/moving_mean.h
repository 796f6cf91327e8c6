#pragma once

#include <cstddef>
#include <vector>

namespace gallop {

constexpr size_t kSmoothedFrom = 60;  // values: fewer are their own picture

// The weighted mean around each value over a window that is a twentieth of the values, cut at their
// ends. `weights` are not negative, as many as y, or empty for equal ones. Values that are not
// finite, and those without weight, count for nothing; a window of such alone keeps the mean of the
// one before, NaN where there is none.
std::vector<double> moving_mean(const std::vector<double>& y, const std::vector<double>& weights);

}  // namespace gallop
