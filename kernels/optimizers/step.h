// Steps of an optimiser that limit the gradient's norm, or refuse it, without the host: many of
// them can be queued, or captured into a graph, and looked at when they are done.
#pragma once

#include <gallop/kernels/optimizers/adam.h>
#include <gallop/kernels/reduce/moments.h>

namespace gallop {

enum class StepRule : int {
  kAdam,
  // Tieleman and Hinton 2012: v = decay v + (1 - decay) g^2, theta - rate g / (sqrt(v) + epsilon).
  // The moments of Adam without momentum and corrections; beta2 is the decay.
  kRmsProp,
  kPlain  // theta - rate g
};

// What lasts from step to step, in the memory of the backend.
struct StepState {
  double learning_rate;
  double power1, power2;  // beta^t of Adam, by repeated multiplication
  double norm;            // of the last gradient before it was limited, or of the one refused
  double scale;           // that limits it
  // 1 from the first gradient on that is not finite, or whose square would not be: steps change
  // nothing, and `norm` is not finite.
  std::int32_t refused;
};

struct StepRequest {
  StepRule rule;
  float* parameters;      // [D]
  const float* gradient;  // [D] of a loss that is minimised
  float* first_moment;    // [D]
  float* second_moment;   // [D]
  StepState* state;
  double max_norm;  // 0: no limit
  // The powers of the betas are of these, in double; the elements have them as floats, which makes
  // a step longer by less than 1e-5 of it.
  double beta1, beta2;
  float epsilon;
  long n;  // D
};

// The square of a greater gradient may pass the range of float: infinity would then stay in the
// second moment, and its parameter where it is, for ever.
constexpr double kGreatestNorm = 1e18;

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Decides over a gradient with this sum of squares, NaN where it is not finite.
GALLOP_HD void begin_step(const StepRequest& r, double sum_of_squares, StepState& state) {
  if (state.refused != 0) return;
  const double norm = sqrt(sum_of_squares);
  const double scale = r.max_norm > 0 && norm > r.max_norm ? r.max_norm / norm : 1.0;
  state.norm = norm;
  if (!(norm * scale <= kGreatestNorm)) {
    state.refused = 1;
    if (norm <= __builtin_huge_val()) state.norm = __builtin_huge_val();
    return;
  }
  state.scale = scale;
  if (r.rule != StepRule::kAdam) return;
  state.power1 *= r.beta1;
  state.power2 *= r.beta2;
}

// The elements' part of a step that was not refused.
GALLOP_HD AdamStep adam_of(const StepRequest& r, const StepState& state) {
  const bool adam = r.rule == StepRule::kAdam;
  return {float(state.learning_rate),
          adam ? float(r.beta1) : 0.0f,
          float(r.beta2),
          r.epsilon,
          adam ? float(1.0 - state.power1) : 1.0f,
          adam ? float(1.0 - state.power2) : 1.0f,
          float(state.scale)};
}
GALLOP_HD float plain_factor(const StepState& state) {
  return float(-state.learning_rate * state.scale);
}

// Parameters [i, i + count) take the step; `adam` is adam_of the two.
template <class F>
GALLOP_HD void step_elements(const StepRequest& r, const StepState& state, const AdamStep& adam,
                             long i, int count) {
  const F gradient = load_lanes(r.gradient + i, count, F());
  F parameter = load_lanes(r.parameters + i, count, F());
  if (r.rule == StepRule::kPlain) {
    store_lanes(r.parameters + i, fmadd(F(plain_factor(state)), gradient, parameter), count);
    return;
  }
  F m = load_lanes(r.first_moment + i, count, F()), v = load_lanes(r.second_moment + i, count, F());
  adam_element(adam, gradient, parameter, m, v);
  store_lanes(r.parameters + i, parameter, count);
  store_lanes(r.first_moment + i, m, count);
  store_lanes(r.second_moment + i, v, count);
}

template <class F>
void optimizer_step(const StepRequest& r, const CpuWork& on) {
  MomentSums about_zero;
  moments<F>({r.gradient, 1, r.n, r.n, 1, 1, 0, &about_zero}, on);
  begin_step(r, about_zero.sum_of_squares, *r.state);
  if (r.state->refused != 0) return;
  const StepState state = *r.state;
  const AdamStep adam = adam_of(r, state);
  split_registers<F>(on, r.n, 4096,
                     [&](long i, int count) { step_elements<F>(r, state, adam, i, count); });
}

}  // namespace gallop::inline GALLOP_ISA
