#pragma once

#include "host/learning/conjugate_gradient.h"
#include "host/learning/on_policy.h"
#include "host/learning/value_fit.h"

namespace gallop {

// The steps of methods that measure distance between policies by KL divergence. One object serves
// one learner; a step is: prepare at the policy that acted, find the natural direction, try
// candidates.
class TrustRegion {
 public:
  TrustRegion(Backend& backend, OnPolicyLearner& learner);

  // Remembers the policy that acted at all samples of the last rollout, and the gradient of the
  // surrogate loss there. Returns the gradient's norm; throws an Error (non_finite) where it is not
  // finite.
  double prepare();

  // direction = (F + damping I)^-1 (-gradient) by conjugate gradient. Returns direction^T (F +
  // damping I) direction, 0 where the gradient vanishes.
  double natural_direction(double damping, int iterations, double tolerance);
  // -gradient^T direction: what the surrogate gains a unit of the step, to first order.
  double slope() const;
  ConjugateGradientResult last_solve() const { return last_solve_; }

  // Sets the policy to old + scale * direction and returns mean surrogate loss, KL(old || new),
  // entropy.
  struct Candidate {
    double surrogate, kl, entropy;
  };
  Candidate try_step(double scale);
  // The same of the policy as it is.
  Candidate measure() const;
  // The policy's parameters become those that acted, bit for bit.
  void restore();

 private:
  FisherRequest fisher_request() const;

  Backend& backend_;
  OnPolicyLearner& learner_;
  long n_;
  ConjugateGradient solver_;
  ConjugateGradientResult last_solve_;
  DeviceArray<float> old_, ascent_, direction_, product_, units_;
};

// What algorithms that step along the natural gradient share: the order of an iteration, the value
// network that is refitted after the policy's step, and their state.
class TrustRegionAlgorithm : public OnPolicyAlgorithm {
 public:
  explicit TrustRegionAlgorithm(const AlgorithmContext& context);

  Metrics iterate() override;
  void save(TensorFile& file) const override;
  void load(const TensorFile& file) override;

 protected:
  // Moves the policy and reports how.
  virtual void step_policy(Metrics& metrics) = 0;
  // TrustRegion::natural_direction with the options damping, cg_iterations and cg_tolerance.
  double natural_direction();

  TrustRegion region_;

 private:
  ValueFit value_fit_;
};

}  // namespace gallop
