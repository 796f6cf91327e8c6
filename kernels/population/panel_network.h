// Policies of the members of a panel, R registers of instances: columns r * lanes + lane. Of
// members register r holds their r-th episodes, of pairs register 0 the members and register 1
// their mirrors. Every output is its bias followed by one chain of fused multiply-adds in ascending
// input, so the bits are those of network/forward.h.
#pragma once

#include <gallop/kernels/network/forward.h>
#include <gallop/kernels/policy/heads.h>
#include <gallop/kernels/population/panel.h>

namespace gallop::inline GALLOP_ISA {

enum class PanelKind { kMembers, kPairs, kPairsOfOneSigma };

template <class F>
class PanelNetwork {
 public:
  static constexpr int kW = kLanesOf<F>;
  static constexpr int kTogether = 4;  // registers of instances that share a weight that is read
  static constexpr long kAhead = 16;   // lines: two inputs of a tile

  // Floats of `a`, of `b`, and of what is between them.
  static long input_floats(const NetworkShape& shape, int registers) {
    const bool tabular = shape.kind == NetworkKind::kTabular;
    return long(tabular ? 1 : shape.width[0]) * registers * kW;
  }
  static long output_floats(const NetworkShape& shape, int registers) {
    return long(outputs_of(shape)) * registers * kW;
  }
  static long unit_floats(const NetworkShape& shape) { return 2L * widest(shape) * kTogether * kW; }

  PanelNetwork(const Panel<F>& panel, int registers)
      : p(panel.p), from(panel), n(registers), sigma_all(panel.p.sigma_all) {}

  // Runs the network: `a` [inputs, R lanes] holds the inputs, `b` [outputs, R lanes] gets the
  // outputs, undefined where a register of instances have all ended (`ended` [R lanes]); `units`
  // [unit_floats] is overwritten. Rows of all of them are aligned to 64 bytes.
  void forward(const float* a, float* b, float* units, const std::uint8_t* ended) const {
    if (p.shape.network.kind == NetworkKind::kTabular) return look_up(a, b);
    if (from.plan.pairs && from.plan.sigma == nullptr) {
      return layers<PanelKind::kPairsOfOneSigma, 2>(a, b, units);
    }
    if (from.plan.pairs) return layers<PanelKind::kPairs, 2>(a, b, units);
    for (int r = 0; r < n;) {
      const int left = n - r, together = left == 5 ? 3 : left < kTogether ? left : kTogether;
      const long at = long(r) * kW;
      r += together;
      if (__builtin_memchr(ended + at, 0, std::size_t(together) * kW) == nullptr) continue;
      if (together == 4) layers<PanelKind::kMembers, 4>(a + at, b + at, units);
      if (together == 3) layers<PanelKind::kMembers, 3>(a + at, b + at, units);
      if (together == 2) layers<PanelKind::kMembers, 2>(a + at, b + at, units);
      if (together == 1) layers<PanelKind::kMembers, 1>(a + at, b + at, units);
    }
  }

  // Parameter k behind those of the network, of the instances of register r.
  F head_parameter(long k, int r) const {
    const F x = load_lanes(from.line + k * kW, kW, F());
    if (!from.plan.pairs) return x;
    const F sigma(from.plan.sigma != nullptr ? from.plan.sigma[k] : p.sigma_all);
    return fmadd(r == 1 ? -sigma : sigma, x, F(from.plan.center[k]));
  }

 private:
  // The weight at a line, of both members of a pair.
  template <PanelKind kKind>
  GALLOP_HD void weights(long at, F (&w)[2]) const {
    w[0] = load_lanes(from.line + at * kW, kW, F());
    if constexpr (kKind != PanelKind::kMembers) {
      F eps = w[0], sigma(sigma_all);
      keep_in_register(eps);
      const F center(from.plan.center[at]);
      if constexpr (kKind == PanelKind::kPairs) sigma = F(from.plan.sigma[at]);
      w[0] = fmadd(sigma, eps, center);
      w[1] = fmadd(-sigma, eps, center);
    }
  }
  // Pairs, which work long on each line, have the next ones on their way from the second cache.
  template <PanelKind kKind>
  GALLOP_HD void fetch_line(long at) const {
#if !GALLOP_ON_DEVICE
    if constexpr (kKind != PanelKind::kMembers) {
      __builtin_prefetch(from.line + (at + kAhead) * kW);
    }
#endif
  }

  // Where the inputs of some instances stand and where their outputs go: rows of R registers, or of
  // all where these are the first or the last ones.
  struct Rows {
    const float* in;
    long in_row;
    int n_in;
    float* out;
    long out_row;
    Activation activation;
  };

