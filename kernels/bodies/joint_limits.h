// Joint limits as soft constraints: the nearer bound of each limited joint is one row.
#pragma once

#include <gallop/kernels/bodies/constraint_row.h>
#include <gallop/kernels/bodies/pose.h>

namespace gallop::inline GALLOP_ISA {

template <class Model, class F>
struct JointLimits {
  static constexpr int kDofs = BodyCounts<Model>::kDofs;
  using Tree = TreeMatrix<Model, F>;
  F residual[kDofs], weight[kDofs], sign[kDofs];

  template <class Body>
  static GALLOP_HD void each_limited(Body body) {
    each<kDofs>([&](int k) GALLOP_BODY_LAMBDA {
      if (compiled<Model>().dof[k].limited) body(k);
    });
  }

  // Rows at q and v, with the residuals of the accelerations a. Says where any is there.
  GALLOP_HD Mask<F> detect(const F* q, const F* v, const F* a) {
    Mask<F> found = real<F>(0.0) < real<F>(0.0);
    each_limited([&](int k) GALLOP_BODY_LAMBDA {
      const auto& dof = compiled<Model>().dof[k];
      const F below = q[k] - real<F>(dof.low), above = real<F>(dof.high) - q[k];
      const Mask<F> low = below < above;
      const F distance = select(low, below, above);
      const Mask<F> active = distance < real<F>(dof.margin);
      const F r = dof.margin == 0 ? distance : distance - real<F>(dof.margin);
      const F d = impedance(dof.limit, r);
      sign[k] = select(low, real<F>(1.0), real<F>(-1.0));
      weight[k] = d * reciprocal((real<F>(1.0) - d) * real<F>(dof.inverse_weight));
      const F minus_reference =
          fmadd(real<F>(dof.limit.damping) * sign[k], v[k], real<F>(dof.limit.stiffness) * d * r);
      residual[k] = select(active, fmadd(sign[k], a[k], minus_reference), never_pushing<F>());
      found = found | active;
    });
    return found;
  }

  GALLOP_HD void add_gradient(F* gradient, Tree& hessian) const {
    each_limited([&](int k) GALLOP_BODY_LAMBDA {
      const F d = pushing(residual[k], weight[k]);
      gradient[k] = fmadd(d * sign[k], residual[k], gradient[k]);
      hessian.at(k, k) += d;
    });
  }
  GALLOP_HD Mask<F> any_flips(const F* x, Mask<F> so_far) const {
    each_limited([&](int k)
                     GALLOP_BODY_LAMBDA { so_far = so_far | flips(residual[k], sign[k] * x[k]); });
    return so_far;
  }
  GALLOP_HD void add_slope(const F* x, LineSlope<F>& slope) const {
    each_limited([&](int k)
                     GALLOP_BODY_LAMBDA { slope.add(residual[k], sign[k] * x[k], weight[k]); });
  }
  GALLOP_HD void advance(F step, const F* x) {
    each_limited(
        [&](int k) GALLOP_BODY_LAMBDA { residual[k] = fmadd(step * sign[k], x[k], residual[k]); });
  }
};

}  // namespace gallop::inline GALLOP_ISA
