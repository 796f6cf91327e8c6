#include <gallop/host/learning/sample_mean.h>

#include <cmath>

namespace gallop {
namespace {

// A sum as the unevaluated sum of two numbers, exact to about twice the digits of one (Knuth, The
// Art of Computer Programming, volume 2, section 4.2.2, theorem B).
struct LongSum {
  double high = 0, low = 0;

  void add(double x) {
    const double sum = high + x, part = sum - high;
    low += (high - (sum - part)) + (x - part);
    high = sum;
  }
  double over(double n) const {
    const double quotient = (high + low) / n;
    return quotient + (std::fma(-quotient, n, high) + low) / n;
  }
};

}  // namespace

SampleMean sample_mean(std::span<const double> values) {
  SampleMean result;
  result.count = long(values.size());
  if (values.empty()) return result;
  LongSum sum;
  for (const double value : values) sum.add(value);
  result.mean = sum.over(double(result.count));
  for (const double value : values) {
    result.sum_of_squares += (value - result.mean) * (value - result.mean);
  }
  return result;
}

}  // namespace gallop
