// A policy or value network with recorded samples, its gradient by the shipped kernels, and its
// loss by the reference in double.
#pragma once

#include <algorithm>

#include <gallop/kernels/gradients/gradient.h>
#include "tests/learning/kernel_sets.h"
#include "tests/learning/reference_policy.h"

namespace gallop::testing {

struct GradientConfig {
  Head head = Head::kCategorical;
  bool tabular = false;
  Activation activation = Activation::kTanh;
  std::vector<int> hidden;
  int inputs = 4, n_actions = 2;
  int count = 128;
  PolicyLoss loss = PolicyLoss::kClippedSurrogate;
  bool normalized = false, ordered = false;
  float entropy = 0.0f;
};

struct GradientCase {
  GradientConfig config;
  PolicyShape shape = {};
  std::vector<float> parameters;
  std::vector<float> mean, inverse_std;
  int n_envs, n_steps;
  std::vector<float> observation, action, log_prob, advantage, target;
  std::vector<float> before;  // [T, N] or none: values that `clip` keeps others near
  std::vector<std::uint32_t> order;
  float clip = 0.2f, kl_penalty = 0.7f, weight;

  GradientCase(const GradientConfig& c, std::uint64_t seed, bool for_value = false);

  int rows() const { return config.tabular ? 1 : config.inputs; }
  int action_rows() const { return config.head == Head::kCategorical ? 1 : config.n_actions; }
  long n_parameters() const { return long(parameters.size()); }
  Normalization normalization() const {
    if (!config.normalized) return {nullptr, nullptr, 0};
    return {mean.data(), inverse_std.data(), 1.5f};
  }
  Samples samples() const {
    return {n_envs,
            rows(),
            action_rows(),
            observation.data(),
            action.data(),
            log_prob.data(),
            advantage.data(),
            target.data(),
            order.empty() ? nullptr : order.data(),
            config.count};
  }
  long id(int sample) const { return order.empty() ? sample : long(order[sample]); }
  Vector input(int sample) const;
  Vector action_of(int sample) const;
  Vector parameters_in_double() const { return {parameters.begin(), parameters.end()}; }

  // Loss that the kernels differentiate, and the sums of the statistics.
  double policy_objective(const Vector& theta, double* statistics = nullptr) const;
  double value_objective(const Vector& theta, double* statistics = nullptr) const;

  // Gradient [D] and statistics by the kernels; chunks, and elements of sums, `grain` at a time.
  std::vector<float> policy_gradient(const KernelSet& set, int grain = 1 << 20) const;
  std::vector<float> value_gradient(const KernelSet& set, int grain = 1 << 20) const;

  // Gives log_prob the values that `act` computes, so that pi is pi_old.
  void act_anew(const KernelSet& set);
  // Outputs [outputs, T * N] of the operation `values`.
  std::vector<float> evaluate(const KernelSet& set) const;

 private:
  void draw_action(int sample, const Vector& output, const double* log_std, Random& random);
};

}  // namespace gallop::testing
