// Lists of numbers that a study of the laboratory goes through.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include <gallop/host/error.h>

namespace gallop {

constexpr std::size_t kMostListValues = 16;

// What is given twice counts once. Throws a value error that names the list where it has too few or
// too many numbers, or one beyond its limits, which is not 0 where `zero` is allowed beside them.
template <class T>
void check_list(std::vector<T>& values, const char* name, double low, double high, bool zero) {
  if (values.empty() || values.size() > kMostListValues) {
    throw value_error(
        fmt::format("{} has {} numbers, expected 1 to {}", name, values.size(), kMostListValues));
  }
  for (const T value : values) {
    if ((double(value) >= low && double(value) <= high) || (zero && value == 0)) continue;
    throw value_error(
        fmt::format("{} has {}, expected {}{} to {}", name, value, zero ? "0 or " : "", low, high));
  }
  std::vector<T> once;
  for (const T value : values) {
    if (std::find(once.begin(), once.end(), value) == once.end()) once.push_back(value);
  }
  values = once;
}

}  // namespace gallop
