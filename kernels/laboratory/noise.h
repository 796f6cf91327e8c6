// The random numbers of paths, drawn in registers of floats whatever the problem computes in, and
// read by it as doubles. Purposes kRandomAction, kRandomDynamics and kRandomReset; counter (path,
// stream, step, draw).
#pragma once

#include "kernels/cpu/native.h"
#include "kernels/laboratory/request.h"
#include "kernels/numerics/double_lanes.h"
#include "kernels/random/stream.h"

namespace gallop::inline GALLOP_ISA {

// The numbers of one group of a chunk: [H * kDraws + kInitialDraws, kLaboratoryChunk] from its
// first lane.
template <class P>
struct Noise {
  const float* at;
  int horizon;

  GALLOP_HD typename P::F step(int t, int draw) const {
    return load_doubles(at + (t * P::kDraws + draw) * kLaboratoryChunk, typename P::F());
  }
  GALLOP_HD typename P::F initial(int draw) const { return step(horizon, draw); }
};

template <class P>
GALLOP_HD int noise_floats(int horizon) {
  return (horizon * P::kDraws + P::kInitialDraws) * kLaboratoryChunk;
}

// Draws those of kLaboratoryChunk paths, the first of them `path`.
template <class P>
void draw_noise(std::uint64_t seed, std::uint32_t stream, std::uint32_t path, int horizon,
                float* to) {
  using W = Word<Native>;
  constexpr int kW = kLanesOf<Native>;
  static_assert(kLaboratoryChunk % kW == 0);
  Native drawn[P::kDraws + P::kInitialDraws];
  for (int lane = 0; lane < kLaboratoryChunk; lane += kW) {
    const W id = consecutive_words<Native>(path + std::uint32_t(lane));
    for (int t = 0; t < horizon; t++) {
      const W step = W(std::uint32_t(t));
      Rng<Native> action(seed, kRandomAction, id, W(stream), step);
      Rng<Native> dynamics(seed, kRandomDynamics, id, W(stream), step);
      P::draw(action, dynamics, drawn);
      for (int k = 0; k < P::kDraws; k++) {
        store_lanes(to + (t * P::kDraws + k) * kLaboratoryChunk + lane, drawn[k], kW);
      }
    }
    Rng<Native> start(seed, kRandomReset, id, W(stream), W(0u));
    for (int k = 0; k < P::kInitialDraws; k++) {
      store_lanes(to + (horizon * P::kDraws + k) * kLaboratoryChunk + lane, start.normal(), kW);
    }
  }
}

}  // namespace gallop::inline GALLOP_ISA
