// An on-policy learner on the CPU with all that it refers to: its arrays are memory of this
// process.
#pragma once

#include <gallop/host/learning/on_policy.h>
#include <gallop/host/training/run_options.h>

namespace gallop::testing {

struct LearnerParts {
  RunOptions options;
  std::unique_ptr<Backend> backend;
  AlgorithmContext context;
  OnPolicyLearner learner;

  // With the options of an algorithm.
  LearnerParts(const std::string& environment, const std::string& algorithm,
               const std::vector<std::string>& assignments, int threads = 1)
      : options(with(RunOptions(environment, algorithm), assignments)),
        backend(make_cpu_backend(threads)),
        context{*backend, options.environment(), options.values(), options.seed(),
                options.configure()},
        learner(context) {}
  LearnerParts(const LearnerParts&) = delete;
  LearnerParts& operator=(const LearnerParts&) = delete;

  RolloutArrays arrays() const { return learner.arrays(); }

 private:
  static RunOptions with(RunOptions options, const std::vector<std::string>& assignments) {
    for (const std::string& assignment : assignments) options.set_assignment(assignment, "test");
    return options;
  }
};

}  // namespace gallop::testing
