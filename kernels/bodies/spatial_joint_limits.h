// Limits of hinges in space as soft constraints, those that any lane is beyond in a list.
#pragma once

#include <gallop/kernels/bodies/constraint_row.h>
#include <gallop/kernels/bodies/spatial_matrix.h>
#include <gallop/kernels/bodies/spatial_tables.h>

namespace gallop::inline GALLOP_ISA {

template <class Model, class F>
struct SpatialJointLimits {
  static constexpr int kHinges = BodyCounts<Model>::kDofs - 6;

  struct Row {
    int dof;
    F residual, weight, sign;
  };
  Row row[kHinges];
  int n = 0;

  // A constant of each function that needs it: device code has no addresses of static members.
  static constexpr SoftConstants softness() {
    return soft_constants(Model::kJoints[1].softness, Model::kJoints[1].softness,
                          Model::kWorld.timestep);
  }

  // Rows at q and v, with the residuals of the accelerations a. Says where any is there.
  GALLOP_HD Mask<F> detect(const F* q, const F* v, const F* a) {
    constexpr SoftConstants soft = softness();
    const F zero = real<F>(0.0);
    Mask<F> found = zero < zero;
    for (int j = 0; j < kHinges; j++) {
      const auto& hinge = spatial_tables<Model, F>().hinge[j];
      const F below = q[7 + j] - F(hinge.low), above = F(hinge.high) - q[7 + j];
      const Mask<F> low = below < above;
      const F distance = select(low, below, above);
      const Mask<F> active = distance < zero;
      if (!any(active)) continue;
      found = found | active;
      Row& to = row[n++];
      const F d = impedance(soft, distance);
      to.dof = 6 + j;
      to.sign = select(low, real<F>(1.0), real<F>(-1.0));
      to.weight = d * reciprocal((real<F>(1.0) - d) * F(hinge.inverse_weight));
      const F minus_reference =
          fmadd(real<F>(soft.damping) * to.sign, v[6 + j], real<F>(soft.stiffness) * d * distance);
      to.residual = select(active, fmadd(to.sign, a[6 + j], minus_reference), never_pushing<F>());
    }
    return found;
  }

  GALLOP_HD void add_gradient(F* gradient, SpatialHessian<Model, F>& hessian) const {
    for (int k = 0; k < n; k++) {
      const Row& r = row[k];
      const F d = pushing(r.residual, r.weight);
      gradient[r.dof] = fmadd(d * r.sign, r.residual, gradient[r.dof]);
      hessian.diagonal(r.dof - 6) += d;
    }
  }
  GALLOP_HD Mask<F> any_flips(const F* x, Mask<F> so_far) const {
    for (int k = 0; k < n; k++) {
      so_far = so_far | flips(row[k].residual, row[k].sign * x[row[k].dof]);
    }
    return so_far;
  }
  GALLOP_HD void add_slope(const F* x, LineSlope<F>& slope) const {
    for (int k = 0; k < n; k++) {
      slope.add(row[k].residual, row[k].sign * x[row[k].dof], row[k].weight);
    }
  }
  GALLOP_HD void advance(F step, const F* x) {
    for (int k = 0; k < n; k++) {
      row[k].residual = fmadd(step * row[k].sign, x[row[k].dof], row[k].residual);
    }
  }
};

}  // namespace gallop::inline GALLOP_ISA
