// Random numbers of one purpose at one step of one instance, and the layout of Philox's counter.
//
//   key     word 0   seed, low 32 bits
//           word 1   seed, high 24 bits << 8 | purpose
//   counter word 0   global id of the instance (or member, or sample): id offset + index
//           word 1   episode of that instance, from 0
//           word 2   step within the episode, from 0
//           word 3   draw: block of four words within the step, from 0
//
// Every field has its own bits, so no two (seed, purpose, id, episode, step, draw) share a block.
// The host checks the ranges: seed < 2^56, ids, episodes and steps < 2^32.
#pragma once

#include <gallop/kernels/numerics/math.h>
#include <gallop/kernels/random/philox.h>

namespace gallop {

enum RandomPurpose : std::uint32_t {
  kRandomReset = 1,         // initial states
  kRandomDynamics = 2,      // noise within a step
  kRandomAction = 3,        // a policy's sampling
  kRandomUniform = 4,       // actions of the random policy
  kRandomInitialise = 5,    // initial parameters
  kRandomShuffle = 6,       // minibatch order
  kRandomPerturbation = 7,  // directions in parameter space
  kRandomReplay = 8,        // which transitions are replayed
  kRandomUpdate = 9,        // noise of actions in an off-policy update
  kRandomExploration = 10,  // noise with a memory on actions
  kRandomModel = 11,        // noise of a learned model, and what it is not fitted to
  kRandomGraph = 12,        // stochastic nodes of a graph (kernels/graphs/tape.h)
  kRandomParameters = 13    // parameters of the environment that an episode draws
};

constexpr std::uint64_t kMaxSeed = (std::uint64_t(1) << 56) - 1;

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// A word as F, uniform in [0, 1), multiple of 2^-24.
template <class F>
GALLOP_HD F to_uniform(Word<F> word) {
  return WordConversion<F>::to_real(word >> 8) * real<F>(0x1p-24);
}
// A word as F, uniform in (0, 1], from all 32 bits: the smallest value is 2^-33.
template <class F>
GALLOP_HD F to_open_uniform(Word<F> word) {
  const F high = WordConversion<F>::to_real(word >> 16);
  const F low = WordConversion<F>::to_real(word & Word<F>(0xffffu));
  return fmadd(low, real<F>(0x1p-32), fmadd(high, real<F>(0x1p-16), real<F>(0x1p-33)));
}
// Two independent standard normals of two words (Box and Muller 1958); |z| <= 6.77.
template <class F>
GALLOP_HD void to_normals(Word<F> a, Word<F> b, F& z0, F& z1) {
  const F radius = sqrt(real<F>(-2.0) * log(to_open_uniform<F>(a)));
  F s, c;
  sin_cos(to_uniform<F>(b) * real<F>(6.283185307179586), s, c);
  z0 = radius * c;
  z1 = radius * s;
}

GALLOP_HD std::uint32_t key_low(std::uint64_t seed) { return std::uint32_t(seed); }
GALLOP_HD std::uint32_t key_high(std::uint64_t seed, RandomPurpose purpose) {
  return std::uint32_t(seed >> 32) << 8 | std::uint32_t(purpose);
}

// Draws in a fixed order: every lane takes the same number of words.
template <class F>
struct Rng {
  Word<F> id, episode, step;
  std::uint32_t key0, key1;
  std::uint32_t draw = 0;
  int used = 4;  // words of `block` that were taken
  bool has_spare = false;
  PhiloxBlock<Word<F>> block;
  F spare;

  GALLOP_HD Rng(std::uint64_t seed, RandomPurpose purpose, Word<F> id_, Word<F> episode_,
                Word<F> step_)
      : id(id_),
        episode(episode_),
        step(step_),
        key0(key_low(seed)),
        key1(key_high(seed, purpose)) {}

  GALLOP_HD Word<F> word() {
    if (used == 4) {
      block = philox<Word<F>>(id, episode, step, Word<F>(draw++), key0, key1);
      used = 0;
    }
    return block.word[used++];
  }
  // Uniform in [0, 1).
  GALLOP_HD F uniform() { return to_uniform<F>(word()); }
  // Uniform in [low, high).
  GALLOP_HD F uniform(F low, F high) { return fmadd(uniform(), high - low, low); }
  // Standard normal; every second one is free.
  GALLOP_HD F normal() {
    if (has_spare) {
      has_spare = false;
      return spare;
    }
    const Word<F> a = word(), b = word();
    F z;
    to_normals<F>(a, b, z, spare);
    has_spare = true;
    return z;
  }
};

}  // namespace gallop::inline GALLOP_ISA
