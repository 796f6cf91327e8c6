#pragma once

#include <memory>

#include <gallop/host/learning/model_paths.h>
#include <gallop/host/learning/on_policy.h>
#include <gallop/host/learning/value_fit.h>

namespace gallop {

// Why algorithms that differentiate by observations and actions cannot learn an environment, or
// null.
const char* continuous_refusal(const EnvironmentSpec& spec);

// What algorithms share that learn a model of the dynamics from their own rollouts: rollouts are
// kept, a model is fitted to what is kept, and a value network, where there is one, to the
// lambda-returns of the last rollout.
class ModelBasedAlgorithm : public OnPolicyAlgorithm {
 public:
  // `name` is the algorithm's. Throws a value error for what continuous_refusal says, and for an
  // environment's own policy.
  ModelBasedAlgorithm(const char* name, const AlgorithmContext& context, bool has_model,
                      bool has_value);

  void save(TensorFile& file) const override;

 protected:
  void load_state(const TensorFile& file) override;

  // Runs the policy and takes the rollout in. Adds metrics of its episodes.
  Metrics collect();
  void fit_value(Metrics& metrics);
  void fit_model(Metrics& metrics);
  // Numbers of transitions [n] to learn from: those from place `first` on of an order of all, drawn
  // anew in every iteration; behind the last one begins the first. Random numbers: purpose
  // kRandomShuffle, counters from 2^41 on.
  std::vector<std::uint32_t> draw(long first, long n);
  // One step of the policy along the gradient behind its parameters. Adds gradient_norm.
  double step_policy();
  ModelPaths make_paths(int n_steps, long n) const;

  // Stands at the head of an iteration beside UpdateGuard, for the model.
  class Guard {
   public:
    explicit Guard(ModelBasedAlgorithm& algorithm);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    UpdateGuard networks_;
    ModelBasedAlgorithm& algorithm_;
    int exceptions_;
  };

  // Null in a learner that only plays.
  std::unique_ptr<TransitionStore> store_;
  std::unique_ptr<DynamicsModel> model_;  // null without one
  std::unique_ptr<ValueFit> value_fit_;

 private:
  std::vector<std::uint32_t> order_;  // of this iteration
  DeviceArray<std::uint32_t> shuffled_;
};

}  // namespace gallop
