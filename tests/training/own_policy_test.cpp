// Learning the few weights of the policy that an environment brings with it.
#include <gtest/gtest.h>

#include <gallop/host/error.h>
#include <gallop/host/learning/own_policy.h>
#include "tests/host/edited_tensors.h"
#include "tests/host/expect_error.h"
#include "tests/training/learner.h"

namespace gallop::testing {
namespace {

std::vector<std::string> own(std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"policy=own", "parameters.features=1"});
  return more;
}

const std::vector<const char*> kMethods = {
    "ppo", "trpo", "vpg", "cem", "cma_es", "es", "pgpe", "ars", "finite_differences"};

// Twelve weights of a linear policy from twelve features to four controls, and behind them, where
// it has noise, four deviations.
TEST(OwnPolicy, LearnsItsWeightsAndNothingElse) {
  const EnvironmentSpec& spec = spec_of(find_environment("helicopter"));
  for (const char* method : kMethods) {
    SCOPED_TRACE(method);
    Learner learner("helicopter", method, 2, own());
    const std::vector<float> before = floats_of(learner.saved(), "policy/parameters");
    ASSERT_GE(before.size(), 52u);
    learner.run(2);
    const std::vector<float> after = floats_of(learner.saved(), "policy/parameters");
    const PolicyView view = learner.algorithm->policy();
    const LearntPart part = own_part(spec, view.shape);
    EXPECT_EQ(part.learnt().size(), before.size() - 40);
    int moved = 0;
    for (std::size_t k = 0; k < before.size(); k++) {
      if (part.fixed[k] != 0) {
        EXPECT_EQ(after[k], part.values[k]) << k;
        EXPECT_EQ(before[k], part.values[k]) << k;
      } else {
        moved += after[k] != before[k] ? 1 : 0;
      }
    }
    EXPECT_GE(moved, 12);
    EXPECT_EQ(part.values[51], float(spec.own_policy.constants[3]));
  }
}

TEST(OwnPolicy, HasTheSameBitsForAnyThreadsAndFromACheckpoint) {
  for (const char* method : {"trpo", "cma_es", "es", "finite_differences"}) {
    SCOPED_TRACE(method);
    Learner one("helicopter", method, 1, own()), three("helicopter", method, 3, own());
    one.run(2);
    three.run(1);
    Learner later("helicopter", method, 2, own());
    later.algorithm->load(three.saved());
    later.run(1);
    EXPECT_TRUE(differences(one.saved(), later.saved()).empty());
  }
}

TEST(OwnPolicy, StepsAlongItsNaturalGradient) {
  Learner learner("helicopter", "finite_differences", 1,
                  own({"natural=true", "action_noise=0.1", "damping=0.01"}));
  const std::vector<float> before = floats_of(learner.saved(), "policy/parameters");
  learner.run(1);
  const std::vector<float> after = floats_of(learner.saved(), "policy/parameters");
  const LearntPart part =
      own_part(spec_of(find_environment("helicopter")), learner.algorithm->policy().shape);
  ASSERT_EQ(before.size(), 56u);
  // Members take means, which the deviations behind the weights do not change.
  for (std::size_t k = 0; k < before.size(); k++) {
    EXPECT_EQ(after[k] != before[k], k < 52 && part.fixed[k] == 0) << k;
  }
}

TEST(OwnPolicy, RefusesACheckpointWithOtherFixedWeights) {
  for (const char* method : {"trpo", "cma_es"}) {
    Learner learner("helicopter", method, 1, own());
    // The weight from u to the aileron.
    const TensorFile edited = test::with_element(learner.saved(), "policy/parameters", 0, 0.5f);
    test::expect_error_with(
        ExitCode::checkpoint, [&] { learner.algorithm->load(edited); }, "policy/parameters",
        "element 0", "fixed");
  }
}

TEST(OwnPolicy, RefusesWhatDoesNotGoWithIt) {
  const auto refuse = [](const std::string& environment, const std::string& method,
                         const std::vector<std::string>& options, const std::string& text) {
    test::expect_error_with(
        ExitCode::value, [&] { Learner(environment, method, 1, options); }, text);
  };
  refuse("helicopter", "trpo", {"policy=own", "parameters.features=0"}, "features");
  refuse("helicopter", "cem", {"policy=own", "parameters.features=0"}, "features");
  refuse("helicopter", "eggroll", own(), "matrices");
  refuse("pendulum", "ppo", {"policy=own"}, "brings no policy");
  refuse("helicopter", "ppo", own({"log_std=network"}), "log_std");
}

}  // namespace
}  // namespace gallop::testing
