// Steps an articulated body in time: semi-implicit Euler with implicit damping, or the classical
// Runge-Kutta method of fourth order.
#pragma once

#include <gallop/kernels/bodies/coordinates.h>
#include <gallop/kernels/bodies/last_evaluation.h>
#include <gallop/kernels/bodies/motors.h>

namespace gallop::inline GALLOP_ISA {

// Accelerations at (q, v); `a` holds a guess of them.
template <class Model, class F>
GALLOP_HD void accelerate(const BodyParameters<Model, F>& p, const F* q, const F* v,
                          const F* torque, F* a, PoseOf<Model, F>& pose, F* constraint) {
  pose.update(p, q, v, torque);
  Newton<Model, F> newton(pose);
  newton.solve(p, q, v, a);
  each_of<Model, BodyCounts<Model>::kDofs>(
      [&](int k) GALLOP_BODY_LAMBDA { constraint[k] = newton.constraint[k]; });
}

// The constraint forces at (q, v) under controls.
template <class Model, class F>
GALLOP_NOINLINE_HD void constraint_forces(const BodyParameters<Model, F>& p, const F* control,
                                          const F* q, const F* v, F* constraint) {
  F torque[BodyCounts<Model>::kDofs], a[BodyCounts<Model>::kDofs];
  motor_torques<Model, F>(p, control, torque);
  each_of<Model, BodyCounts<Model>::kDofs>([&](int k) GALLOP_BODY_LAMBDA { a[k] = real<F>(0.0); });
  PoseOf<Model, F> pose;
  accelerate(p, q, v, torque, a, pose, constraint);
}

// What is beyond MuJoCo's bound of a state that makes sense, as NaN, which the runner reports.
template <class F>
GALLOP_HD F within_reason(F x) {
  return select(abs(x) <= real<F>(1e10), x, real<F>(__builtin_nan("")));
}

// Turns the accelerations `a` [dofs] into a guess of those half a time step on, on a straight line
// through those half a time step `earlier` if they are `known`; keeps `a` there. The solver begins
// with the rows that push at the guess: the nearer, the fewer iterations.
template <class Model, class F>
GALLOP_HD void guess_half_a_step_on(bool known, F* a, F* earlier) {
  each_of<Model, BodyCounts<Model>::kDofs>([&](int k) GALLOP_BODY_LAMBDA {
    const F change = known ? a[k] - earlier[k] : real<F>(0.0);
    earlier[k] = a[k];
    a[k] = a[k] + change;
  });
}

// `n_steps` time steps of q and v [dofs] under constant controls [actuators].
template <class Model, class F>
GALLOP_NOINLINE_HD void advance_bodies(const BodyParameters<Model, F>& p, int n_steps,
                                       const F* control, F* q, F* v,
                                       LastEvaluation<Model, F>* last) {
  constexpr int kDofs = BodyCounts<Model>::kDofs, kCoordinates = BodyCounts<Model>::kCoordinates;
  constexpr bool kRungeKutta = Model::kWorld.integrator == Integrator::kRungeKutta4;
  constexpr int kStages = kRungeKutta ? 4 : 1;
  const F h = real<F>(Model::kWorld.timestep);
  F torque[kDofs], a[kDofs], q1[kCoordinates], v1[kDofs], dq[kDofs], dv[kDofs];
  F earlier[kDofs];  // accelerations half a time step before the present ones
  motor_torques<Model, F>(p, control, torque);
  if constexpr (BodyCounts<Model>::kFree > 0) require_rotation(q + 3);
  each_of<Model, kDofs>([&](int k) GALLOP_BODY_LAMBDA {
    a[k] = earlier[k] = dq[k] = dv[k] = real<F>(0.0);
    v1[k] = v[k];
  });
  each_of<Model, kCoordinates>([&](int k) GALLOP_BODY_LAMBDA { q1[k] = q[k]; });
  // One loop over all stages of all steps, so that there is one copy of the dynamics.
  const int n_stages = n_steps * kStages;
  for (int n = 0; n < n_stages; n++) {
    const int stage = n % kStages;
    PoseOf<Model, F> pose;
    pose.update(p, q1, v1, torque);
    Newton<Model, F> newton(pose);
    newton.solve(p, q1, v1, a);
    if (last != nullptr && n == n_stages - 1) last->take(p, q1, newton);
    if constexpr (!kRungeKutta) {
      // (M + h B) a' = M a = force + constraint
      F ma[kDofs];
      TreeMatrix<Model, F> damped;
      damped.assign(pose.mass);
      each_of<Model, kDofs>([&](int k) GALLOP_BODY_LAMBDA {
        ma[k] = pose.force[k] + newton.constraint[k];
        constexpr double step = Model::kWorld.timestep;
        damped.at(k, k) += real<F>(step * compiled<Model>().dof[k].damping);
      });
      damped.factor();
      damped.solve(ma);
      each_of<Model, kDofs>([&](int k)
                                GALLOP_BODY_LAMBDA { v[k] = v1[k] = fmadd(h, ma[k], v[k]); });
      move_coordinates<Model>(q, v, h, q);
      each_of<Model, kCoordinates>([&](int k) GALLOP_BODY_LAMBDA { q1[k] = q[k]; });
      continue;
    }
    const F share = real<F>(stage == 0 || stage == 3 ? 1.0 / 6 : 1.0 / 3);
    const F onward = real<F>(stage == 2 ? Model::kWorld.timestep : 0.5 * Model::kWorld.timestep);
    each_of<Model, kDofs>([&](int k) GALLOP_BODY_LAMBDA {
      dq[k] = fmadd(share, v1[k], dq[k]);
      dv[k] = fmadd(share, a[k], dv[k]);
    });
    if (stage < 3) {
      move_coordinates<Model>(q, v1, onward, q1);
      each_of<Model, kDofs>([&](int k) GALLOP_BODY_LAMBDA { v1[k] = fmadd(onward, a[k], v[k]); });
      if (stage != 1) guess_half_a_step_on<Model>(n > 0, a, earlier);
      continue;
    }
    move_coordinates<Model>(q, dq, h, q);
    each_of<Model, kCoordinates>([&](int k) GALLOP_BODY_LAMBDA { q1[k] = q[k]; });
    each_of<Model, kDofs>([&](int k) GALLOP_BODY_LAMBDA {
      v[k] = v1[k] = fmadd(h, dv[k], v[k]);
      dq[k] = dv[k] = real<F>(0.0);
    });
  }
  each_of<Model, kCoordinates>([&](int k) GALLOP_BODY_LAMBDA { q[k] = within_reason(q[k]); });
  each_of<Model, kDofs>([&](int k) GALLOP_BODY_LAMBDA { v[k] = within_reason(v[k]); });
}

}  // namespace gallop::inline GALLOP_ISA
