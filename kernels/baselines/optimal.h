// The policy gradient of whole paths with the baseline that minimises its variance (Greensmith,
// Bartlett and Baxter, JMLR 5, 2004; the lecture's "optimal" baseline):
//
//   g_j = 1/m sum_e s_ej (R_e - b_j),   b_j = E[s_j^2 R] / E[s_j^2],   s_e = sum_t grad log
//   pi(u_t | s_t)
//
// for each component j, or one scalar b = E[|s|^2 R] / E[|s|^2] for all. The baseline of path e is
// taken over the other paths, so that the estimate is unbiased; a component that no other path
// moves has the baseline 0.
#pragma once

#include <gallop/kernels/device/cpu_work.h>

namespace gallop {

struct OptimalBaselineRequest {
  int n_paths;  // m, at least 2
  long stride;
  const float* score;        // [m, stride] s_e
  const float* path_return;  // [m]
  const float*
      squared_norm;   // [m] |s_e|^2 for the scalar baseline, or null: one for each component
  float* gradient;    // [D] -g, the gradient of a loss that is minimised
  long n_parameters;  // D
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD void optimal_baseline_component(const OptimalBaselineRequest& r, long j) {
  double weights = 0, weighted = 0;
  for (int e = 0; e < r.n_paths; e++) {
    const double s = r.score[e * r.stride + j];
    const double w = r.squared_norm != nullptr ? double(r.squared_norm[e]) : s * s;
    weights = weights + w;
    weighted = fmadd(w, double(r.path_return[e]), weighted);
  }
  double sum = 0;
  for (int e = 0; e < r.n_paths; e++) {
    const double s = r.score[e * r.stride + j], path = r.path_return[e];
    const double w = r.squared_norm != nullptr ? double(r.squared_norm[e]) : s * s;
    const double others = weights - w;
    // Below that the difference is rounding: this path alone moves the component.
    const double b = others > 1e-12 * weights ? fmadd(-w, path, weighted) / others : 0.0;
    sum = fmadd(s, path - b, sum);
  }
  r.gradient[j] = float(-sum / double(r.n_paths));
}

template <class F>
void optimal_baseline(const OptimalBaselineRequest& r, const CpuWork& on) {
  split(on, r.n_parameters, 64, [&](int, long begin, long end) {
    for (long j = begin; j < end; j++) optimal_baseline_component(r, j);
  });
}

}  // namespace gallop::inline GALLOP_ISA
