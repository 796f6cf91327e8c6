// Sums the partial gradients of chunks, order-free (reduce/fixed_point.h): one exponent for each
// segment of the parameters, from the greatest partial of that segment.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/reduce/fixed_lanes.h>
#include <gallop/kernels/reduce/fixed_point.h>

namespace gallop {

constexpr int kMaxSegments = 64;

// Consecutive runs of a vector that are scaled together: [begin[s], begin[s + 1]).
struct Segments {
  int count;
  int begin[kMaxSegments + 1];
};

struct ReduceRequest {
  Segments segments;
  int n_chunks;
  const float* partial;  // [n_chunks, stride]
  long stride;
  const float* greatest;       // [n_chunks, kMaxSegments] magnitude of each segment of each chunk
  float* sum;                  // [begin[count]]
  const std::int32_t* active;  // of the device, or null; 0: the sums are not wanted
  // [n_fixed], or null: elements whose sum is 0 where it is 1. Those of a segment with a partial
  // that is not finite are none the less.
  const std::uint8_t* fixed = nullptr;
  long n_fixed = 0;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Elements [begin, end) of the sum of rows p, p + stride, ..., each term rounded to a multiple of
// 1 / scale.
template <class F>
GALLOP_HD void sum_fixed(const ReduceRequest& r, double scale, double unscale, int begin, int end) {
  int i = begin;
  if constexpr (kLanesOf < F >> 1) {
    while (end - i >= 8) {
      const int whole = (end - i) / 8 * 8;
      const int columns = whole < kFixedColumns ? whole : kFixedColumns;
      sum_fixed_columns<F>(r.partial + i, r.n_chunks, columns, r.stride, scale, unscale, r.sum + i);
      i += columns;
    }
  }
  for (; i < end; i++) {
    std::int64_t sum = 0;
    const float* p = r.partial + i;
    for (int c = 0; c < r.n_chunks; c++, p += r.stride) sum += round_to_int64(double(*p) * scale);
    r.sum[i] = float(double(sum) * unscale);
  }
}

// Elements [first, last) of the sum.
template <class F>
void reduce_elements(const ReduceRequest& r, int first, int last) {
  for (int s = 0; s < r.segments.count; s++) {
    const int begin = r.segments.begin[s] > first ? r.segments.begin[s] : first;
    const int end = r.segments.begin[s + 1] < last ? r.segments.begin[s + 1] : last;
    if (begin >= end) continue;
    float bound = 0.0f;
    for (int c = 0; c < r.n_chunks; c++) bound = max(bound, r.greatest[c * kMaxSegments + s]);
    if (!(bound < __builtin_inff())) {
      // A partial that is not finite refuses the step: the sum says so in every element.
      for (int i = begin; i < end; i++) r.sum[i] = __builtin_nanf("");
      continue;
    }
    const int exponent = fixed_exponent(double(bound), r.n_chunks);
    const double scale = power_of_two(exponent), unscale = power_of_two(-exponent);
    sum_fixed<F>(r, scale, unscale, begin, end);
    for (int i = begin; i < end && i < r.n_fixed; i++) {
      if (r.fixed[i] != 0) r.sum[i] = 0.0f;
    }
  }
}

template <class F>
void reduce_partials(const ReduceRequest& r, const CpuWork& on) {
  if (r.active != nullptr && *r.active == 0) return;
  split(on, r.segments.begin[r.segments.count], 512,
        [&](int, long begin, long end) { reduce_elements<F>(r, int(begin), int(end)); });
}

}  // namespace gallop::inline GALLOP_ISA
