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
  int followers[kHinges] = {}, follower[kHinges][kHinges] = {};

  constexpr TreeChainTable() {
    const SpatialModel<Model> model;
    for (int j = 0; j < kHinges; j++) {
      depth[j] = model.hinge[j].depth;
      begin[j + 1] = begin[j] + 6 + depth[j];
      for (int t = 0; t < depth[j]; t++) chain[j][t] = model.hinge[j].chain[t];
    }
    for (int j = kHinges - 1; j >= 0; j--) {
      for (int t = 0; t + 1 < depth[j]; t++) {
        const int i = chain[j][t];
        follower[i][followers[i]++] = j;
      }
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
  // The place in a row of the t-th hinge of its chain; the same in the rows of all that follow it.
  GALLOP_HD int place(int, int t) const { return t; }
  // Hinges whose chains hold hinge j, but itself, from the last one on.
  GALLOP_HD int followers(int j) const { return table().followers[j]; }
  GALLOP_HD int follower(int j, int m) const { return table().follower[j][m]; }
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
  GALLOP_HD int followers(int j) const { return followers_[j]; }
  GALLOP_HD int follower(int j, int m) const { return follower_[j][m]; }
  // Whether a hinge of its chain has a chain of which row j lacks elements: they have to be zero.
  GALLOP_HD bool gaps(int j) const { return (gaps_ & bit(j)) != 0; }

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
    for (int j = 0; j < kHinges; j++) followers_[j] = 0;
    for (int j = kHinges - 1; j >= 0; j--) {
      const std::uint32_t before = filled_[j] & (bit(j) - 1);
      int n = 0;
      for (int i = 0; i < j; i++) {
        if ((before & bit(i)) == 0) continue;
        chain_[j][n++] = std::uint8_t(i);
        follower_[i][followers_[i]++] = std::uint8_t(j);
        filled_[i] |= before & (bit(i) - 1);
      }
      chain_[j][n++] = std::uint8_t(j);
      depth_[j] = std::uint8_t(n);
    }
    gaps_ = 0;
    const TreeChains<Model> tree;
    for (int j = 0; j < kHinges; j++) {
      if (depth_[j] > tree.depth(j)) gaps_ |= bit(j);
      for (int t = 0; t < tree.depth(j); t++) {
        if (gaps(tree.chain(j, t))) gaps_ |= bit(j);
      }
    }
  }

 private:
  static GALLOP_HD std::uint32_t bit(int j) { return std::uint32_t(1) << j; }
  std::uint32_t filled_[kHinges], gaps_;
  std::uint8_t depth_[kHinges], chain_[kHinges][kHinges];
  std::uint8_t followers_[kHinges], follower_[kHinges][kHinges];
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

  // Overwrites the matrix by L of L' D L and, on the diagonal, the reciprocals of D. What the rows
  // of the hinges beyond take from a row is added up in registers, a few of its elements at a time;
  // their own elements at its hinge become those of L when nothing needs them any more.
  GALLOP_HD void factor(const Chains& chains = {}) {
    GALLOP_UNROLL(1)
    for (int i = kHinges - 1; i >= 0; i--) {
      const int n = chains.followers(i), depth = chains.depth(i);
      const int own = 6 + chains.place(i, depth - 1);
      F lower[kHinges];  // of the rows beyond at this hinge
      GALLOP_UNROLL(1)
      for (int m = 0; m < n; m++) {
        const int k = chains.follower(i, m);
        lower[m] = row(k)[own] * row(k)[6 + chains.place(k, chains.depth(k) - 1)];
      }
      if (n > 0) {
        const int at_root[6] = {0, 1, 2, 3, 4, 5};
        take(chains, i, at_root, lower);
        GALLOP_UNROLL(1)
        for (int t = 0; t < depth; t += 4) take_some(chains, i, t, lower);
        GALLOP_UNROLL(1)
        for (int m = 0; m < n; m++) row(chains.follower(i, m))[own] = lower[m];
      }
      row(i)[own] = reciprocal(row(i)[own]);
    }
    take_from_root<4, 6>(chains);
    take_from_root<0, 4>(chains);
    GALLOP_UNROLL(1)
    for (int k = kHinges - 1; k >= 0; k--) {
      F* const r = row(k);
      const F inverse = r[6 + chains.place(k, chains.depth(k) - 1)];
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

 private:
  // Elements of row i at these places, less what the rows of the hinges beyond take.
  template <int kCount>
  GALLOP_HD void take(const Chains& chains, int i, const int (&place)[kCount], const F* lower) {
    F* const to = row(i);
    const int n = chains.followers(i);
    F sum[kCount];
    each<kCount>([&](int u) GALLOP_BODY_LAMBDA { sum[u] = to[place[u]]; });
    GALLOP_UNROLL(1)
    for (int m = 0; m < n; m++) {
      const F* const r = row(chains.follower(i, m));
      const F a = lower[m];
      each<kCount>([&](int u) GALLOP_BODY_LAMBDA { sum[u] = fmadd(-r[place[u]], a, sum[u]); });
    }
    each<kCount>([&](int u) GALLOP_BODY_LAMBDA { to[place[u]] = sum[u]; });
  }
  // Up to four elements, from that of the t-th hinge of its chain on.
  GALLOP_HD void take_some(const Chains& chains, int i, int t, const F* lower) {
    const auto at = [&](int u) GALLOP_BODY_LAMBDA { return 6 + chains.place(i, t + u); };
    const int left = chains.depth(i) - t;
    if (left == 1) {
      take<1>(chains, i, {at(0)}, lower);
    } else if (left == 2) {
      take<2>(chains, i, {at(0), at(1)}, lower);
    } else if (left == 3) {
      take<3>(chains, i, {at(0), at(1), at(2)}, lower);
    } else {
      take<4>(chains, i, {at(0), at(1), at(2), at(3)}, lower);
    }
  }
  // Rows kFrom to kEnd - 1 of the root, less what the hinges take.
  template <int kFrom, int kEnd>
  GALLOP_HD void take_from_root(const Chains& chains) {
    constexpr int kFirst = packed(kFrom, 0), kCount = packed(kEnd, 0) - kFirst;
    F sum[kCount];
    each<kCount>([&](int k) GALLOP_BODY_LAMBDA { sum[k] = root[kFirst + k]; });
    GALLOP_UNROLL(1)
    for (int k = kHinges - 1; k >= 0; k--) {
      const F* const r = row(k);
      const F inverse = r[6 + chains.place(k, chains.depth(k) - 1)];
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

  // Takes over the mass matrix; `chains` are those that contacts between limbs have lengthened, or
  // null.
  GALLOP_HD void assign(const Tree& mass, const FilledChains<Model>* chains) {
    chains_ = chains;
    each<21>([&](int k) GALLOP_BODY_LAMBDA { root(k) = mass.root[k]; });
    if (!fills()) {
      for (int k = 0; k < TreeChains<Model>::kSize; k++) tree_.element[k] = mass.element[k];
      return;
    }
    const TreeChains<Model> tree;
    for (int j = 0; j < kHinges; j++) {
      const F* from = mass.row(j);
      F* to = filled_.row(j);
      each<6>([&](int u) GALLOP_BODY_LAMBDA { to[u] = from[u]; });
      if (chains->gaps(j)) {
        for (int i = 0; i < j; i++) to[6 + i] = real<F>(0.0);
      }
      for (int t = 0; t < tree.depth(j); t++) to[6 + tree.chain(j, t)] = from[6 + t];
    }
  }

  GALLOP_HD F& root(int k) { return fills() ? filled_.root[k] : tree_.root[k]; }
  GALLOP_HD F* row(int j) { return fills() ? filled_.row(j) : tree_.row(j); }
  // The place in row j of the t-th hinge of its chain along the tree.
  GALLOP_HD int place(int j, int t) const { return fills() ? TreeChains<Model>().chain(j, t) : t; }
  GALLOP_HD F& diagonal(int j) { return row(j)[6 + place(j, TreeChains<Model>().depth(j) - 1)]; }

  GALLOP_HD void factor() {
    if (fills()) {
      filled_.factor(*chains_);
    } else {
      tree_.factor();
    }
  }
  GALLOP_HD void solve(F* x) const {
    if (fills()) {
      filled_.solve(x, *chains_);
    } else {
      tree_.solve(x);
    }
  }

 private:
  GALLOP_HD bool fills() const { return kFills && chains_ != nullptr; }

  Tree tree_;
  Filled filled_;
  const FilledChains<Model>* chains_ = nullptr;
};

}  // namespace gallop::inline GALLOP_ISA
