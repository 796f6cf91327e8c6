// The perturbations of a member on the CPU, a run of parameters at a time.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/numerics/transpose.h>
#include <gallop/kernels/policy/population.h>

namespace gallop::inline GALLOP_ISA {

// Parameters that are made together: their normals stay in the first cache.
constexpr long kNoiseRun = 1024;

template <class F>
class Noise {
 public:
  // Floats, beside those of the run.
  static long scratch(const Population& p) {
    return p.members != nullptr || p.rank == 0 ? 0 : whole_lines(factor_count(p)) + 4 * kLanesOf<F>;
  }
  // Runs in which parameters are made: those of low rank at once, so that factors are made once.
  static long run(const Population& p) {
    return p.members == nullptr && p.rank > 0 ? whole_lines(p.n_parameters) : kNoiseRun;
  }
  static long run_count(const Population& p) { return (p.n_parameters + run(p) - 1) / run(p); }
  // Floats of a run: whole blocks of registers.
  static long run_floats(const Population& p) { return run(p) + 4 * kLanesOf<F>; }

  Noise(const Population& population, float* memory) : p(population), factor(memory) {}

  // eps(pair, k) for k in [begin, end) to to[k - begin]; begin is a multiple of 4. Writes up to
  // 4 kLanesOf<F> - 1 floats beyond.
  void write(std::uint32_t pair, long begin, long end, float* to) const {
    write_normals(pair, kElementDraw, begin, end - begin, to);
    if (p.rank == 0) return;
    write_normals(pair, kFactorDraw, 0, factor_count(p), factor);
    for (int l = 0; l < p.shape.network.n_layers; l++) write_layer(l, to - begin);
  }

 private:
  void write_normals(std::uint32_t pair, std::uint32_t draw, long first, long count,
                     float* to) const {
    constexpr int kW = kLanesOf<F>;
    for (long k = 0; k < count; k += 4 * kW) {
      F z[4];
      perturbation_block<F>(p, Word<F>(pair), consecutive_words<F>(std::uint32_t((first + k) / 4)),
                            draw, z);
      store_interleaved(to + k, z);
    }
  }

  void write_layer(int layer, float* eps) const {
    constexpr int kW = kLanesOf<F>;
    const LayerFactors at = layer_factors(p, layer);
    const float* const a = factor + at.first;
    const float* const b = a + long(at.n_in) * p.rank;
    const F scale(rank_scale(p));
    for (int i = 0; i < at.n_in; i++) {
      float* const row = eps + at.weight + long(i) * at.n_out;
      for (int j = 0; j < at.n_out; j += kW) {
        const int count = at.n_out - j < kW ? at.n_out - j : kW;
        F sum(0.0f);
        for (int q = 0; q < p.rank; q++) {
          sum = fmadd(F(a[long(i) * p.rank + q]),
                      load_lanes(b + long(q) * at.n_out + j, count, F()), sum);
        }
        store_lanes(row + j, sum * scale, count);
      }
    }
  }

  const Population& p;
  float* factor;
};

}  // namespace gallop::inline GALLOP_ISA
