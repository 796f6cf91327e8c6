// Whole vectors (kernels/optimizers/vector.h).
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/optimizers/vector.h>
#include <gallop/kernels/device/for_each.cuh>

namespace gallop::inline GALLOP_ISA {

struct CopyElement {
  CopyRequest r;
  GALLOP_HD void operator()(long i) const { r.to[i] = r.from[i]; }
};
inline LaunchStatus copy(const CopyRequest& r, const CudaWork& on) {
  return for_each("copy", r.n, on.stream, CopyElement{r});
}

struct AddScaledElement {
  AddScaledRequest r;
  GALLOP_HD void operator()(long i) const { r.y[i] = fmadd(r.a, r.x[i], r.y[i]); }
};
inline LaunchStatus add_scaled(const AddScaledRequest& r, const CudaWork& on) {
  return for_each("add_scaled", r.n, on.stream, AddScaledElement{r});
}

struct PolyakElement {
  PolyakRequest r;
  GALLOP_HD void operator()(long i) const {
    r.target[i] = polyak_average(r.target[i], r.source[i], r.tau);
  }
};
inline LaunchStatus polyak(const PolyakRequest& r, const CudaWork& on) {
  return for_each("polyak", r.n, on.stream, PolyakElement{r});
}

}  // namespace gallop::inline GALLOP_ISA
