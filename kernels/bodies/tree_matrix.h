// Symmetric matrices on the pattern of a tree: factors L' D L from the leaves to the root, which
// fill in nothing (Featherstone 2005, "Efficient factorization of the joint-space inertia matrix").
#pragma once

#include <gallop/kernels/bodies/compiled_model.h>
#include <gallop/kernels/bodies/each.h>

namespace gallop::inline GALLOP_ISA {

template <class Model, class F>
struct TreeMatrix {
  static constexpr int kN = BodyCounts<Model>::kDofs;
  F element[BodyCounts<Model>::kTriangle];  // place packed(i, j), i >= j

  GALLOP_HD F& at(int i, int j) { return element[packed(i, j)]; }
  GALLOP_HD F at(int i, int j) const { return element[packed(i, j)]; }

  // Takes over a matrix of the mass matrix's pattern.
  GALLOP_HD void assign(const TreeMatrix& from) {
    const auto& model = compiled<Model>();
    each<BodyCounts<Model>::kTriangle>([&](int k) GALLOP_BODY_LAMBDA {
      if (model.filled[k]) {
        element[k] = from.element[k];
      } else if (model.factor_filled[k]) {
        element[k] = real<F>(0.0);
      }
    });
  }

  // y = M x, for the pattern of the mass matrix.
  GALLOP_HD void multiply(const F* x, F* y) const {
    const auto& model = compiled<Model>();
    each<kN>([&](int i) GALLOP_BODY_LAMBDA {
      y[i] = at(i, i) * x[i];
      each<kN>([&](int j) GALLOP_BODY_LAMBDA {
        if (j < i && model.filled[packed(i, j)]) {
          y[i] = fmadd(at(i, j), x[j], y[i]);
          y[j] = fmadd(at(i, j), x[i], y[j]);
        }
      });
    });
  }

  // Overwrites the matrix by L and, on the diagonal, the reciprocals of D.
  GALLOP_HD void factor() {
    const auto& model = compiled<Model>();
    each_down<kN>([&](int k) GALLOP_BODY_LAMBDA {
      const F inverse = reciprocal(at(k, k));
      each_down<kN>([&](int i) GALLOP_BODY_LAMBDA {
        if (i < k && model.factor_filled[packed(k, i)]) {
          const F t = at(k, i) * inverse;
          each<kN>([&](int j) GALLOP_BODY_LAMBDA {
            if (j <= i && model.factor_filled[packed(k, j)]) {
              at(i, j) = fmadd(-at(k, j), t, at(i, j));
            }
          });
          at(k, i) = t;
        }
      });
      at(k, k) = inverse;
    });
  }

  // Solves in place, after factor().
  GALLOP_HD void solve(F* x) const {
    const auto& model = compiled<Model>();
    each_down<kN>([&](int i) GALLOP_BODY_LAMBDA {
      each<kN>([&](int j) GALLOP_BODY_LAMBDA {
        if (j < i && model.factor_filled[packed(i, j)]) x[j] = fmadd(-at(i, j), x[i], x[j]);
      });
    });
    each<kN>([&](int i) GALLOP_BODY_LAMBDA {
      x[i] = x[i] * at(i, i);
      each<kN>([&](int j) GALLOP_BODY_LAMBDA {
        if (j < i && model.factor_filled[packed(i, j)]) x[i] = fmadd(-at(i, j), x[j], x[i]);
      });
    });
  }
};

}  // namespace gallop::inline GALLOP_ISA
