// One row of the soft constraints: a force D min(0, e) for the residual e = J a - reference.
#pragma once

#include <gallop/kernels/numerics/scalar.h>

namespace gallop::inline GALLOP_ISA {

// Derivatives of the cost along a line of accelerations.
template <class F>
struct LineSlope {
  F step;           // where on the line
  F first, second;  // derivatives there

  // The row with residual e + step * move.
  GALLOP_HD void add(F e, F move, F weight) {
    const F z = fmadd(step, move, e);
    const F active = select(z < real<F>(0.0), weight * move, real<F>(0.0));
    first = fmadd(active, z, first);
    second = fmadd(active, move, second);
  }
};

// Whether a full step changes the sign of the residual.
template <class F>
GALLOP_HD Mask<F> flips(F e, F move) {
  const Mask<F> before = e < real<F>(0.0), after = e + move < real<F>(0.0);
  return (before & !after) | (after & !before);
}

// weight where the residual pushes, else 0.
template <class F>
GALLOP_HD F pushing(F e, F weight) {
  return select(e < real<F>(0.0), weight, real<F>(0.0));
}

// The residual of a row that does not exist: it never pushes.
template <class F>
GALLOP_HD F never_pushing() {
  return real<F>(1e30);
}

}  // namespace gallop::inline GALLOP_ISA
