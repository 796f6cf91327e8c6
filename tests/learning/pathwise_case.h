// A learner with the gradient through its simulator, on any backend.
#pragma once

#include <cstring>

#include <gallop/host/learning/on_policy.h>
#include <gallop/host/learning/pathwise.h>
#include <gallop/host/training/run_options.h>

namespace gallop::testing {

struct PathwiseCase {
  RunOptions options;
  std::unique_ptr<Backend> backend;
  AlgorithmContext context;
  OnPolicyLearner learner;
  PathwiseGradient gradient;

  // With the options of bptt.
  PathwiseCase(const std::string& environment, const std::vector<std::string>& assignments,
               std::unique_ptr<Backend> on)
      : options(with(RunOptions(environment, "bptt"), assignments)),
        backend(std::move(on)),
        context{*backend, options.environment(), options.values(), options.seed(),
                options.configure()},
        learner(context),
        gradient(context, learner.environments(), learner.policy(), learner.rollout()) {
    if (!options.values().flag("sample_actions")) learner.rollout().act_deterministically();
  }
  PathwiseCase(const PathwiseCase&) = delete;
  PathwiseCase& operator=(const PathwiseCase&) = delete;

  void set_parameters(const std::vector<float>& values) {
    backend->to_device(learner.policy().parameters().mutable_data(), values.data(),
                       values.size() * sizeof(float));
  }
  // By the policy's parameters, of the mean over instances of what the last rollout earned.
  std::vector<float> find(const float* tail = nullptr) {
    gradient.find(learner.environments(), learner.rollout(), learner.policy(),
                  1.0 / learner.environments().n_envs(), tail);
    std::vector<float> values(std::size_t(learner.policy().parameters().size()));
    backend->to_host(values.data(), learner.policy().parameters().gradient(),
                     values.size() * sizeof(float));
    return values;
  }
  // The same of a new rollout.
  std::vector<float> next(const float* tail = nullptr) {
    learner.collect_from_reset();
    return find(tail);
  }

 private:
  static RunOptions with(RunOptions options, const std::vector<std::string>& assignments) {
    for (const std::string& assignment : assignments) options.set_assignment(assignment, "test");
    return options;
  }
};

}  // namespace gallop::testing
