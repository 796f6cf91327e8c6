// Symmetric matrices of a free root's six dofs and of its hinges. Row j holds what hinge j has in
// common with the root and with the hinges of its chain, root first; a chain is the beginning of
// the chains of all that follow it, so a row is one run of numbers, and elimination from the leaves
// fills nothing in. Contacts between limbs do fill in: where there are any, chains are longer and a
// row has a place for every hinge before its own.
#pragma once

#include "kernels/bodies/each.h"
#include "kernels/bodies/spatial_tables.h"

namespace gallop::inline GALLOP_ISA {

// Chains along the tree.
template <class Model>
struct TreeChainTable {
  static constexpr int kHinges = BodyCounts<Model>::kDofs - 6;
  int begin[kHinges + 1] = {}, depth[kHinges] = {}, chain[kHinges][kHinges] = {};

  constexpr TreeChainTable() {
    const SpatialModel<Model> model;
    for (int j = 0; j < kHinges; j++) {
      depth[j] = model.hinge[j].depth;
      begin[j + 1] = begin[j] + 6 + depth[j];
      for (int t = 0; t < depth[j]; t++) chain[j][t] = model.hinge[j].chain[t];
    }
  }
};
template <class Model>
struct TreeChains {
  static constexpr int kSize = TreeChainTable<Model>().begin[BodyCounts<Model>::kDofs - 6];
  static GALLOP_HD const TreeChainTable<Model>& table() {
    static constexpr TreeChainTable<Model> kTable{};
    return kTable;
  }
  GALLOP_HD int begin(int j) const { return table().begin[j]; }
  GALLOP_HD int depth(int j) const { return table().depth[j]; }
  GALLOP_HD int chain(int j, int t) const { return table().chain[j][t]; }
  // The place in a row of the t-th hinge of its chain.
  GALLOP_HD int place(int, int t) const { return t; }
};

// Chains that contacts between limbs have lengthened.
template <class Model>
class FilledChains {
 public:
  static constexpr int kHinges = BodyCounts<Model>::kDofs - 6;
  static constexpr int kSize = 6 * kHinges + kHinges * (kHinges + 1) / 2;
  static GALLOP_HD int begin(int j) { return 6 * j + j * (j + 1) / 2; }
  GALLOP_HD int depth(int j) const { return depth_[j]; }
  GALLOP_HD int chain(int j, int t) const { return chain_[j][t]; }
  GALLOP_HD int place(int j, int t) const { return chain_[j][t]; }

  GALLOP_HD void start() {
    const TreeChains<Model> tree;
    for (int j = 0; j < kHinges; j++) {
      filled_[j] = 0;
      for (int t = 0; t < tree.depth(j); t++) filled_[j] |= bit(tree.chain(j, t));
    }
  }
  // A contact that all these hinges move.
  GALLOP_HD void add(std::uint32_t hinges) {
    for (int j = 0; j < kHinges; j++) {
      if ((hinges & bit(j)) != 0) filled_[j] |= hinges & (2 * bit(j) - 1);
    }
  }
  // Lists the chains after elimination, which fills in more.
  GALLOP_HD void finish() {
    for (int j = kHinges - 1; j >= 0; j--) {
      const std::uint32_t before = filled_[j] & (bit(j) - 1);
      int n = 0;
      for (int i = 0; i < j; i++) {
        if ((before & bit(i)) == 0) continue;
        chain_[j][n++] = std::uint8_t(i);
        filled_[i] |= before & (bit(i) - 1);
      }
      chain_[j][n++] = std::uint8_t(j);
      depth_[j] = std::uint8_t(n);
    }
  }

 private:
  static GALLOP_HD std::uint32_t bit(int j) { return std::uint32_t(1) << j; }
  std::uint32_t filled_[kHinges];
  std::uint8_t depth_[kHinges], chain_[kHinges][kHinges];
};

template <class Model, class F, class Chains>
struct SpatialMatrix {
  static constexpr int kHinges = BodyCounts<Model>::kDofs - 6;
  F root[21];                // place packed(i, j), i >= j
  F element[Chains::kSize];  // of hinge j: six for the root, then its chain, itself last

  GALLOP_HD F* row(int j) { return element + Chains().begin(j); }
  GALLOP_HD const F* row(int j) const { return element + Chains().begin(j); }
  GALLOP_HD F& diagonal(int j) { return row(j)[5 + Chains().depth(j)]; }

  // y = M x, on the tree.
  GALLOP_HD void multiply(const F* x, F* y) const {
    const Chains chains;
    F sum[6];
    each<6>([&](int i) GALLOP_BODY_LAMBDA {
      sum[i] = root[packed(i, 0)] * x[0];
      each<6>([&](int j) GALLOP_BODY_LAMBDA {
        if (j > 0) sum[i] = fmadd(root[i < j ? packed(j, i) : packed(i, j)], x[j], sum[i]);
      });
    });
    for (int j = 0; j < kHinges; j++) {
      const F* r = row(j);
      const int last = chains.depth(j) - 1;
      const F its = x[6 + j];
      F total = r[6 + last] * its;
      each<6>([&](int u) GALLOP_BODY_LAMBDA {
        sum[u] = fmadd(r[u], its, sum[u]);
        total = fmadd(r[u], x[u], total);
      });
      for (int t = 0; t < last; t++) {
        const int i = 6 + chains.chain(j, t);
        y[i] = fmadd(r[6 + t], its, y[i]);
        total = fmadd(r[6 + t], x[i], total);
      }
      y[6 + j] = total;
    }
    each<6>([&](int u) GALLOP_BODY_LAMBDA { y[u] = sum[u]; });
  }

