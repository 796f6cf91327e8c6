// Conjugate gradient (Hestenes and Stiefel 1952) for (A + damping I) x = -g, from x = 0. Its
// scalars stay in the memory of the device: the host asks for as many steps as may be needed, and
// the steps after the last change nothing.
//
//   begin;  max_iterations times: product = A direction, step;  product = A x, end
//
// It stops where |r|^2 <= tolerance |g|^2, after max_iterations, or where p^T (A + damping I) p is
// not positive: with what it has, for the matrix is singular along p or not finite.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/numerics/team.h>

namespace gallop {

struct ConjugateGradientState {
  double start;      // |g|^2
  double residual;   // |-g - (A + damping I) x|^2, as the recurrence has it
  double curvature;  // x^T (A + damping I) x; written by end
  double slope;      // -g^T x; written by end
  std::int32_t iterations;
  std::int32_t running;  // 0: the steps that follow change nothing, and need no product
};

struct ConjugateGradientRequest {
  long n;
  const float* gradient;  // [n] g
  float* b;               // [n] -g, written by begin
  float* x;               // [n]
  float* residual;        // [n]
  float* direction;       // [n]
  float* product;         // [n] A times the direction, or times x, without the damping
  double damping, tolerance;
  int max_iterations;
  ConjugateGradientState* state;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class Team>
GALLOP_TEAM void conjugate_gradient_begin(const ConjugateGradientRequest& r, const Team& team) {
  team.each(r.n, [&](long i) {
    const float b = -r.gradient[i];
    r.b[i] = b;
    r.residual[i] = b;
    r.direction[i] = b;
    r.x[i] = 0.0f;
  });
  const double start = team.dot(r.b, r.b, r.n);
  if (!team.leads()) return;
  *r.state = {start, start, 0.0, 0.0, 0, 0};
  r.state->running = r.max_iterations > 0 && start > r.tolerance * start ? 1 : 0;
}

template <class Team>
GALLOP_TEAM void conjugate_gradient_step(const ConjugateGradientRequest& r, const Team& team) {
  const ConjugateGradientState before = *r.state;
  team.meet();  // all have read what the leader replaces
  if (before.running == 0) return;
  const float damping = float(r.damping);
  team.each(r.n, [&](long i) { r.product[i] = fmadd(damping, r.direction[i], r.product[i]); });
  const double curvature = team.dot(r.direction, r.product, r.n);
  if (!(curvature > 0)) {
    if (team.leads()) r.state->running = 0;
    return;
  }
  const double step = before.residual / curvature;
  const float up = float(step), down = float(-step);
  team.each(r.n, [&](long i) {
    r.x[i] = fmadd(up, r.direction[i], r.x[i]);
    r.residual[i] = fmadd(down, r.product[i], r.residual[i]);
  });
  const double residual = team.dot(r.residual, r.residual, r.n);
  const float turn = float(residual / before.residual);
  team.each(r.n, [&](long i) { r.direction[i] = fmadd(turn, r.direction[i], r.residual[i]); });
  if (!team.leads()) return;
  const int iterations = before.iterations + 1;
  r.state->residual = residual;
  r.state->iterations = iterations;
  r.state->running = iterations < r.max_iterations && residual > r.tolerance * before.start ? 1 : 0;
}

// What the solution is worth; `product` is A x.
template <class Team>
GALLOP_TEAM void conjugate_gradient_end(const ConjugateGradientRequest& r, const Team& team) {
  const float damping = float(r.damping);
  team.each(r.n, [&](long i) { r.product[i] = fmadd(damping, r.x[i], r.product[i]); });
  const double curvature = team.dot(r.x, r.product, r.n), slope = team.dot(r.b, r.x, r.n);
  if (!team.leads()) return;
  r.state->curvature = curvature;
  r.state->slope = slope;
  r.state->running = 0;
}

// On the CPU by one thread.
template <class F>
void conjugate_gradient_begin(const ConjugateGradientRequest& r, const CpuWork&) {
  conjugate_gradient_begin(r, CpuTeam<F>());
}
template <class F>
void conjugate_gradient_step(const ConjugateGradientRequest& r, const CpuWork&) {
  conjugate_gradient_step(r, CpuTeam<F>());
}
template <class F>
void conjugate_gradient_end(const ConjugateGradientRequest& r, const CpuWork&) {
  conjugate_gradient_end(r, CpuTeam<F>());
}

}  // namespace gallop::inline GALLOP_ISA
