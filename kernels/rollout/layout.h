// Observations and actions in the layouts of others: instances as rows, whole numbers as actions.
// Operations of this library take arrays [components, instances] of floats, instances contiguous.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/numerics/transpose.h>

namespace gallop {

enum class NumberKind : int { kFloat, kInt32, kInt64 };

// Component k of instance i stands at element k * component_stride + i * instance_stride of `data`.
// Whole numbers are those of discrete actions and observations, below 2^24.
struct ArrayView {
  void* data = nullptr;
  NumberKind kind = NumberKind::kFloat;
  long component_stride = 0, instance_stride = 0;
};

// Copies `components` numbers of n instances from one layout to another. The arrays do not overlap.
struct RearrangeRequest {
  int components;
  long n;
  ArrayView from, to;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class To, class From>
GALLOP_HD To number_as(From x) {
  if constexpr (To(0.5f) != To(0)) return To(x);
  return To(to_int(float(x)));
}

// Calls body(To(), From()) with numbers of the two kinds.
template <class Body>
GALLOP_HD void with_kinds(const RearrangeRequest& r, const Body& body) {
  const auto with_kind = [](NumberKind kind, const auto& call) {
    if (kind == NumberKind::kFloat) return call(float());
    if (kind == NumberKind::kInt32) return call(std::int32_t());
    call(std::int64_t());
  };
  with_kind(r.to.kind,
            [&](auto to) { with_kind(r.from.kind, [&](auto from) { body(to, from); }); });
}

// Component k of the instances [begin, end).
template <class To, class From>
GALLOP_HD void rearrange_row(const RearrangeRequest& r, int k, long begin, long end, To, From) {
  To* const to = static_cast<To*>(r.to.data) + k * r.to.component_stride;
  const From* const from = static_cast<const From*>(r.from.data) + k * r.from.component_stride;
  if (r.to.instance_stride == 1 && r.from.instance_stride == 1) {
    for (long i = begin; i < end; i++) to[i] = number_as<To>(from[i]);
    return;
  }
  for (long i = begin; i < end; i++) {
    to[i * r.to.instance_stride] = number_as<To>(from[i * r.from.instance_stride]);
  }
}

// Whether floats go from contiguous instances to contiguous components, as an environment's
// observations to rows do, or the other way.
inline bool is_to_rows(const RearrangeRequest& r) {
  return r.from.kind == NumberKind::kFloat && r.to.kind == NumberKind::kFloat &&
         r.from.instance_stride == 1 && r.to.component_stride == 1 && r.components > 1;
}
inline bool is_from_rows(const RearrangeRequest& r) {
  return r.from.kind == NumberKind::kFloat && r.to.kind == NumberKind::kFloat &&
         r.from.component_stride == 1 && r.to.instance_stride == 1 && r.components > 1;
}

// The instances [begin, end) to rows. Four components, as those of cart-pole, go from registers to
// rows that lie one after the other.
template <class F>
void to_rows(const RearrangeRequest& r, long begin, long end) {
  constexpr int kW = kLanesOf<F>;
  const float* const from = static_cast<const float*>(r.from.data);
  float* const to = static_cast<float*>(r.to.data);
  const long stride = r.from.component_stride;
  long i = begin;
  if (r.components == 4 && r.to.instance_stride == 4) {
    for (; i + kW <= end; i += kW) {
      F row[4];
      for (int k = 0; k < 4; k++) row[k] = load_lanes(from + k * stride + i, kW, F());
      store_interleaved(to + 4 * i, row);
    }
  }
  transpose(from + i, stride, r.components, int(end - i), to + i * r.to.instance_stride,
            r.to.instance_stride);
}

inline void from_rows(const RearrangeRequest& r, long begin, long end) {
  const float* const from = static_cast<const float*>(r.from.data);
  transpose(from + begin * r.from.instance_stride, r.from.instance_stride, int(end - begin),
            r.components, static_cast<float*>(r.to.data) + begin, r.to.component_stride);
}

template <class F>
void rearrange(const RearrangeRequest& r, const CpuWork& on) {
  constexpr long kTogether = 64;  // instances whose components stay in the first cache
  if (is_to_rows(r) || is_from_rows(r)) {
    split(on, r.n, kInstanceGrain, [&](int, long begin, long end) {
      for (long i = begin; i < end; i += kTogether) {
        const long stop = end - i < kTogether ? end : i + kTogether;
        if (is_to_rows(r)) to_rows<F>(r, i, stop);
        if (!is_to_rows(r)) from_rows(r, i, stop);
      }
    });
    return;
  }
  with_kinds(r, [&](auto to, auto from) {
    split(on, r.n, kInstanceGrain, [&](int, long begin, long end) {
      for (long i = begin; i < end; i += kTogether) {
        const long stop = end - i < kTogether ? end : i + kTogether;
        for (int k = 0; k < r.components; k++) rearrange_row(r, k, i, stop, to, from);
      }
    });
  });
}

}  // namespace gallop::inline GALLOP_ISA
