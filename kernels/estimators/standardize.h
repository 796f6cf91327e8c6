// Advantages to mean 0 and standard deviation 1 over the batch: x -> (x - mean) / (std + 1e-8).
#pragma once

#include <gallop/kernels/device/cpu_work.h>

namespace gallop {

struct StandardizeRequest {
  float* x;  // [n]
  long n;
  float mean, inverse_std;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class F>
GALLOP_HD F standardized(F x, float mean, float inverse_std) {
  return (x - F(mean)) * F(inverse_std);
}

template <class F>
void standardize(const StandardizeRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n, 4096, [&](long i, int count) {
    const F x = load_lanes(r.x + i, count, F());
    store_lanes(r.x + i, standardized(x, r.mean, r.inverse_std), count);
  });
}

}  // namespace gallop::inline GALLOP_ISA
