// An algorithm whose rollouts are seen: a twin repeats each of them from its saved state.
#pragma once

#include "tests/learning/reference_region.h"
#include "tests/training/learner.h"

namespace gallop::testing {

// Runs an algorithm beside a learner that repeats each of its rollouts from its saved state.
struct Watched {
  Learner learner;
  LearnerParts twin;
  std::vector<Vector> inputs;
  Vector before, after;

  Watched(const std::string& environment, const std::string& algorithm,
          const std::vector<std::string>& options)
      : learner(environment, algorithm, 1, options),
        twin(environment, algorithm, with_sizes(options)) {}

  Metrics run() {
    const TensorFile file = learner.saved();
    twin.learner.load(file);
    twin.learner.collect();
    inputs = recorded_inputs(twin);
    before = parameters(file);
    const Metrics metrics = learner.run(1);
    after = parameters(learner.saved());
    return metrics;
  }
  double kl() const { return reference_kl(twin.learner.policy().shape(), inputs, before, after); }

 private:
  static Vector parameters(const TensorFile& file) {
    const std::vector<float> values = floats_of(file, "policy/parameters");
    return {values.begin(), values.end()};
  }
  static std::vector<std::string> with_sizes(const std::vector<std::string>& options) {
    std::vector<std::string> all = {"n_envs=16", "n_steps=24", "hidden=16,8", "steps=100000"};
    all.insert(all.end(), options.begin(), options.end());
    return all;
  }
};

}  // namespace gallop::testing
