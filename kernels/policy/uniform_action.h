// Uniformly random actions, for benchmarks and baselines. Purpose kRandomUniform, counter (id, 0,
// time / period, draw): one bit a step for two actions, one word a step for other single numbers,
// so that one block of four words serves `period` steps; else blocks for each step.
#pragma once

#include <gallop/kernels/environment/spec.h>
#include <gallop/kernels/random/stream.h>

namespace gallop::inline GALLOP_ISA {

// Steps that one block of words serves. `rows`: components of an action.
GALLOP_HD int uniform_period(SpaceKind kind, int n_actions, int rows) {
  if (kind == SpaceKind::kDiscrete) return n_actions == 2 ? 128 : 4;
  return rows == 1 ? 4 : 1;
}

template <class F>
GALLOP_HD PhiloxBlock<Word<F>> uniform_block(std::uint64_t seed, Word<F> id, std::uint32_t at,
                                             std::uint32_t draw) {
  return philox<Word<F>>(id, Word<F>(0u), Word<F>(at), Word<F>(draw), key_low(seed),
                         key_high(seed, kRandomUniform));
}

// The word of `period` that belongs to `time`, and the bit of it for two actions.
GALLOP_HD int uniform_word(int period, std::uint32_t time) {
  return period == 128 ? int(time >> 5 & 3) : int(time % std::uint32_t(period));
}
template <class F>
GALLOP_HD F uniform_bit(Word<F> word, std::uint32_t time) {
  return WordConversion<F>::to_real((word >> int(time & 31)) & Word<F>(1u));
}

// An index below n_actions, or a number within [low, high] (+-1 where they are not finite), of a
// word.
template <class F>
GALLOP_HD F uniform_index(int n_actions, Word<F> word) {
  return to_real(to_int(to_uniform<F>(word) * F(float(n_actions))));
}
template <class F>
GALLOP_HD F uniform_component(double low, double high, Word<F> word) {
  const bool bounded = low > -1e30 && high < 1e30;
  const F from = real<F>(bounded ? low : -1.0), to = real<F>(bounded ? high : 1.0);
  return fmadd(to_uniform<F>(word), to - from, from);
}

}  // namespace gallop::inline GALLOP_ISA
