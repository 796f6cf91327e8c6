// Which elements the symmetric matrices of a free root's six dofs and of its hinges have. Row j
// holds what hinge j has in common with the root and with the hinges of its chain, those from the
// root to itself. A chain along the tree is the beginning of the chains of all that follow it, so
// that elimination from the leaves fills nothing in; contacts between limbs lengthen chains.
#pragma once

#include <type_traits>

#include <gallop/kernels/bodies/each.h>
#include <gallop/kernels/bodies/spatial_model.h>
#include <gallop/kernels/numerics/scalar.h>

namespace gallop::inline GALLOP_ISA {

constexpr GALLOP_HD std::uint32_t bit_of(int k) { return std::uint32_t(1) << k; }
// The place of the lowest bit of a mask that is not zero.
constexpr GALLOP_HD int lowest_bit(std::uint32_t mask) {
  if (std::is_constant_evaluated()) {
    int k = 0;
    while ((mask & bit_of(k)) == 0) k++;
    return k;
  }
#if GALLOP_ON_DEVICE
  return __ffs(int(mask)) - 1;
#else
  return __builtin_ctz(mask);
#endif
}

// A mask as the range of the places of its bits: for (const int k : Bits{mask}).
struct Bits {
  std::uint32_t mask;
  struct Iterator {
    std::uint32_t left;
    constexpr GALLOP_HD int operator*() const { return lowest_bit(left); }
    constexpr GALLOP_HD void operator++() { left &= left - 1; }
    constexpr GALLOP_HD bool operator!=(Iterator other) const { return left != other.left; }
  };
  constexpr GALLOP_HD Iterator begin() const { return {mask}; }
  constexpr GALLOP_HD Iterator end() const { return {0}; }
};

// Chains, listed so that loops over rows read places and nothing else.
template <class Model>
struct ChainLists {
  static constexpr int kHinges = BodyCounts<Model>::kDofs - 6;
  static_assert(kHinges < 32, "the hinges of a chain are the bits of a word");
  struct Run {
    std::uint8_t begin, end;
  };
  std::uint8_t runs[kHinges] = {};  // of hinges in a row that make up a chain, its own last
  Run run[kHinges][(kHinges + 1) / 2] = {};
  // Hinges whose chains hold hinge j, but itself, from the last one on.
  std::uint8_t followers[kHinges] = {}, follower[kHinges][kHinges] = {};

  // `chain`: the hinges of each chain, a bit each.
  constexpr GALLOP_HD void list(const std::uint32_t* chain) {
    for (int j = 0; j < kHinges; j++) followers[j] = 0;
    for (int j = kHinges - 1; j >= 0; j--) {
      int n = 0;
      for (std::uint32_t left = chain[j]; left != 0;) {
        const int begin = lowest_bit(left), end = begin + lowest_bit(~(left >> begin));
        run[j][n++] = {std::uint8_t(begin), std::uint8_t(end)};
        left &= ~(bit_of(end) - 1);
      }
      runs[j] = std::uint8_t(n);
      for (const int i : Bits{chain[j] & ~bit_of(j)}) {
        follower[i][followers[i]++] = std::uint8_t(j);
      }
    }
  }

  // body(i) for the hinges of j's chain in order, but itself.
  template <class Body>
  GALLOP_HD void each_before(int j, Body body) const {
    GALLOP_BODY_ROLLED
    for (int k = 0; k < runs[j]; k++) {
      const int end = run[j][k].end > j ? j : run[j][k].end;
      GALLOP_BODY_ROLLED
      for (int i = run[j][k].begin; i < end; i++) body(i);
    }
  }
};

// Chains along the tree.
template <class Model>
struct TreeChains : ChainLists<Model> {
  static constexpr int kHinges = BodyCounts<Model>::kDofs - 6;
  std::uint32_t chain[kHinges] = {};

  constexpr TreeChains() {
    const SpatialModel<Model> model;
    for (int j = 0; j < kHinges; j++) {
      for (int t = 0; t < model.hinge[j].depth; t++) chain[j] |= bit_of(model.hinge[j].chain[t]);
    }
    this->list(chain);
  }
};
template <class Model>
GALLOP_HD const TreeChains<Model>& tree_chains() {
  static constexpr TreeChains<Model> kChains{};
  return kChains;
}

// Chains that contacts between limbs have lengthened.
template <class Model>
class FilledChains : public ChainLists<Model> {
 public:
  static constexpr int kHinges = BodyCounts<Model>::kDofs - 6;

  GALLOP_HD void start() {
    for (int j = 0; j < kHinges; j++) chain_[j] = tree_chains<Model>().chain[j];
  }
  // A contact that all these hinges move.
  GALLOP_HD void add(std::uint32_t hinges) {
    for (const int j : Bits{hinges}) chain_[j] |= hinges & (bit_of(j) - 1);
  }
  // Lists the chains after elimination, which fills in more.
  GALLOP_HD void finish() {
    for (int j = kHinges - 1; j >= 0; j--) {
      const std::uint32_t before = chain_[j] & (bit_of(j) - 1);
      for (const int i : Bits{before}) chain_[i] |= before & (bit_of(i) - 1);
    }
    this->list(chain_);
    gaps_ = 0;
    for (int j = 0; j < kHinges; j++) {
      if (chain_[j] != tree_chains<Model>().chain[j] || (chain_[j] & gaps_) != 0) {
        gaps_ |= bit_of(j);
      }
    }
  }
  // Whether row j has more than the tree gives it, or a hinge of its chain has a chain of which it
  // lacks elements: what contacts do not add to has to be zero.
  GALLOP_HD bool gaps(int j) const { return (gaps_ & bit_of(j)) != 0; }

 private:
  std::uint32_t chain_[kHinges], gaps_;
};

}  // namespace gallop::inline GALLOP_ISA
