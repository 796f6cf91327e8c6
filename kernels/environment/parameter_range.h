// Parameters of an environment that every episode draws anew (domain randomisation; Tobin, Fong,
// Ray, Schneider, Zaremba and Abbeel, arXiv:1703.06907v1). A drawn value is a pure function of the
// seed, the instance's id and the number of its episode: nothing is stored, wherever an instance
// stands its parameters follow from its counters.
//
// Random numbers: purpose kRandomParameters, counter (id, episode, 0, k) for parameter k, word 0: a
// range more or less leaves the draws of the others as they are.
#pragma once

#include <gallop/kernels/random/stream.h>

namespace gallop {

enum class ParameterDraw : int {
  kNone,        // the parameter keeps the value that was set
  kUniform,     // uniform in [low, high]
  kLogUniform,  // its logarithm is
  kWhole        // a whole number from low to high, each as likely
};

struct ParameterRange {
  ParameterDraw draw;
  float low, high;
  float from, span;  // what is uniform lies in [from, from + span]
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// The value of parameter k. Out of line: rollouts that draw nothing keep their registers, and those
// that do draw once an episode on a device.
template <class F>
GALLOP_NOINLINE_HD F drawn_parameter(const ParameterRange* range, int k, std::uint64_t seed,
                                     Word<F> id, Word<F> episode) {
  const ParameterRange& r = range[k];
  const PhiloxBlock<Word<F>> block =
      philox<Word<F>>(id, episode, Word<F>(0u), Word<F>(std::uint32_t(k)), key_low(seed),
                      key_high(seed, kRandomParameters));
  F x = fmadd(to_uniform<F>(block.word[0]), F(r.span), F(r.from));
  if (r.draw == ParameterDraw::kLogUniform) x = exp(x);
  if (r.draw == ParameterDraw::kWhole) x = floor(x);
  return min(F(r.high), max(F(r.low), x));
}

}  // namespace gallop::inline GALLOP_ISA
