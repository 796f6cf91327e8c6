#pragma once

#include <gallop/host/learning/trust_region.h>

namespace gallop {

// One step of trust region policy optimisation from a rollout and its advantages: the first of the
// steps beta s, beta factor s, beta factor^2 s ... that improves the surrogate with a mean KL of at
// most delta. Where none does, or something is not finite, the parameters stay as they were, bit
// for bit; throws an Error (non_finite) where the gradient or the curvature is not. Waits for its
// end.
LineSearchState trpo_step(Backend& backend, TrustRegion& region, const SolverOptions& solver,
                          const SearchOptions& search);

// The same by the options delta, backtrack_factor and backtracks. Adds to the metrics what came of
// it: policy_loss, surrogate_gain, kl, kl_greatest where it is what is bounded, entropy,
// gradient_norm and step_scale.
void trpo_step(const AlgorithmContext& context, TrustRegion& region, const SolverOptions& solver,
               Metrics& metrics);

}  // namespace gallop
