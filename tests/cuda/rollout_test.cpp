// Fused rollouts: every environment, head, network and reset mode on the subject, against the CPU.
#include <bit>

#include <gallop/host/registry/generated.h>
#include "tests/cuda/rollout_case.h"

namespace gallop::testing {
namespace {

Head default_head(const std::string& environment) {
  return spec_of_type(environment).action_kind == SpaceKind::kDiscrete ? Head::kCategorical
                                                                       : Head::kGaussian;
}

constexpr ResetMode kModes[] = {ResetMode::kSameStep, ResetMode::kNextStep, ResetMode::kDisabled};

bool is_tabular(const std::string& environment) {
  return spec_of_type(environment).observation_kind == SpaceKind::kDiscrete;
}

// Returns the CPU's result, for claims about what the case covers.
RolloutResult expect_equal(const RolloutCase& rollout, bool all_orders = false) {
  SCOPED_TRACE(rollout.label());
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  const RolloutResult expected = run_rollout(*cpu, rollout);
  if (all_orders) {
    in_every_order([&] { expect_same(expected, run_rollout(*subject, rollout)); });
  } else {
    expect_same(expected, run_rollout(*subject, rollout));
  }
  if (rollout.stored) {
    EXPECT_FALSE(untouched(expected.reward));
    EXPECT_FALSE(untouched(expected.observation));
  }
  return expected;
}

class EveryEnvironment : public ::testing::TestWithParam<std::string> {
 protected:
  RolloutCase basic(int n_envs, int n_steps) const {
    RolloutCase rollout;
    rollout.environment = GetParam();
    rollout.n_envs = n_envs;
    rollout.n_steps = n_steps;
    rollout.head = default_head(GetParam());
    rollout.time_limit = 13;  // so that episodes end
    return rollout;
  }
};

std::vector<std::string> all_types() {
  std::vector<std::string> types;
  for (int k = 0; k < kNumEnvironmentEntries; k++) types.push_back(kEnvironmentEntries[k].type);
  return types;
}
INSTANTIATE_TEST_SUITE_P(Registry, EveryEnvironment, ::testing::ValuesIn(all_types()),
                         [](const auto& info) { return info.param; });

TEST_P(EveryEnvironment, UniformActionsInEveryResetMode) {
  for (const ResetMode mode : kModes) {
    RolloutCase rollout = basic(131, 40);
    rollout.source = ActionSource::kUniform;
    rollout.mode = mode;
    const RolloutResult result = expect_equal(rollout);
    EXPECT_FALSE(untouched(result.ended_return)) << "no episode ended";
  }
}

TEST_P(EveryEnvironment, RecordedStatesInEveryResetMode) {
  for (const ResetMode mode : kModes) {
    RolloutCase rollout = basic(37, 20);
    rollout.mode = mode;
    rollout.states = true;
    rollout.source = ActionSource::kUniform;
    EXPECT_FALSE(untouched(expect_equal(rollout).states));
    rollout.source = ActionSource::kPolicy;
    expect_equal(rollout);
    if (is_tabular(GetParam())) continue;
    rollout.hidden = {64, 64};
    expect_equal(rollout);
  }
}

// Ids in any order, some of them several times.
TEST_P(EveryEnvironment, IdsFromAnArray) {
  for (const ActionSource source : {ActionSource::kUniform, ActionSource::kPolicy}) {
    RolloutCase rollout = basic(67, 20);
    rollout.source = source;
    for (std::uint32_t i = 0; i < 67; i++) rollout.ids.push_back((i * 0x9e3779b9u) >> (i % 3 * 14));
    expect_equal(rollout);
  }
}

TEST_P(EveryEnvironment, LinearOrTabularPolicyInEveryResetMode) {
  for (const ResetMode mode : kModes) {
    RolloutCase rollout = basic(129, 30);
    rollout.mode = mode;
    rollout.normalized = !is_tabular(GetParam());
    EXPECT_FALSE(untouched(expect_equal(rollout).log_prob));
  }
}

TEST_P(EveryEnvironment, NetworkOfRunTimeWidthInEveryResetMode) {
  if (is_tabular(GetParam())) {
    RolloutCase rollout = basic(3, 1);
    expect_equal(rollout);  // tables have no hidden layers: the smallest batch instead
    return;
  }
  for (const ResetMode mode : kModes) {
    RolloutCase rollout = basic(37, 16);
    rollout.hidden = {19, 32};
    rollout.mode = mode;
    rollout.normalized = true;
    expect_equal(rollout);
  }
}

TEST_P(EveryEnvironment, TwoHiddenLayersOf64) {
  if (is_tabular(GetParam())) {
    RolloutCase rollout = basic(64, 20);
    rollout.deterministic = true;
    expect_equal(rollout);
    return;
  }
  RolloutCase rollout = basic(67, 18);
  rollout.hidden = {64, 64};
  const RolloutResult result = expect_equal(rollout);
  EXPECT_FALSE(untouched(result.ended_return)) << "no episode ended";
  rollout.deterministic = true;
  rollout.stored = false;
  expect_equal(rollout);
}

TEST_P(EveryEnvironment, ParametersForEachInstance) {
  RolloutCase rollout = basic(66, 15);
  rollout.parameters_per_instance = true;
  rollout.source = ActionSource::kUniform;
  expect_equal(rollout);
  if (is_tabular(GetParam())) return;
  rollout.source = ActionSource::kPolicy;
  rollout.hidden = {64, 64};
  expect_equal(rollout);
}

TEST_P(EveryEnvironment, ParametersThatEpisodesDraw) {
  for (const ResetMode mode : kModes) {
    RolloutCase rollout = basic(35, 16);
    rollout.randomized = true;
    rollout.time_limit = 5;
    rollout.mode = mode;
    rollout.parameters_per_instance = mode == ResetMode::kNextStep;
    rollout.source = ActionSource::kUniform;
    expect_equal(rollout);
    if (is_tabular(GetParam()) || mode != ResetMode::kSameStep) continue;
    rollout.source = ActionSource::kPolicy;
    for (const std::vector<int>& hidden : {std::vector<int>{}, {19}, {64, 64}}) {
      rollout.hidden = hidden;
      const RolloutResult drawn = expect_equal(rollout);
      RolloutCase plain = rollout;
      plain.randomized = false;
      const auto cpu = make_cpu_backend(1);
      // The rewards of a jump may be those of the parameter's default.
      if (spec_of_type(GetParam()).n_parameters > 0 && GetParam() != "BanditStep") {
        const RolloutResult otherwise = run_rollout(*cpu, plain);
        EXPECT_FALSE(same_bits(otherwise.observation, drawn.observation) &&
                     same_bits(otherwise.reward, drawn.reward));
      }
    }
  }
}

TEST(Rollout, EveryHeadOfContinuousActions) {
  for (const Head head : {Head::kGaussian, Head::kGaussianNetwork, Head::kDeterministic,
                          Head::kSquashedGaussian, Head::kSquashedDeterministic}) {
    for (const std::vector<int>& hidden :
         {std::vector<int>{}, std::vector<int>{24}, std::vector<int>{64, 64}}) {
      RolloutCase rollout;
      rollout.environment = "LqrDean";
      rollout.head = head;
      rollout.hidden = hidden;
      rollout.n_steps = 12;
      rollout.time_limit = 5;
      rollout.clip = false;
      expect_equal(rollout);
    }
  }
}

TEST(Rollout, EveryActivationAndDepth) {
  for (const Activation activation :
       {Activation::kTanh, Activation::kRelu, Activation::kIdentity}) {
    for (const std::vector<int>& hidden :
         {std::vector<int>{1}, std::vector<int>{64, 64}, std::vector<int>{9, 8, 33, 16}}) {
      RolloutCase rollout;
      rollout.hidden = hidden;
      rollout.activation = activation;
      rollout.n_envs = 33;
      rollout.n_steps = 10;
      expect_equal(rollout);
    }
  }
}

TEST(Rollout, WideLayersOnTheTiles) {
  for (const int width : {128, 256}) {
    for (const int n_envs : {1, 65}) {
      RolloutCase rollout;
      rollout.hidden = {width, width};
      rollout.n_envs = n_envs;
      rollout.n_steps = 4;
      rollout.time_limit = 3;
      rollout.normalized = n_envs == 1;
      expect_equal(rollout);
    }
  }
}

TEST(Rollout, LayersTooWideForManyInstancesABlock) {
  RolloutCase rollout;
  rollout.hidden = {4100};
  rollout.n_envs = 3;
  rollout.n_steps = 2;
  expect_equal(rollout);
  rollout.hidden = {8192};
  expect_equal(rollout);
}

TEST(Rollout, EveryBatchSizeAroundABlock) {
  for (const int n_envs : {1, 2, 3, 31, 32, 33, 63, 64, 65, 127, 128, 129, 257}) {
    for (const std::vector<int>& hidden : {std::vector<int>{}, std::vector<int>{64, 64}}) {
      RolloutCase rollout;
      rollout.n_envs = n_envs;
      rollout.n_steps = n_envs == 1 ? 1 : 3;
      rollout.hidden = hidden;
      expect_equal(rollout);
    }
  }
}

TEST(Rollout, EveryOrderOfThreads) {
  for (const std::vector<int>& hidden : {std::vector<int>{}, std::vector<int>{20, 12},
                                         std::vector<int>{64, 64}, std::vector<int>{256, 256}}) {
    RolloutCase rollout;
    rollout.hidden = hidden;
    rollout.n_envs = 35;
    rollout.n_steps = 3;
    expect_equal(rollout, true);
  }
}

// Steps that share a row have in it what those with rows of their own have, of episodes that were
// cut off; of others nothing is written.
TEST(Rollout, FinalObservationsOfCutEpisodesShareRows) {
  const auto cpu = make_cpu_backend(1);
  const float poison = poisoned<float>(*cpu, 1).download()[0];
  for (const char* environment : {"CartPole", "Pendulum", "InvertedPendulum"}) {
    for (const std::vector<int>& hidden : {std::vector<int>{}, {64, 64}, {9}}) {
      RolloutCase rollout;
      rollout.environment = environment;
      rollout.head = default_head(environment);
      rollout.hidden = hidden;
      rollout.time_limit = 13;
      rollout.n_rollouts = 1;
      const RolloutResult all = expect_equal(rollout);
      rollout.final_interval = rollout.time_limit;
      const RolloutResult shared = expect_equal(rollout);
      const int n = rollout.n_envs, o = int(all.observation.size()) / n / (rollout.n_steps + 1);
      std::vector<float> expected(all.final_observation.size(), poison);
      int cut = 0, ended_otherwise = 0;
      for (int t = 0; t < rollout.n_steps; t++) {
        for (int i = 0; i < n; i++) {
          const bool is_cut = all.truncated[t * n + i] != 0;
          (is_cut ? cut : ended_otherwise) += is_cut || all.terminated[t * n + i] != 0 ? 1 : 0;
          for (int k = 0; k < o && is_cut; k++) {
            expected[(t / rollout.final_interval * o + k) * n + i] =
                all.final_observation[(t * o + k) * n + i];
          }
        }
      }
      EXPECT_TRUE(same_bits(expected, shared.final_observation)) << environment;
      EXPECT_TRUE(same_bits(all.observation, shared.observation)) << environment;
      EXPECT_GT(cut, 0);
      EXPECT_GT(ended_otherwise, rollout.environment == "CartPole" ? 0 : -1);
    }
  }
}

TEST(Rollout, NonFiniteNumbersAreNotedAlike) {
  RolloutCase rollout;
  rollout.environment = "LqrDean";
  rollout.head = Head::kDeterministic;
  rollout.weight_scale = 1e9f;
  rollout.clip = false;
  rollout.n_steps = 20;
  const RolloutResult result = expect_equal(rollout);
  EXPECT_TRUE(result.nonfinite.found);
  rollout.hidden = {64, 64};
  rollout.activation = Activation::kIdentity;
  EXPECT_TRUE(expect_equal(rollout).nonfinite.found);
}

TEST(Rollout, ComparisonTakesOneNanForAnother) {
  const auto with = [](std::uint32_t bits) {
    return std::vector<float>{1.0f, std::bit_cast<float>(bits)};
  };
  EXPECT_TRUE(same_bits(with(0xffc00000u), with(0x7fffffffu)));
  EXPECT_TRUE(same_bits(with(0x7fc00001u), with(0x7fc00000u)));
  for (const std::uint32_t number : {0x7f800000u, 0xff800000u, 0u, 0x3f800000u}) {
    EXPECT_FALSE(same_bits(with(0xffc00000u), with(number)));
    EXPECT_FALSE(same_bits(with(number), with(0x7fffffffu)));
  }
  const std::vector<std::uint32_t> a = {0xffc00000u}, b = {0x7fffffffu};
  EXPECT_FALSE(same_bits(a, b)) << "integers have no NaN";
}

// The comparison itself must find a difference of one bit and a place that was not written.
TEST(Rollout, ComparisonFindsPlantedErrors) {
  const std::vector<float> values = {1.0f, 0.0f, -2.0f};
  std::vector<float> changed = values;
  EXPECT_TRUE(same_bits(values, changed));
  changed[1] = -0.0f;
  EXPECT_FALSE(same_bits(values, changed));
  const auto cpu = make_cpu_backend(1);
  RolloutCase rollout;
  rollout.n_envs = 5;
  rollout.n_steps = 3;
  const RolloutResult result = run_rollout(*cpu, rollout);
  rollout.stored = false;
  EXPECT_FALSE(same_bits(result.reward, run_rollout(*cpu, rollout).reward));
}

}  // namespace
}  // namespace gallop::testing
