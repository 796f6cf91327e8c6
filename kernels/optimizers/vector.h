// Whole vectors: a copy, a multiple added, a step towards another.
#pragma once

#include <gallop/kernels/device/cpu_work.h>

namespace gallop {

struct CopyRequest {
  float* to;          // [n]
  const float* from;  // [n]
  long n;
};

// y += a x.
struct AddScaledRequest {
  float* y;  // [n]
  float a;
  const float* x;  // [n]
  long n;
};

// target += tau (source - target): Polyak averaging.
struct PolyakRequest {
  float* target;        // [n]
  const float* source;  // [n]
  float tau;            // in [0, 1]; 1 copies
  long n;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class F>
GALLOP_HD F polyak_average(F target, F source, float tau) {
  return tau == 1.0f ? source : fmadd(F(tau), source - target, target);
}

template <class F>
void copy(const CopyRequest& r, const CpuWork&) {
  __builtin_memcpy(r.to, r.from, sizeof(float) * std::size_t(r.n));
}

template <class F>
void add_scaled(const AddScaledRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n, 4096, [&](long i, int count) {
    const F x = load_lanes(r.x + i, count, F()), y = load_lanes(r.y + i, count, F());
    store_lanes(r.y + i, fmadd(F(r.a), x, y), count);
  });
}

template <class F>
void polyak(const PolyakRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n, 4096, [&](long i, int count) {
    const F target = load_lanes(r.target + i, count, F());
    const F source = load_lanes(r.source + i, count, F());
    store_lanes(r.target + i, polyak_average(target, source, r.tau), count);
  });
}

}  // namespace gallop::inline GALLOP_ISA
