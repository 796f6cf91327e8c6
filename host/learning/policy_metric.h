// The natural gradient of a policy whose gradient was found without likelihood ratios: the metric
// is the Fisher matrix over states that the policy visits.
#pragma once

#include <span>
#include <vector>

#include <gallop/host/learning/algorithm.h>

namespace gallop {

class PolicyMetric {
 public:
  // References of the context outlive it. Throws a value error for a policy without a density.
  PolicyMetric(const AlgorithmContext& context, const PolicyShape& shape, double damping);

  // (F + damping I)^-1 gradient at this policy, by conjugate gradient in double on order-free
  // products, over 64 steps of 32 instances whose ids and so random numbers belong to the
  // generation alone. [D]. Throws an Error (non_finite) where the episodes or the solution are not
  // finite.
  std::vector<double> solve(const PolicyView& policy, std::uint64_t generation,
                            std::span<const double> gradient) const;

 private:
  AlgorithmContext context_;
  double damping_;
};

}  // namespace gallop
