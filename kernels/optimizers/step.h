// Steps of an optimiser that limit the gradient's norm, or refuse it, without the host: many of
// them can be queued, or captured into a graph, and looked at when they are done.
#pragma once

#include "kernels/optimizers/adam.h"

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
GALLOP_HD AdamRequest adam_of(const StepRequest& r, const StepState& state) {
  const bool adam = r.rule == StepRule::kAdam;
  return {r.parameters,
          r.gradient,
          r.first_moment,
          r.second_moment,
          float(state.learning_rate),
          adam ? float(r.beta1) : 0.0f,
          float(r.beta2),
          r.epsilon,
          adam ? float(1.0 - state.power1) : 1.0f,
          adam ? float(1.0 - state.power2) : 1.0f,
          float(state.scale),
          0,
          r.n};
}
GALLOP_HD float plain_factor(const StepState& state) {
  return float(-state.learning_rate * state.scale);
}

}  // namespace gallop::inline GALLOP_ISA
