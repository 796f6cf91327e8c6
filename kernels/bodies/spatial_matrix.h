// Symmetric matrices of a free root's six dofs and of its hinges: products, factors, solutions.
#pragma once

#include <gallop/kernels/bodies/each.h>
#include <gallop/kernels/bodies/spatial_chains.h>

namespace gallop::inline GALLOP_ISA {

template <class Model, class F>
struct SpatialMatrix {
  static constexpr int kHinges = BodyCounts<Model>::kDofs - 6;
  using Chains = ChainLists<Model>;
  F root[21];                               // place packed(i, j), i >= j
  F element[kHinges * (kHinges + 13) / 2];  // row j: six for the root, then one for each hinge to j

  GALLOP_HD F* row(int j) { return element + j * (j + 13) / 2; }
  GALLOP_HD const F* row(int j) const { return element + j * (j + 13) / 2; }
  GALLOP_HD F& diagonal(int j) { return row(j)[6 + j]; }

  // y = M x, for a matrix on the tree.
  GALLOP_HD void multiply(const F* x, F* y) const {
    F sum[6];
    each<6>([&](int i) GALLOP_BODY_LAMBDA {
      sum[i] = root[packed(i, 0)] * x[0];
      each<6>([&](int j) GALLOP_BODY_LAMBDA {
        if (j > 0) sum[i] = fmadd(root[i < j ? packed(j, i) : packed(i, j)], x[j], sum[i]);
      });
    });
    for (int j = 0; j < kHinges; j++) {
      const F* r = row(j);
      const F its = x[6 + j];
      F total = r[6 + j] * its;
      each<6>([&](int u) GALLOP_BODY_LAMBDA {
        sum[u] = fmadd(r[u], its, sum[u]);
        total = fmadd(r[u], x[u], total);
      });
      tree_chains<Model>().each_before(j, [&](int i) GALLOP_BODY_LAMBDA {
        y[6 + i] = fmadd(r[6 + i], its, y[6 + i]);
        total = fmadd(r[6 + i], x[6 + i], total);
      });
      y[6 + j] = total;
    }
    each<6>([&](int u) GALLOP_BODY_LAMBDA { y[u] = sum[u]; });
  }

  // Overwrites the matrix by L of L' D L and, on the diagonal, the reciprocals of D. What the rows
  // of the hinges beyond take from a row is added up in registers, a few of its elements at a time;
  // their own elements at its hinge become those of L when nothing needs them any more. Chains are
  // those along the tree unless others are given, here and below.
  GALLOP_HD void factor(const Chains& chains = tree_chains<Model>()) {
    GALLOP_UNROLL(1)
    for (int i = kHinges - 1; i >= 0; i--) {
      F* const to = row(i);
      const int n = chains.followers[i];
      F* beyond[kHinges];
      F lower[kHinges];  // of the rows beyond at this hinge
      GALLOP_UNROLL(1)
      for (int m = 0; m < n; m++) {
        const int k = chains.follower[i][m];
        beyond[m] = row(k);
        lower[m] = beyond[m][6 + i] * beyond[m][6 + k];
      }
      if (n > 0) {
        take<6>(to, 0, n, beyond, lower);
        GALLOP_UNROLL(1)
        for (int k = 0; k < chains.runs[i]; k++) {
          const auto run = chains.run[i][k];
          take_run(to, 6 + run.begin, 6 + run.end, n, beyond, lower);
        }
        GALLOP_UNROLL(1)
        for (int m = 0; m < n; m++) beyond[m][6 + i] = lower[m];
      }
      to[6 + i] = reciprocal(to[6 + i]);
    }
    take_from_root<4, 6>();
    take_from_root<0, 4>();
    GALLOP_UNROLL(1)
    for (int k = kHinges - 1; k >= 0; k--) {
      F* const r = row(k);
      const F inverse = r[6 + k];
      each<6>([&](int u) GALLOP_BODY_LAMBDA { r[u] = r[u] * inverse; });
    }
    F sum[21];
    each<21>([&](int k) GALLOP_BODY_LAMBDA { sum[k] = root[k]; });
    each_down<6>([&](int k) GALLOP_BODY_LAMBDA {
      const F inverse = reciprocal(sum[packed(k, k)]);
      each_down<6>([&](int i) GALLOP_BODY_LAMBDA {
        if (i >= k) return;
        const F a = sum[packed(k, i)] * inverse;
        each<6>([&](int j) GALLOP_BODY_LAMBDA {
          if (j <= i) sum[packed(i, j)] = fmadd(-sum[packed(k, j)], a, sum[packed(i, j)]);
        });
        sum[packed(k, i)] = a;
      });
      sum[packed(k, k)] = inverse;
    });
    each<21>([&](int k) GALLOP_BODY_LAMBDA { root[k] = sum[k]; });
  }