  // Overwrites the matrix by L of L' D L and, on the diagonal, the reciprocals of D.
  GALLOP_HD void factor(const Chains& chains = {}) {
    F sum[21];
    each<21>([&](int k) GALLOP_BODY_LAMBDA { sum[k] = root[k]; });
    for (int k = kHinges - 1; k >= 0; k--) {
      F* r = row(k);
      const int last = chains.depth(k) - 1, diagonal = 6 + chains.place(k, last);
      const F inverse = reciprocal(r[diagonal]);
      F at_root[6];
      each<6>([&](int u) GALLOP_BODY_LAMBDA { at_root[u] = r[u]; });
      for (int t = last - 1; t >= 0; t--) {
        F* to = row(chains.chain(k, t));
        const F a = r[6 + chains.place(k, t)] * inverse;
        each<6>([&](int u) GALLOP_BODY_LAMBDA { to[u] = fmadd(-at_root[u], a, to[u]); });
        for (int u = 0; u <= t; u++) {
          const int at = 6 + chains.place(k, u);
          to[at] = fmadd(-r[at], a, to[at]);
        }
        r[6 + chains.place(k, t)] = a;
      }
      each<6>([&](int u) GALLOP_BODY_LAMBDA {
        const F a = at_root[u] * inverse;
        each<6>([&](int w) GALLOP_BODY_LAMBDA {
          if (w <= u) sum[packed(u, w)] = fmadd(-at_root[w], a, sum[packed(u, w)]);
        });
        r[u] = a;
      });
      r[diagonal] = inverse;
    }
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
  GALLOP_HD void solve(F* x, const Chains& chains = {}) const {
    F y[6];
    each<6>([&](int u) GALLOP_BODY_LAMBDA { y[u] = x[u]; });
    for (int k = kHinges - 1; k >= 0; k--) {
      const F* r = row(k);
      const F its = x[6 + k];
      const int last = chains.depth(k) - 1;
      for (int t = 0; t < last; t++) {
        const int i = 6 + chains.chain(k, t);
        x[i] = fmadd(-r[6 + chains.place(k, t)], its, x[i]);
      }
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
      const int last = chains.depth(k) - 1;
      F its = x[6 + k] * r[6 + chains.place(k, last)];
      each<6>([&](int u) GALLOP_BODY_LAMBDA { its = fmadd(-r[u], y[u], its); });
      for (int t = 0; t < last; t++) {
        its = fmadd(-r[6 + chains.place(k, t)], x[6 + chains.chain(k, t)], its);
      }
      x[6 + k] = its;
    }
  }
};

template <class Model, class F>
using SpatialMass = SpatialMatrix<Model, F, TreeChains<Model>>;

// The Hessian of the constraint solver: on the tree until contacts between limbs fill it in.
template <class Model, class F>
class SpatialHessian {
 public:
  using Tree = SpatialMass<Model, F>;
  using Filled = SpatialMatrix<Model, F, FilledChains<Model>>;
  static constexpr int kHinges = Tree::kHinges;
  static constexpr bool kFills = BodyCounts<Model>::kPairs > 0;

  // Takes over the mass matrix.
  GALLOP_HD void assign(const Tree& mass) {
    each<21>([&](int k) GALLOP_BODY_LAMBDA { tree.root[k] = mass.root[k]; });
    for (int k = 0; k < TreeChains<Model>::kSize; k++) tree.element[k] = mass.element[k];
    chains_ = nullptr;
  }
  // Goes on with `filled`.
  GALLOP_HD void fill_in(const FilledChains<Model>& chains) {
    const TreeChains<Model> old;
    chains_ = &chains;
    each<21>([&](int k) GALLOP_BODY_LAMBDA { filled.root[k] = tree.root[k]; });
    for (int j = 0; j < kHinges; j++) {
      const F* from = tree.row(j);
      F* to = filled.row(j);
      each<6>([&](int u) GALLOP_BODY_LAMBDA { to[u] = from[u]; });
      for (int t = 0; t < chains.depth(j); t++) to[6 + chains.place(j, t)] = real<F>(0.0);
      for (int t = 0; t < old.depth(j); t++) to[6 + old.chain(j, t)] = from[6 + t];
    }
  }
  GALLOP_HD void factor() {
    if (kFills && chains_ != nullptr) {
      filled.factor(*chains_);
    } else {
      tree.factor();
    }
  }
  GALLOP_HD void solve(F* x) const {
    if (kFills && chains_ != nullptr) {
      filled.solve(x, *chains_);
    } else {
      tree.solve(x);
    }
  }

  Tree tree;
  Filled filled;

 private:
  const FilledChains<Model>* chains_ = nullptr;
};

}  // namespace gallop::inline GALLOP_ISA
