// Inputs and comparisons for tests of numerics that are compiled once for each instruction set.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include <gallop/kernels/numerics/lanes.h>
#include <gallop/kernels/numerics/native.h>

namespace gallop::testing {

inline std::uint32_t bits_of(float x) { return __builtin_bit_cast(std::uint32_t, x); }
inline float float_of(std::uint32_t bits) { return __builtin_bit_cast(float, bits); }

// The same bits, or both NaN: which of two NaN an operation returns is the compiler's choice.
inline ::testing::AssertionResult same(float a, float b) {
  if (bits_of(a) == bits_of(b) || (std::isnan(a) && std::isnan(b))) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << a << " (0x" << std::hex << bits_of(a) << ") against " << b
                                       << " (0x" << bits_of(b) << ")";
}
inline ::testing::AssertionResult same(std::int32_t a, std::int32_t b) {
  if (a == b) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << a << " against " << b;
}
inline ::testing::AssertionResult same(std::uint32_t a, std::uint32_t b) {
  if (a == b) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << a << " against " << b;
}

// A small generator of test inputs, unrelated to the one under test (Marsaglia 2003, xorshift).
class TestBits {
 public:
  std::uint32_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return std::uint32_t(state_ >> 16);
  }
  float between(float low, float high) { return low + (high - low) * float(next() * 0x1p-32); }

 private:
  std::uint64_t state_ = 0x9E3779B97F4A7C15;
};

// Every special number, then numbers of any bits; `count` is a multiple of 16.
inline std::vector<float> any_floats(int count) {
  std::vector<float> x = {0.0f,
                          -0.0f,
                          1.0f,
                          -1.0f,
                          INFINITY,
                          -INFINITY,
                          NAN,
                          -NAN,
                          0x1p-149f,
                          -0x1p-149f,
                          0x1.fffffcp-127f,
                          0x1p-126f,
                          0x1.fffffep127f,
                          -0x1.fffffep127f,
                          float_of(0x7fa00000),  // a signalling NaN
                          0x1.000002p0f};
  TestBits bits;
  while (int(x.size()) < count) x.push_back(float_of(bits.next()));
  return x;
}

}  // namespace gallop::testing
