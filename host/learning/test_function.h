// Functions with a known minimum of 0, on which optimizers are compared.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gallop {

// Where the functions come from: Hansen et al., Real-Parameter Black-Box Optimization Benchmarking,
// INRIA RR-6829.
struct TestFunctionDescriptor {
  const char* name;
  const char* aliases;  // separated by commas
  const char* formula;
  double start;  // of every component
  int least_dimension;
  bool is_rotated;
  double noise;
  double (*value)(std::span<const double> x);
};

std::span<const TestFunctionDescriptor> test_functions();
// By name or alias, capitals and hyphens aside; unknown names throw a usage error with the nearest.
const TestFunctionDescriptor& find_test_function(std::string_view name);

struct TestFunctionOptions {
  bool is_rotated = false;
  double noise = 0;        // standard deviation that is added to a value
  std::uint64_t seed = 1;  // of the rotation and the noise
};

// One of them in a dimension. Throws a value error for a dimension that it does not have.
class TestFunction {
 public:
  TestFunction(const TestFunctionDescriptor& descriptor, long dimension,
               const TestFunctionOptions& options);

  long dimension() const { return dimension_; }
  // Of the function that is rotated, R^T times that of the one that is not. [D]
  std::vector<double> start() const;
  // f(R x), without noise. Throws a value error for an x of another dimension.
  double value(std::span<const double> x) const;
  // With noise: random numbers of purpose kRandomDynamics, id = member, episode = generation.
  double noisy_value(std::span<const double> x, std::uint32_t member,
                     std::uint32_t generation) const;

 private:
  const TestFunctionDescriptor& descriptor_;
  long dimension_;
  TestFunctionOptions options_;
  std::vector<double> rotation_;  // [D, D] orthonormal rows; none where it is not rotated
};

}  // namespace gallop
