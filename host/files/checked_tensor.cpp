#include <gallop/host/files/checked_tensor.h>

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string>

#include <gallop/host/error.h>

namespace gallop {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string range_text(double low, double high) {
  if (low == -kInfinity && high == kInfinity) return "a finite number";
  if (high == kInfinity) return fmt::format("a finite number of at least {}", low);
  return fmt::format("a finite number from {} to {}", low, high);
}

bool is_within(double value, double low, double high) {
  return std::isfinite(value) && value >= low && value <= high;
}

template <class T>
std::vector<T> finite_values(const TensorFile& file, std::string_view name, std::size_t size,
                             double low, double high) {
  std::vector<T> values(size);
  file.get<T>(name, {size}, values);
  for (std::size_t i = 0; i < size; i++) {
    if (is_within(double(values[i]), low, high)) continue;
    throw checkpoint_error(fmt::format("tensor '{}': element {} is {}; expected {}", name, i,
                                       values[i], range_text(low, high)));
  }
  return values;
}

}  // namespace

std::vector<float> finite_floats(const TensorFile& file, std::string_view name, std::size_t size) {
  return finite_values<float>(file, name, size, -kInfinity, kInfinity);
}
std::vector<float> finite_floats(const TensorFile& file, std::string_view name, std::size_t size,
                                 double low) {
  return finite_values<float>(file, name, size, low, kInfinity);
}
std::vector<double> finite_doubles(const TensorFile& file, std::string_view name, std::size_t size,
                                   double low, double high) {
  return finite_values<double>(file, name, size, low, high);
}

double finite_number(const TensorFile& file, std::string_view name, double low, double high) {
  const double value = file.get_scalar<double>(name);
  if (is_within(value, low, high)) return value;
  throw checkpoint_error(
      fmt::format("tensor '{}' is {}; expected {}", name, value, range_text(low, high)));
}

std::uint64_t checked_count(const TensorFile& file, std::string_view name, std::uint64_t most,
                            std::string_view of) {
  const auto count = file.get_scalar<std::uint64_t>(name);
  if (count <= most) return count;
  throw checkpoint_error(
      fmt::format("tensor '{}' is {}; expected at most {} {}", name, count, most, of));
}

}  // namespace gallop
