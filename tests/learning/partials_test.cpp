// kernels/reduce/partials.h: no order of chunks and no split of elements changes a bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

struct Partials {
  Segments segments = {};
  int n_chunks;
  long stride;
  std::vector<float> partial, greatest;

  Partials(Random& random, int chunks, const std::vector<int>& sizes) : n_chunks(chunks) {
    for (const int size : sizes) {
      segments.begin[segments.count + 1] = segments.begin[segments.count] + size;
      segments.count++;
    }
    stride = (size() + 15) / 16 * 16;
    partial.assign(chunks * stride, NAN);
    for (int c = 0; c < chunks; c++) {
      for (int s = 0; s < segments.count; s++) {
        const double scale = std::exp(3.0 * s);
        for (int i = segments.begin[s]; i < segments.begin[s + 1]; i++) {
          partial[c * stride + i] = float(scale * random.normal());
        }
      }
    }
    note();
  }
  int size() const { return segments.begin[segments.count]; }
  void note() {
    greatest.assign(n_chunks * kMaxSegments, -1);
    for (int c = 0; c < n_chunks; c++) {
      for (int s = 0; s < segments.count; s++) {
        greatest[c * kMaxSegments + s] =
            greatest_magnitude<float>(partial.data() + c * stride + segments.begin[s],
                                      segments.begin[s + 1] - segments.begin[s]);
      }
    }
  }
  std::vector<float> reduce(const KernelSet& set, int grain) const {
    Floats sum(size());
    set.kernels->reduce_partials(
        {segments, n_chunks, partial.data(), stride, greatest.data(), sum.data(), nullptr},
        TestWork(grain));
    return sum.values();
  }
};

TEST(Partials, SumsAreExactToRoundingAndFreeOfOrder) {
  Random random(41);
  for (const int n_chunks : {1, 2, 3, 17, 200}) {
    Partials p(random, n_chunks, {5, 1, 130, 64, 1});
    const std::vector<float> first = p.reduce(kernel_sets()[0], p.size());
    for (int i = 0; i < p.size(); i++) {
      long double exact = 0, magnitude = 0;
      for (int c = 0; c < n_chunks; c++) {
        exact += p.partial[c * p.stride + i];
        magnitude += std::abs(p.partial[c * p.stride + i]);
      }
      ASSERT_NEAR(first[i], double(exact), 6e-8 * double(std::abs(exact)) + 1e-12 * magnitude);
    }
    std::vector<int> order(n_chunks);
    std::iota(order.begin(), order.end(), 0);
    for (int trial = 0; trial < 10; trial++) {
      std::shuffle(order.begin(), order.end(), std::mt19937(trial));
      Partials q = p;
      for (int c = 0; c < n_chunks; c++) {
        std::copy_n(p.partial.begin() + order[c] * p.stride, p.stride,
                    q.partial.begin() + c * p.stride);
      }
      q.note();
      for (const KernelSet& set : kernel_sets()) {
        for (const int grain : {1, 7, 64, q.size()}) {
          ASSERT_TRUE(same_bits(q.reduce(set, grain), first)) << set.isa << " grain " << grain;
        }
      }
    }
  }
}

// Multiples of every power of two down to far below the last bit of the fixed point, ties among
// them, in more columns than are summed at once.
TEST(Partials, EverySetOfKernelsRoundsAlike) {
  Random random(44);
  for (const int n_chunks : {1, 9, 391}) {
    Partials p(random, n_chunks, {1100, 37});
    for (float& x : p.partial) {
      const double odd = 2 * random.below(1 << random.below(24)) + 1;
      x = float(std::ldexp(random.chance(0.5) ? odd : -odd, -random.below(90)));
    }
    p.note();
    const std::vector<float> first = p.reduce(kernel_sets()[0], p.size());
    for (const KernelSet& set : kernel_sets()) {
      for (const int grain : {512, p.size()}) {
        ASSERT_TRUE(same_bits(p.reduce(set, grain), first)) << set.isa << " grain " << grain;
      }
    }
  }
}

TEST(Partials, WhatIsNotFiniteRefusesItsSegment) {
  Random random(42);
  for (const float bad : {INFINITY, -INFINITY, NAN}) {
    Partials p(random, 5, {4, 9, 3});
    const std::vector<float> clean = p.reduce(kernel_sets()[0], p.size());
    p.partial[3 * p.stride + 6] = bad;  // chunk 3, segment 1
    p.note();
    for (const KernelSet& set : kernel_sets()) {
      const std::vector<float> sum = p.reduce(set, p.size());
      for (int i = 0; i < p.size(); i++) {
        const bool refused = i >= 4 && i < 13;
        EXPECT_EQ(std::isnan(sum[i]), refused) << set.isa << " element " << i;
        if (!refused) {
          EXPECT_EQ(sum[i], clean[i]) << set.isa << " element " << i;
        }
      }
    }
  }
}

TEST(Partials, ZerosTinyAndHugeNumbersAddExactly) {
  Random random(43);
  Partials p(random, 4, {1, 1, 1, 1});
  const float tiny = std::numeric_limits<float>::denorm_min();
  const float columns[4][4] = {{0, -0.0f, 0, 0},
                               {tiny, tiny, -tiny, 3 * tiny},
                               {1e38f, -1e38f, 2e38f, -1.5e38f},
                               {3e38f, 3e38f, 3e38f, 3e38f}};
  for (int i = 0; i < 4; i++) {
    for (int c = 0; c < 4; c++) p.partial[c * p.stride + i] = columns[i][c];
  }
  p.note();
  for (const KernelSet& set : kernel_sets()) {
    const std::vector<float> sum = p.reduce(set, 4);
    EXPECT_EQ(sum[0], 0.0f) << set.isa;
    EXPECT_EQ(sum[1], 4 * tiny) << set.isa;
    EXPECT_NEAR(sum[2], 0.5e38, 1e31) << set.isa;
    EXPECT_EQ(sum[3], INFINITY) << set.isa << ": beyond float, and says so";
  }
}

}  // namespace
}  // namespace gallop::testing
