// Whole vectors: a copy, and a multiple added.
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

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

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

}  // namespace gallop::inline GALLOP_ISA