  // Solves in place, after factor().
  GALLOP_HD void solve(F* x, const Chains& chains = tree_chains<Model>()) const {
    F y[6];
    each<6>([&](int u) GALLOP_BODY_LAMBDA { y[u] = x[u]; });
    for (int k = kHinges - 1; k >= 0; k--) {
      const F* r = row(k);
      const F its = x[6 + k];
      chains.each_before(
          k, [&](int i) GALLOP_BODY_LAMBDA { x[6 + i] = fmadd(-r[6 + i], its, x[6 + i]); });
      each<6>([&](int u) GALLOP_BODY_LAMBDA { y[u] = fmadd(-r[u], its, y[u]); });
    }
    each_down<6>([&](int k) GALLOP_BODY_LAMBDA {
      each<6>([&](int i) GALLOP_BODY_LAMBDA {
        if (i < k) y[i] = fmadd(-root[packed(k, i)], y[k], y[i]);
      });
    });
    each<6>([&](int k) GALLOP_BODY_LAMBDA {
      y[k] = y[k] * root[packed(k, k)];
      each<6>([&](int i) GALLOP_BODY_LAMBDA {
        if (i < k) y[k] = fmadd(-root[packed(k, i)], y[i], y[k]);
      });
      x[k] = y[k];
    });
    for (int k = 0; k < kHinges; k++) {
      const F* r = row(k);
      F its = x[6 + k] * r[6 + k];
      each<6>([&](int u) GALLOP_BODY_LAMBDA { its = fmadd(-r[u], y[u], its); });
      chains.each_before(k,
                         [&](int i) GALLOP_BODY_LAMBDA { its = fmadd(-r[6 + i], x[6 + i], its); });
      x[6 + k] = its;
    }
  }

 private:
  // Elements of a row from place `at` on, less what the n rows beyond take.
  template <int kCount>
  GALLOP_HD static void take(F* to, int at, int n, F* const* beyond, const F* lower) {
    F sum[kCount];
    each<kCount>([&](int u) GALLOP_BODY_LAMBDA { sum[u] = to[at + u]; });
    GALLOP_UNROLL(1)
    for (int m = 0; m < n; m++) {
      const F* const r = beyond[m] + at;
      const F a = lower[m];
      each<kCount>([&](int u) GALLOP_BODY_LAMBDA { sum[u] = fmadd(-r[u], a, sum[u]); });
    }
    each<kCount>([&](int u) GALLOP_BODY_LAMBDA { to[at + u] = sum[u]; });
  }
  GALLOP_HD static void take_run(F* to, int at, int end, int n, F* const* beyond, const F* lower) {
    GALLOP_UNROLL(1)
    for (; end - at >= 4; at += 4) take<4>(to, at, n, beyond, lower);
    if (end - at == 1) {
      take<1>(to, at, n, beyond, lower);
    } else if (end - at == 2) {
      take<2>(to, at, n, beyond, lower);
    } else if (end - at == 3) {
      take<3>(to, at, n, beyond, lower);
    }
  }
  // Rows kFrom to kEnd - 1 of the root, less what the hinges take.
  template <int kFrom, int kEnd>
  GALLOP_HD void take_from_root() {
    constexpr int kFirst = packed(kFrom, 0), kCount = packed(kEnd, 0) - kFirst;
    F sum[kCount];
    each<kCount>([&](int k) GALLOP_BODY_LAMBDA { sum[k] = root[kFirst + k]; });
    GALLOP_UNROLL(1)
    for (int k = kHinges - 1; k >= 0; k--) {
      const F* const r = row(k);
      const F inverse = r[6 + k];
      F at[kEnd];
      each<kEnd>([&](int u) GALLOP_BODY_LAMBDA { at[u] = r[u]; });
      each<kEnd>([&](int u) GALLOP_BODY_LAMBDA {
        if (u < kFrom) return;
        const F a = at[u] * inverse;
        each<kEnd>([&](int w) GALLOP_BODY_LAMBDA {
          if (w <= u) sum[packed(u, w) - kFirst] = fmadd(-at[w], a, sum[packed(u, w) - kFirst]);
        });
      });
    }
    each<kCount>([&](int k) GALLOP_BODY_LAMBDA { root[kFirst + k] = sum[k]; });
  }
};

// The Hessian of the constraint solver: on the tree until contacts between limbs fill it in.
template <class Model, class F>
class SpatialHessian : public SpatialMatrix<Model, F> {
 public:
  using Matrix = SpatialMatrix<Model, F>;
  static constexpr int kHinges = Matrix::kHinges;

  // Takes over the mass matrix; `filled` are the chains that contacts between limbs have
  // lengthened, or null.
  GALLOP_HD void assign(const Matrix& mass, const FilledChains<Model>* filled) {
    const auto& tree = tree_chains<Model>();
    chains_ = filled != nullptr ? static_cast<const ChainLists<Model>*>(filled) : &tree;
    each<21>([&](int k) GALLOP_BODY_LAMBDA { this->root[k] = mass.root[k]; });
    for (int j = 0; j < kHinges; j++) {
      const F* from = mass.row(j);
      F* to = this->row(j);
      each<6>([&](int u) GALLOP_BODY_LAMBDA { to[u] = from[u]; });
      if (filled != nullptr && filled->gaps(j)) {
        for (int i = 0; i < j; i++) to[6 + i] = real<F>(0.0);
      }
      tree.each_before(j, [&](int i) GALLOP_BODY_LAMBDA { to[6 + i] = from[6 + i]; });
      to[6 + j] = from[6 + j];
    }
  }
  GALLOP_HD void factor() { Matrix::factor(*chains_); }
  GALLOP_HD void solve(F* x) const { Matrix::solve(x, *chains_); }

 private:
  const ChainLists<Model>* chains_;
};

}  // namespace gallop::inline GALLOP_ISA
