// Mean and sum of squared deviations of many numbers, order-free (reduce/fixed_point.h): the
// greatest magnitude, then sums of multiples of a power of two that follows from it.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/reduce/fixed_point.h>

namespace gallop {

struct MomentSums {
  double mean, sum_of_squares;  // NaN where a number is not finite
  std::int64_t fixed_sum, fixed_sum_of_squares;
  std::uint32_t greatest;  // magnitude, as bits
  std::uint32_t unused;    // so that all of it is written
};

// Of `rows` rows of n numbers that stand `stride` apart; of several such groups, which begin
// `group_stride` apart. There is at least one number.
struct MomentsRequest {
  const float* x;
  long rows, n, stride;
  int about_zero;  // 1: the mean is taken as 0, and sum_of_squares is that of x
  int groups;
  long group_stride;
  MomentSums* result;  // [groups]
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// From the greatest magnitude on, what follows from the sums that are there.
GALLOP_HD bool is_bounded(const MomentSums& m) { return m.greatest < 0x7f800000u; }
GALLOP_HD double bound_of(const MomentSums& m) {
  return double(as_float(std::int32_t(m.greatest)));
}
GALLOP_HD double mean_of(const MomentsRequest& r, const MomentSums& m) {
  if (r.about_zero != 0) return 0.0;
  const std::int64_t count = r.rows * r.n;
  return from_fixed(m.fixed_sum, fixed_exponent(bound_of(m), count)) / double(count);
}
// Of the squares of deviations.
GALLOP_HD int square_exponent(const MomentsRequest& r, const MomentSums& m) {
  const double spread = bound_of(m) + abs(mean_of(r, m));
  return fixed_exponent(spread * spread, r.rows * r.n);
}
GALLOP_HD void end_moments(const MomentsRequest& r, MomentSums& m) {
  const bool bounded = is_bounded(m);
  m.mean = bounded ? mean_of(r, m) : __builtin_nan("");
  m.sum_of_squares =
      bounded ? from_fixed(m.fixed_sum_of_squares, square_exponent(r, m)) : __builtin_nan("");
}

// The moments of one group, its rows shared out among threads: integers, and a maximum, which are
// the same in any order.
template <class F>
void moments_of_group(const MomentsRequest& r, const float* x, MomentSums& m, const CpuWork& on) {
  const auto over_rows = [&](const auto& body) {
    split(on, r.rows, 1, [&](int, long begin, long end) {
      for (long k = begin; k < end; k++) body(x + k * r.stride);
    });
  };
  m = {0.0, 0.0, 0, 0, 0u, 0u};
  over_rows([&](const float* row) {
    const auto bits = std::uint32_t(as_int(greatest_magnitude<F>(row, r.n)));
    std::uint32_t most = __atomic_load_n(&m.greatest, __ATOMIC_RELAXED);
    while (bits > most && !__atomic_compare_exchange_n(&m.greatest, &most, bits, true,
                                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
  });
  if (is_bounded(m)) {
    const int exponent = fixed_exponent(bound_of(m), r.rows * r.n);
    if (r.about_zero == 0) {
      over_rows([&](const float* row) {
        __atomic_fetch_add(&m.fixed_sum, fixed_sum<F>(row, r.n, exponent), __ATOMIC_RELAXED);
      });
    }
    const double mean = mean_of(r, m);
    const int of_squares = square_exponent(r, m);
    over_rows([&](const float* row) {
      __atomic_fetch_add(&m.fixed_sum_of_squares,
                         fixed_sum_of_squares<F>(row, r.n, mean, of_squares), __ATOMIC_RELAXED);
    });
  }
  end_moments(r, m);
}

template <class F>
void moments(const MomentsRequest& r, const CpuWork& on) {
  for (int g = 0; g < r.groups; g++) {
    moments_of_group<F>(r, r.x + g * r.group_stride, r.result[g], on);
  }
}

}  // namespace gallop::inline GALLOP_ISA
