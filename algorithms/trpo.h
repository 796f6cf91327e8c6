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

}  // namespace gallop
