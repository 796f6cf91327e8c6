// Accelerations under soft constraints: the exact minimum of MuJoCo's primal cost
//
//   1/2 (a - a0)' M (a - a0) + sum over rows 1/2 D min(0, J a - reference)^2
//
// by Newton's method. The cost is piecewise quadratic, so a full step during which no row begins or
// ceases to push ends at the minimum: there is no tolerance. J is never formed; a row acts on the
// body that it touches, and one sweep inward carries all rows to the dofs.
#pragma once

#include <gallop/kernels/bodies/parts.h>

namespace gallop::inline GALLOP_ISA {

template <class F>
struct LineTolerance {
  static constexpr double kSlope = 1e-6;
};
template <>
struct LineTolerance<double> {
  static constexpr double kSlope = 1e-13;
};

template <class Model, class F>
struct Newton {
  using Parts = PartsOf<Model, F>;
  using Pose = typename Parts::Pose;
  using Motion = typename Parts::Space::Motion;
  static constexpr int kDofs = BodyCounts<Model>::kDofs;
  static constexpr int kIterations = 30, kLineSteps = 20;  // reached by rounding alone

  const Pose& pose;
  typename Parts::Limits limits;
  typename Parts::Floor floor;
  typename Parts::Self self;
  F constraint[kDofs];  // M a - the other forces: what the constraints contribute
  Mask<F> constrained;
  F unfinished = real<F>(0.0);  // the part of the last step that the residuals do not contain

  GALLOP_HD explicit Newton(const Pose& p) : pose(p) {}

  // Improves the accelerations `a`, which may be anything finite, to the exact ones. Every lane
  // does what it would do alone: one that is done keeps its numbers.
  GALLOP_HD void solve(const BodyParameters<Model, F>& p, const F* q, const F* v, F* a) {
    Motion moved[Pose::kMoving];
    constrained = floor.detect(pose, p) | self.detect(pose) | limits.detect(q, v, a);
    pose.mass.multiply(a, constraint);
    each_of<Model, kDofs>(
        [&](int k) GALLOP_BODY_LAMBDA { constraint[k] = constraint[k] - pose.force[k]; });
    if (any(constrained)) {
      pose.sweep(a, moved);
      floor.accelerate(moved);
      self.accelerate(moved);
    }
    Mask<F> done = real<F>(0.0) < real<F>(0.0);
    for (int iteration = 0; iteration < kIterations; iteration++) {
      F x[kDofs], mx[kDofs];
      direction(x);
      pose.mass.multiply(x, mx);
      F step = select(done, real<F>(0.0), real<F>(1.0));
      Mask<F> changed = done;
      if (any(constrained)) {
        pose.sweep(x, moved);
        changed = real<F>(0.0) < real<F>(0.0);
        changed = limits.any_flips(x, floor.any_flips(moved, self.any_flips(moved, changed)));
        const Mask<F> searches = changed & !done;
        if (any(searches)) step = select(searches, line_step(x, mx, searches), step);
      } else {
        changed = real<F>(0.0) < real<F>(0.0);
      }
      each_of<Model, kDofs>([&](int k) GALLOP_BODY_LAMBDA {
        a[k] = select(done, a[k], fmadd(step, x[k], a[k]));
        constraint[k] = select(done, constraint[k], fmadd(step, mx[k], constraint[k]));
      });
      done = done | !changed;
      if (all(done)) {
        unfinished = step;
        break;
      }
      limits.advance(step, x);
      floor.advance(step);
      self.advance(step);
    }
  }

 private:
  // -H^-1 g at the current residuals.
  GALLOP_HD void direction(F* x) const {
    typename Parts::Hessian hessian;
    F gradient[kDofs];
    self.start(pose.mass, hessian);
    each_of<Model, kDofs>([&](int k) GALLOP_BODY_LAMBDA { gradient[k] = constraint[k]; });
    if (any(constrained)) {
      floor.add_gradient(pose, gradient, hessian);
      limits.add_gradient(gradient, hessian);
      self.add_gradient(pose, gradient, hessian);
    }
    hessian.factor();
    each_of<Model, kDofs>([&](int k) GALLOP_BODY_LAMBDA { x[k] = -gradient[k]; });
    hessian.solve(x);
  }

  // The minimum along x where `searches`: the zero of an increasing, piecewise linear slope, by
  // Newton's method within a bracket.
  GALLOP_HD F line_step(const F* x, const F* mx, Mask<F> searches) const {
    F slope0 = real<F>(0.0), curvature = real<F>(0.0);
    each_of<Model, kDofs>([&](int k) GALLOP_BODY_LAMBDA {
      slope0 = fmadd(x[k], constraint[k], slope0);
      curvature = fmadd(x[k], mx[k], curvature);
    });
    F low = real<F>(0.0), high = real<F>(1e10), step = real<F>(1.0), enough = real<F>(0.0);
    Mask<F> found = !searches;
    for (int k = -1; k < kLineSteps; k++) {
      LineSlope<F> slope;  // the first one, at 0, is the measure of all others
      slope.step = k < 0 ? real<F>(0.0) : step;
      slope.first = fmadd(slope.step, curvature, slope0);
      slope.second = curvature;
      floor.add_slope(slope);
      limits.add_slope(x, slope);
      self.add_slope(slope);
      if (k < 0) {
        enough = abs(slope.first) * real<F>(LineTolerance<F>::kSlope);
        continue;
      }
      found = found | (abs(slope.first) <= enough);
      if (all(found)) break;
      low = select(slope.first < real<F>(0.0), step, low);
      high = select(slope.first < real<F>(0.0), high, step);
      F next = step - slope.first * reciprocal(slope.second);
      const Mask<F> outside = (next <= low) | (next >= high);
      next = select(outside, real<F>(0.5) * (low + high), next);
      step = select(found, step, next);
    }
    return step;
  }
};

}  // namespace gallop::inline GALLOP_ISA
