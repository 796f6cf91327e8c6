// What the last evaluation of the equations of motion leaves behind. With Runge-Kutta it belongs to
// the last stage, not to the state that the step ends in: so do MuJoCo's positions after a step.
#pragma once

#include <gallop/kernels/bodies/newton.h>
#include <gallop/kernels/bodies/spatial_observables.h>

namespace gallop::inline GALLOP_ISA {

template <class Model, class F, bool kPlanar = is_planar<Model>()>
struct LastEvaluation {
  F q[BodyCounts<Model>::kDofs], constraint[BodyCounts<Model>::kDofs];

  GALLOP_HD void take(const BodyParameters<Model, F>&, const F* coordinates,
                      const Newton<Model, F>& newton) {
    each<BodyCounts<Model>::kDofs>([&](int k) GALLOP_BODY_LAMBDA {
      q[k] = coordinates[k];
      constraint[k] = newton.constraint[k];
    });
  }
};

template <class Model, class F>
struct LastEvaluation<Model, F, false> {
  F root[3];  // its position
  SpatialObservables<Model, F> observables;

  GALLOP_HD void take(const BodyParameters<Model, F>& p, const F* coordinates,
                      Newton<Model, F>& newton) {
    each<3>([&](int k) GALLOP_BODY_LAMBDA { root[k] = coordinates[k]; });
    newton.floor.advance(newton.unfinished);
    newton.self.advance(newton.unfinished);
    observables.take(p, newton.pose, newton.floor, newton.self);
  }
};

// What can be said of a body in space without its contacts, whose forces are left at zero.
template <class Model, class F>
GALLOP_NOINLINE_HD void evaluate_without_contacts(const BodyParameters<Model, F>& p, const F* q,
                                                  const F* v, LastEvaluation<Model, F>& last) {
  F torque[BodyCounts<Model>::kDofs];
  each<BodyCounts<Model>::kDofs>([&](int k) GALLOP_BODY_LAMBDA { torque[k] = real<F>(0.0); });
  PoseOf<Model, F> pose;
  pose.update(p, q, v, torque);
  Newton<Model, F> nothing(pose);
  last.take(p, q, nothing);
}

}  // namespace gallop::inline GALLOP_ISA
