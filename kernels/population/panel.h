// The parameters of a register of members on the CPU, lanes over the members: with fewer episodes a
// member than lanes, every weight is read once for each step of all of them, in the order of the
// sums that need it.
//
// Mirrored pairs of which each plays one episode keep only their perturbations: both weights of a
// pair are made of one as they are needed, by two multiply-adds, where reading two of them would
// take longer. Measured on Sapphire Rapids, 64-64 tanh units, from the second cache: members reach
// 25 % of the multiply-adds that the core can do, pairs 32 %.
#pragma once

#include <gallop/kernels/policy/heads.h>
#include <gallop/kernels/population/noise.h>

namespace gallop::inline GALLOP_ISA {

// Columns of a layer that are summed together, the last ones fewer.
template <class F>
struct PanelTile {
  static constexpr int kColumns = kLanesOf<F> == 16 ? 8 : 4;
  // Of the tile at column j.
  static GALLOP_HD int width(int n_out, int j) {
    int width = kColumns;
    while (width > n_out - j) width /= 2;
    return width;
  }
};

// Parameters in the order in which a panel has them: for each layer its tiles, of each tile its
// biases, then its weights by input. A table and a head's parameters stay as they are.
template <class F>
void order_parameters(const PolicyShape& shape, std::uint32_t* place) {
  const NetworkShape& network = shape.network;
  const long end = layer_offset(network, network.n_layers);
  const bool ordered = network.kind == NetworkKind::kMlp;
  for (int l = 0; ordered && l < network.n_layers; l++) {
    const long first = layer_offset(network, l);
    const int n_in = network.width[l], n_out = network.width[l + 1];
    for (int j = 0; j < n_out;) {
      const int width = PanelTile<F>::width(n_out, j);
      const long tile = first + long(j) * (n_in + 1);
      for (int c = 0; c < width; c++, j++) {
        place[first + long(n_in) * n_out + j] = std::uint32_t(tile + c);
        for (int k = 0; k < n_in; k++) {
          place[first + long(k) * n_out + j] = std::uint32_t(tile + long(k + 1) * width + c);
        }
      }
    }
  }
  const long count = parameter_count(shape);
  for (long k = ordered ? end : 0; k < count; k++) place[k] = std::uint32_t(k);
}

// What panels of one population have in common.
struct PanelPlan {
  bool pairs;                  // lanes hold mirrored pairs, else members
  const std::uint32_t* place;  // [D] where a parameter stands
  float* center;               // [D] in that order; of pairs alone
  float* sigma;                // [D] in that order, or null for the one of all; likewise
};

template <class F>
class Panel {
 public:
  static constexpr int kW = kLanesOf<F>;

  // Floats that it takes.
  static long floats(const Population& p) {
    const long lines = p.n_parameters + 3;
    return kW * (lines + (p.members == nullptr && p.rank > 0 ? factor_count(p) + 3 : 0));
  }

  // `memory` [floats], aligned to 64 bytes.
  Panel(const Population& population, const PanelPlan& plan_, float* memory)
      : p(population),
        plan(plan_),
        line(memory),
        factor(memory + kW * (population.n_parameters + 3)) {}

  // Members that the lanes hold.
  int members() const { return plan.pairs ? 2 * kW : kW; }

  // Those from `first` on; lanes beyond the last member hold the last one (the last pair).
  void make(int first) {
    if (p.members != nullptr) return copy(first);
    set_lanes(first);
    if (p.rank == 0) return make_elements(0, p.n_parameters);
    for (long at = 0; at < factor_count(p); at += 4) {
      F z[4];
      perturbation_block<F>(p, pair, Word<F>(std::uint32_t(at / 4)), kFactorDraw, z);
      for (int c = 0; c < 4; c++) store_lanes(factor + (at + c) * kW, z[c], kW);
    }
    const NetworkShape& network = p.shape.network;
    long done = 0;
    for (int l = 0; l < network.n_layers; l++) {
      const LayerFactors at = layer_factors(p, l);
      make_product(at);
      done = at.weight + long(at.n_in) * at.n_out;
      const long end = layer_offset(network, l + 1);
      make_elements(done, end);
      done = end;
    }
    make_elements(done, p.n_parameters);
  }

  const Population& p;
  const PanelPlan& plan;
  float* line;  // [D, lanes] weights of members, or perturbations of pairs

 private:
  void set_lanes(int first) {
    std::uint32_t pairs[kW];
    float signs[kW];
    for (int lane = 0; lane < kW; lane++) {
      const int wanted = first + (plan.pairs ? 2 * lane : lane);
      const int member = wanted < p.n_members ? wanted : p.n_members - (plan.pairs ? 2 : 1);
      pairs[lane] = pair_of(p, member);
      signs[lane] = is_mirror(p, member) ? -1.0f : 1.0f;
    }
    pair = load_words(pairs, kW, Word<F>());
    sign = load_lanes(signs, kW, F());
  }

  void put(long k, F eps) {
    float* const to = line + long(plan.place[k]) * kW;
    if (plan.pairs) return store_lanes(to, eps, kW);
    const F sigma(p.sigma != nullptr ? p.sigma[k] : p.sigma_all);
    store_lanes(to, fmadd(sign * sigma, eps, F(p.center[k])), kW);
  }

  void make_elements(long begin, long end) {
    for (long block = begin / 4; 4 * block < end; block++) {
      F z[4];
      perturbation_block<F>(p, pair, Word<F>(std::uint32_t(block)), kElementDraw, z);
      for (int c = 0; c < 4; c++) {
        if (const long k = 4 * block + c; k >= begin && k < end) put(k, z[c]);
      }
    }
  }

  void make_product(const LayerFactors& at) {
    const float* const a = factor + at.first * kW;
    const float* const b = a + long(at.n_in) * p.rank * kW;
    const F scale(rank_scale(p));
    for (long i = 0; i < at.n_in; i++) {
      for (long j = 0; j < at.n_out; j++) {
        F sum(0.0f);
        for (long q = 0; q < p.rank; q++) {
          sum = fmadd(load_lanes(a + (i * p.rank + q) * kW, kW, F()),
                      load_lanes(b + (q * at.n_out + j) * kW, kW, F()), sum);
        }
        put(at.weight + i * at.n_out + j, sum * scale);
      }
    }
  }

  void copy(int first) {
    for (int lane = 0; lane < kW; lane++) {
      const int member = first + lane < p.n_members ? first + lane : p.n_members - 1;
      const float* const from = p.members + long(member) * p.n_parameters;
      for (long k = 0; k < p.n_parameters; k++) line[long(plan.place[k]) * kW + lane] = from[k];
    }
  }

  float* factor;  // [factors, lanes]
  Word<F> pair;   // of the lanes
  F sign;
};

}  // namespace gallop::inline GALLOP_ISA