  // J columns of a tile that has `width` of them, for R registers of instances; `at`: the line of
  // the first one's bias.
  template <PanelKind kKind, int R, int J>
  GALLOP_HD void columns(long at, int width, const Rows& rows, float* out) const {
    constexpr bool kPairs = kKind != PanelKind::kMembers;
    F sum[R][J];
    GALLOP_UNROLL(16)
    for (int c = 0; c < J; c++) {
      F w[2];
      weights<kKind>(at + c, w);
      GALLOP_UNROLL(4)
      for (int e = 0; e < R; e++) sum[e][c] = w[kPairs ? e : 0];
    }
    at += width;
    const float* in = rows.in;
    for (int k = 0; k < rows.n_in; k++, at += width, in += rows.in_row) {
      F x[R];
      GALLOP_UNROLL(4)
      for (int e = 0; e < R; e++) x[e] = load_lanes(in + e * kW, kW, F());
      GALLOP_UNROLL(16)
      for (int c = 0; c < J; c++) {
        F w[2];
        weights<kKind>(at + c, w);
        fetch_line<kKind>(at + c);
        GALLOP_UNROLL(4)
        for (int e = 0; e < R; e++) sum[e][c] = fmadd(x[e], w[kPairs ? e : 0], sum[e][c]);
      }
    }
    for (int c = 0; c < J; c++) {
      for (int e = 0; e < R; e++) {
        store_lanes(out + c * rows.out_row + e * kW, activate(rows.activation, sum[e][c]), kW);
      }
    }
  }

  template <PanelKind kKind, int R>
  void layer(long at, int n_out, const Rows& rows) const {
    constexpr int kJ = PanelTile<F>::kColumns;
    constexpr int kAtOnce = R <= 2 && kW == 16 ? kJ : R <= 2 ? 4 : kW == 16 ? 4 : 2;
    for (int j = 0; j < n_out;) {
      const int width = PanelTile<F>::width(n_out, j);
      const long first = at + long(j) * (rows.n_in + 1);
      float* const out = rows.out + j * rows.out_row;
      for (int c = 0; width == kJ && c < kJ; c += kAtOnce) {
        columns<kKind, R, kAtOnce>(first + c, kJ, rows, out + c * rows.out_row);
      }
      if (width == 4 && kJ > 4) columns<kKind, R, 4>(first, 4, rows, out);
      if (width == 2) columns<kKind, R, 2>(first, 2, rows, out);
      if (width == 1) columns<kKind, R, 1>(first, 1, rows, out);
      j += width;
    }
  }

  template <PanelKind kKind, int R>
  void layers(const float* a, float* b, float* units) const {
    const NetworkShape& shape = p.shape.network;
    float *to = units, *other = units + long(widest(shape)) * R * kW;
    Rows rows = {a, long(n) * kW, 0, nullptr, long(R) * kW, shape.hidden};
    for (int l = 0; l < shape.n_layers; l++) {
      rows.n_in = shape.width[l];
      rows.out = to;
      if (l + 1 == shape.n_layers) {
        rows.out = b;
        rows.out_row = long(n) * kW;
        rows.activation = Activation::kIdentity;
      }
      layer<kKind, R>(layer_offset(shape, l), shape.width[l + 1], rows);
      rows.in = to;
      rows.in_row = long(R) * kW;
      float* const swap = to;
      to = other;
      other = swap;
    }
  }

  // A row of each member's own table.
  void look_up(const float* a, float* b) const {
    const NetworkShape& shape = p.shape.network;
    const int n_out = shape.width[1];
    std::int32_t numbers[kW];
    for (int i = 0; i < kW; i++) numbers[i] = i;
    const Int<F> lane = load_words(numbers, kW, Int<F>());
    for (int r = 0; r < n; r++) {
      const F state = table_state(shape, load_lanes(a + r * kW, kW, F()));
      const Int<F> entry = to_int(state * F(float(n_out)));
      for (int j = 0; j < n_out; j++) {
        const Int<F> at = entry + Int<F>(j);
        F x = gather(from.line, at * Int<F>(kW) + lane);
        if (from.plan.pairs) {
          const F sigma = from.plan.sigma != nullptr ? gather(from.plan.sigma, at) : F(sigma_all);
          x = fmadd(r == 1 ? -sigma : sigma, x, gather(from.plan.center, at));
        }
        store_lanes(b + (long(j) * n + r) * kW, x, kW);
      }
    }
  }

  const Population& p;
  const Panel<F>& from;
  int n;  // registers
  float sigma_all;
};

}  // namespace gallop::inline GALLOP_ISA
