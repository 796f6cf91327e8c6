// Reset, observation and single steps on the subject, against the CPU.
#include <algorithm>

#include <gallop/host/registry/registry.h>
#include "tests/cuda/step_case.h"

namespace gallop::testing {
namespace {

TEST(Step, EveryEnvironmentAndResetMode) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  for (int k = 0; k < kNumEnvironmentEntries; k++) {
    StepCase c;
    c.environment = kEnvironmentEntries[k].type;
    for (const ResetMode mode :
         {ResetMode::kSameStep, ResetMode::kNextStep, ResetMode::kDisabled}) {
      for (const int n_envs : {1, 130, 131}) {
        SCOPED_TRACE(c.environment + " mode " + std::to_string(int(mode)));
        c.mode = mode;
        c.n_envs = n_envs;
        c.has_impossible_actions = n_envs == 131;
        const StepResult expected = run_steps(*cpu, c);
        const StepResult actual = run_steps(*subject, c);
        EXPECT_TRUE(same_bits(expected.observation, actual.observation)) << "observation";
        EXPECT_TRUE(same_bits(expected.final_observation, actual.final_observation)) << "final";
        EXPECT_TRUE(same_bits(expected.reward, actual.reward)) << "reward";
        EXPECT_TRUE(same_bits(expected.ended_return, actual.ended_return)) << "ended_return";
        EXPECT_TRUE(same_bits(expected.terminated, actual.terminated)) << "terminated";
        EXPECT_TRUE(same_bits(expected.truncated, actual.truncated)) << "truncated";
        EXPECT_TRUE(same_bits(expected.ended_length, actual.ended_length)) << "ended_length";
        EXPECT_TRUE(same_bits(expected.first_return, actual.first_return)) << "first_return";
        EXPECT_TRUE(same_bits(expected.first_length, actual.first_length)) << "first_length";
        EXPECT_TRUE(same_bits(expected.terms, actual.terms)) << "terms";
        EXPECT_TRUE(same_bits(expected.state, actual.state)) << "state";
        EXPECT_TRUE(same_bits(expected.nonfinite, actual.nonfinite)) << "nonfinite";
        const bool discrete = spec_of(kEnvironmentEntries[k]).action_kind == SpaceKind::kDiscrete;
        EXPECT_EQ(std::any_of(expected.nonfinite.begin(), expected.nonfinite.end(),
                              [](std::uint32_t time) { return time != 0; }),
                  discrete && c.has_impossible_actions);
        EXPECT_FALSE(untouched(actual.ended_length)) << "no episode ended";
      }
    }
  }
}

}  // namespace
}  // namespace gallop::testing
