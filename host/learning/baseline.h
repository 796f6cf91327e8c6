#pragma once

#include <memory>

#include <gallop/host/learning/on_policy.h>
#include <gallop/host/learning/value_fit.h>

namespace gallop {

// A baseline b(s), fitted to the returns of one rollout and subtracted from those of the next, so
// that it depends on other data than what it is subtracted from and the gradient stays unbiased.
// Where a rollout cuts an episode it also stands for the rewards that were not seen.
class Baseline {
 public:
  virtual ~Baseline() = default;
  // b at every recorded state and at the final observations of cut episodes, into the learner's
  // arrays `value` and `final_value`.
  virtual void evaluate() = 0;
  // Refits b to the learner's targets, and returns the mean of (b - target)^2 / 2 (of the last
  // pass, for a network; of the new fit, for the others). Throws an Error (non_finite).
  virtual double fit() = 0;
  virtual void save(TensorFile& file) const = 0;
  virtual void load(const TensorFile& file) = 0;
};

// The baseline that option `baseline` names. References outlive it.
std::unique_ptr<Baseline> make_baseline(const AlgorithmContext& context, OnPolicyLearner& learner);

// The part that is the same for algorithms with a baseline.
class BaselineAlgorithm : public OnPolicyAlgorithm {
 public:
  explicit BaselineAlgorithm(const AlgorithmContext& context);
  void save(TensorFile& file) const override;

 protected:
  void load_state(const TensorFile& file) override;
  std::unique_ptr<Baseline> baseline_;
};

}  // namespace gallop
