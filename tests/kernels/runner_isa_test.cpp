// The runner: time limits, the three reset modes, episodes, shards, last registers that are not
// full, numbers that are not finite. Every test runs with the registers of its program's
// instruction set; sizes are chosen so that registers are full, partial and many.
#include <gallop/kernels/environment/runner.h>

#include <gallop/kernels/tables/environment_table_impl.h>
#include <gallop/kernels/tables/transition_table_impl.h>
#include "tests/kernels/counting_environment.h"
#include "tests/kernels/isa_numbers.h"
#include "tests/sims/instance_batch.h"

namespace gallop::testing {
namespace {

constexpr std::uint64_t kSeed = 99;
constexpr int kEndAt = 0, kBlowAt = 1, kRewardScale = 2;  // parameters of Counting

const EnvironmentTable& counting() { return EnvironmentFunctions<Counting>::kTable; }
const TransitionTable& transitions() { return TransitionFunctions<Counting>::kTable; }
const EnvironmentTable& echo() { return EnvironmentFunctions<Echo>::kTable; }

// `luck` of the documented stream: purpose, instance, episode, step.
float luck(RandomPurpose purpose, std::uint32_t id, std::uint32_t episode, std::uint32_t step) {
  Rng<float> rng(kSeed, purpose, id, episode, step);
  return rng.uniform();
}

class RunnerTest : public ::testing::TestWithParam<int> {
 protected:
  int n() const { return GetParam(); }
  std::vector<float> actions(float action) const { return std::vector<float>(n(), action); }
};

TEST_P(RunnerTest, ResetBeginsEpisodeZeroOfEveryInstance) {
  InstanceBatch b(counting(), n(), kSeed, 1000);
  b.reset();
  const std::vector<float> observation = b.observe();
  for (int i = 0; i < n(); i++) {
    EXPECT_EQ(observation[i], 0.0f);
    EXPECT_EQ(observation[n() + i], luck(kRandomReset, 1000 + i, 0, 0));
    EXPECT_EQ(b.episode[i], 0u);
    EXPECT_EQ(b.elapsed[i], 0);
    EXPECT_EQ(b.episode_return[i], 0.0f);
    EXPECT_EQ(b.ended[i], 0);
  }
}

TEST_P(RunnerTest, NothingBeyondTheLastInstanceIsWritten) {
  InstanceBatch b(counting(), n(), kSeed);
  b.batch.time_limit = 2;
  b.reset();
  for (int t = 0; t < 5; t++) b.step(actions(0), ResetMode::kSameStep);
  for (long i = n(); i < b.batch.stride; i++) {
    EXPECT_EQ(b.state[i], kPoison) << i;
    EXPECT_EQ(b.state[b.batch.stride + i], kPoison) << i;
    EXPECT_EQ(b.episode_return[i], kPoison) << i;
    EXPECT_EQ(b.episode[i], 0xdeadbeef) << i;
    EXPECT_EQ(b.elapsed[i], -12345) << i;
    EXPECT_EQ(b.ended[i], kPoisonFlag) << i;
    EXPECT_EQ(b.nonfinite[i], 0u) << i;
  }
}

TEST_P(RunnerTest, StepsOfAnEpisodeThatGoesOn) {
  InstanceBatch b(counting(), n(), kSeed, 7);
  b.reset();
  for (int t = 0; t < 3; t++) {
    const StepArrays to = b.step(actions(1), ResetMode::kSameStep);
    for (int i = 0; i < n(); i++) {
      EXPECT_EQ(to.observation[i], 2.0f * (t + 1));
      EXPECT_EQ(to.observation[n() + i], luck(kRandomDynamics, 7 + i, 0, t));
      EXPECT_EQ(to.reward[i], 2.0f * (t + 1));
      EXPECT_EQ(to.terminated[i], 0);
      EXPECT_EQ(to.truncated[i], 0);
      // Nothing is written where no episode ended.
      EXPECT_EQ(to.final_observation[i], kPoison);
      EXPECT_EQ(to.ended_return[i], kPoison);
      EXPECT_EQ(to.ended_length[i], -12345);
    }
  }
  for (int i = 0; i < n(); i++) {
    EXPECT_EQ(b.elapsed[i], 3);
    EXPECT_EQ(b.episode_return[i], 2.0f + 4.0f + 6.0f);
  }
}

TEST_P(RunnerTest, SameStepResetsWithinTheStep) {
  InstanceBatch b(counting(), n(), kSeed, 7);
  b.batch.time_limit = 3;
  b.reset();
  for (int t = 1; t <= 9; t++) {
    const StepArrays to = b.step(actions(0), ResetMode::kSameStep);
    const bool ends = t % 3 == 0;
    const std::uint32_t episode = std::uint32_t(t - 1) / 3;
    for (int i = 0; i < n(); i++) {
      ASSERT_EQ(to.truncated[i], ends ? 1 : 0) << t;
      ASSERT_EQ(to.terminated[i], 0) << t;
      ASSERT_EQ(to.reward[i], float((t - 1) % 3 + 1)) << t;
      if (!ends) continue;
      EXPECT_EQ(to.observation[i], 0.0f);
      EXPECT_EQ(to.observation[n() + i], luck(kRandomReset, 7 + i, episode + 1, 0));
      EXPECT_EQ(to.final_observation[i], 3.0f);
      EXPECT_EQ(to.final_observation[n() + i], luck(kRandomDynamics, 7 + i, episode, 2));
      EXPECT_EQ(to.ended_return[i], 6.0f);
      EXPECT_EQ(to.ended_length[i], 3);
      EXPECT_EQ(b.episode[i], episode + 1);
      EXPECT_EQ(b.elapsed[i], 0);
    }
  }
}

TEST_P(RunnerTest, NextStepResetsInTheStepAfter) {
  InstanceBatch b(counting(), n(), kSeed, 7);
  b.set_parameter(kEndAt, 3);
  b.reset();
  for (int t = 1; t <= 12; t++) {
    // Big actions where they have to be ignored.
    const bool resets = t % 4 == 0, ends = t % 4 == 3;
    const StepArrays to = b.step(actions(resets ? 2 : 0), ResetMode::kNextStep);
    const std::uint32_t episode = std::uint32_t(t - 1) / 4;
    for (int i = 0; i < n(); i++) {
      ASSERT_EQ(to.terminated[i], ends ? 1 : 0) << t;
      ASSERT_EQ(to.truncated[i], 0) << t;
      ASSERT_EQ(to.reward[i], resets ? 0.0f : float(t % 4)) << t;
      ASSERT_EQ(to.observation[i], resets ? 0.0f : float(t % 4)) << t;
      ASSERT_EQ(to.observation[n() + i], resets
                                             ? luck(kRandomReset, 7 + i, episode + 1, 0)
                                             : luck(kRandomDynamics, 7 + i, episode, (t - 1) % 4))
          << t;
      ASSERT_EQ(b.ended[i], ends ? 1 : 0) << t;
      ASSERT_EQ(b.episode[i], resets ? episode + 1 : episode) << t;
      ASSERT_EQ(b.elapsed[i], t % 4) << t;
      ASSERT_EQ(to.ended_return[i], ends ? 6.0f : kPoison) << t;
      ASSERT_EQ(to.ended_length[i], ends ? 3 : -12345) << t;
      ASSERT_EQ(to.final_observation[i], ends ? 3.0f : kPoison) << t;
    }
  }
}

TEST_P(RunnerTest, DisabledLeavesTheEndedStateUntilItIsReset) {
  InstanceBatch b(counting(), n(), kSeed, 7);
  b.set_parameter(kEndAt, 2);
  b.reset();
  b.step(actions(0), ResetMode::kDisabled);
  const StepArrays to = b.step(actions(0), ResetMode::kDisabled);
  for (int i = 0; i < n(); i++) {
    EXPECT_EQ(to.terminated[i], 1);
    EXPECT_EQ(to.observation[i], 2.0f);
    EXPECT_EQ(to.final_observation[i], 2.0f);
    EXPECT_EQ(b.ended[i], 1);
    EXPECT_EQ(b.episode[i], 0u);
  }
  // Further steps change nothing, whatever the action.
  const std::vector<float> state = b.state;
  const StepArrays idle = b.step(actions(1), ResetMode::kDisabled);
  EXPECT_EQ(b.state, state);
  for (int i = 0; i < n(); i++) {
    EXPECT_EQ(idle.reward[i], 0.0f);
    EXPECT_EQ(idle.terminated[i] | idle.truncated[i], 0);
    EXPECT_EQ(idle.observation[i], 2.0f);
    EXPECT_EQ(idle.ended_length[i], -12345);
    EXPECT_EQ(b.ended[i], 1);
  }
  // Every third instance begins its next episode; the others stay as they are.
  std::vector<std::uint8_t> mask(n(), 0);
  for (int i = 0; i < n(); i += 3) mask[i] = 1;
  b.reset(mask.data());
  const std::vector<float> observation = b.observe();
  for (int i = 0; i < n(); i++) {
    const bool chosen = i % 3 == 0;
    EXPECT_EQ(observation[i], chosen ? 0.0f : 2.0f) << i;
    EXPECT_EQ(observation[n() + i],
              chosen ? luck(kRandomReset, 7 + i, 1, 0) : luck(kRandomDynamics, 7 + i, 0, 1))
        << i;
    EXPECT_EQ(b.episode[i], chosen ? 1u : 0u) << i;
    EXPECT_EQ(b.elapsed[i], chosen ? 0 : 2) << i;
    EXPECT_EQ(b.episode_return[i], chosen ? 0.0f : 3.0f) << i;
    EXPECT_EQ(b.ended[i], chosen ? 0 : 1) << i;
  }
}

TEST_P(RunnerTest, BothFlagsMayBeTrue) {
  for (const ResetMode mode : {ResetMode::kSameStep, ResetMode::kNextStep, ResetMode::kDisabled}) {
    InstanceBatch b(counting(), n(), kSeed);
    b.set_parameter(kEndAt, 4);
    b.batch.time_limit = 4;
    b.reset();
    StepArrays to(n(), 2);
    for (int t = 0; t < 4; t++) to = b.step(actions(0), mode);
    for (int i = 0; i < n(); i++) {
      EXPECT_EQ(to.terminated[i], 1);
      EXPECT_EQ(to.truncated[i], 1);
      EXPECT_EQ(to.ended_return[i], 10.0f);
      EXPECT_EQ(to.ended_length[i], 4);
    }
  }
}

TEST_P(RunnerTest, WithoutATimeLimitNothingIsTruncated) {
  InstanceBatch b(counting(), n(), kSeed);
  b.batch.time_limit = 0;
  b.reset();
  for (int t = 0; t < 50; t++) {
    const StepArrays to = b.step(actions(2), ResetMode::kSameStep);
    for (int i = 0; i < n(); i++) ASSERT_EQ(to.truncated[i] | to.terminated[i], 0);
  }
}

TEST_P(RunnerTest, EachInstanceMayHaveItsOwnParameters) {
  InstanceBatch b(counting(), n(), kSeed);
  b.make_parameters_per_instance();
  for (int i = 0; i < n(); i++) {
    b.parameters[kEndAt * b.batch.stride + i] = float(1 + i % 5);
    b.parameters[kRewardScale * b.batch.stride + i] = float(i);
  }
  b.reset();
  for (int t = 1; t <= 7; t++) {
    const StepArrays to = b.step(actions(0), ResetMode::kSameStep);
    for (int i = 0; i < n(); i++) {
      const int period = 1 + i % 5;
      ASSERT_EQ(to.terminated[i], t % period == 0 ? 1 : 0) << i << " " << t;
      ASSERT_EQ(to.reward[i], float(i) * float((t - 1) % period + 1)) << i << " " << t;
    }
  }
}

TEST_P(RunnerTest, StateCanBeReadAndWritten) {
  InstanceBatch b(counting(), n(), kSeed);
  b.reset();
  const std::vector<float> saved = b.state;
  const StepArrays once = b.step(actions(1), ResetMode::kSameStep);
  for (int i = 0; i < n(); i++) b.state[i] = float(100 + i);
  EXPECT_EQ(b.observe()[n() - 1], float(100 + n() - 1));
  const StepArrays to = b.step(actions(0), ResetMode::kSameStep);
  for (int i = 0; i < n(); i++) EXPECT_EQ(to.observation[i], float(101 + i));
  // Put back with its counters, a state goes the same way again.
  b.state = saved;
  std::fill(b.elapsed.begin(), b.elapsed.begin() + n(), 0);
  EXPECT_EQ(b.step(actions(1), ResetMode::kSameStep).observation, once.observation);
}

TEST_P(RunnerTest, ContinuousActionsAreClippedOnlyWhenAsked) {
  InstanceBatch b(echo(), n(), kSeed);
  b.reset();
  std::vector<float> action;
  for (int k = 0; k < 2; k++) {
    for (int i = 0; i < n(); i++) action.push_back(k == 0 ? -3.0f + float(i % 7) : float(i % 7));
  }
  action[0] = NAN;
  const std::vector<float> as_given = b.step(action, ResetMode::kSameStep, false).observation;
  const std::vector<float> clipped = b.step(action, ResetMode::kSameStep, true).observation;
  EXPECT_TRUE(std::isnan(as_given[0]));
  EXPECT_TRUE(std::isnan(clipped[0])) << "clipping must not hide a NaN";
  for (size_t i = 1; i < action.size(); i++) {
    const bool first = i < size_t(n());
    EXPECT_EQ(as_given[i], action[i]);
    EXPECT_EQ(clipped[i],
              std::fmin(first ? 1.0f : 2.0f, std::fmax(first ? -1.0f : -0.5f, action[i])));
  }
}

TEST_P(RunnerTest, NonFiniteNumbersAreNotedOnceWithTheirTime) {
  InstanceBatch b(counting(), n(), kSeed);
  b.make_parameters_per_instance();
  const int victim = n() / 2;
  b.parameters[kBlowAt * b.batch.stride + victim] = 3;
  b.batch.time_limit = 5;  // the victim blows up again in its second episode
  b.reset();
  for (int t = 1; t <= 2; t++) b.step(actions(0), ResetMode::kSameStep);
  EXPECT_EQ(b.nonfinite_any, 0u);
  for (int t = 3; t <= 12; t++) b.step(actions(0), ResetMode::kSameStep);
  EXPECT_EQ(b.nonfinite_any, 1u);
  for (int i = 0; i < n(); i++) EXPECT_EQ(b.nonfinite[i], i == victim ? 3u : 0u) << i;
}

TEST_P(RunnerTest, NonFiniteRewardsAreNotedToo) {
  InstanceBatch b(counting(), n(), kSeed);
  b.make_parameters_per_instance();
  b.parameters[kRewardScale * b.batch.stride + n() - 1] = NAN;
  b.reset();
  b.step(actions(0), ResetMode::kNextStep);
  for (int i = 0; i < n(); i++) EXPECT_EQ(b.nonfinite[i], i == n() - 1 ? 1u : 0u) << i;
}

TEST_P(RunnerTest, OutputsMayBeLeftOut) {
  InstanceBatch b(counting(), n(), kSeed), c(counting(), n(), kSeed);
  for (InstanceBatch* batch : {&b, &c}) {
    batch->batch.time_limit = 2;
    batch->reset();
  }
  StepOutput nothing = {};
  for (std::uint32_t t = 1; t <= 5; t++) {
    nothing.time = t;
    const std::vector<float> action = actions(1);
    counting().step(b.batch, 0, n(), action.data(), n(), 0, ResetMode::kSameStep, nothing);
    c.step(action, ResetMode::kSameStep);
  }
  EXPECT_EQ(b.state, c.state);
  EXPECT_EQ(b.episode, c.episode);
  EXPECT_EQ(b.episode_return, c.episode_return);
}

INSTANTIATE_TEST_SUITE_P(Sizes, RunnerTest, ::testing::Values(1, 2, 7, 8, 15, 16, 17, 33, 64, 130));

// The whole history of a batch, instance by instance.
std::vector<float> history(int n, std::uint32_t id_offset, int chunk, ResetMode mode) {
  InstanceBatch b(counting(), n, kSeed, id_offset);
  b.batch.time_limit = 6;
  b.set_parameter(kEndAt, 11);
  b.reset();
  std::vector<std::vector<float>> rows(n);
  for (int t = 0; t < 40; t++) {
    if (mode == ResetMode::kDisabled) b.reset(b.ended.data());
    const StepArrays to = b.step(b.some_actions(), mode, false, chunk);
    for (int i = 0; i < n; i++) {
      for (const float x :
           {to.observation[i], to.observation[n + i], to.final_observation[i],
            to.final_observation[n + i], to.reward[i], to.ended_return[i], float(to.terminated[i]),
            float(to.truncated[i]), float(to.ended_length[i]), float(b.episode[i])}) {
        rows[i].push_back(x);
      }
    }
  }
  std::vector<float> all;
  for (const auto& row : rows) all.insert(all.end(), row.begin(), row.end());
  return all;
}

TEST(Shards, TogetherAreTheOneBigBatch) {
  constexpr int kTotal = 130;
  for (const ResetMode mode : {ResetMode::kSameStep, ResetMode::kNextStep, ResetMode::kDisabled}) {
    const std::vector<float> whole = history(kTotal, 500, 1 << 20, mode);
    for (const int shard : {1, 7, 16, 64, 100}) {
      std::vector<float> joined;
      for (int first = 0; first < kTotal; first += shard) {
        const int n = std::min(shard, kTotal - first);
        const std::vector<float> part = history(n, 500 + first, 1 << 20, mode);
        joined.insert(joined.end(), part.begin(), part.end());
      }
      EXPECT_EQ(joined, whole) << "shards of " << shard;
    }
    for (const int chunk : {16, 32, 64, 128}) {
      EXPECT_EQ(history(kTotal, 500, chunk, mode), whole) << "ranges of " << chunk;
    }
  }
}

TEST(Transition, IsTheStepOfInstanceZero) {
  InstanceBatch b(counting(), 1, kSeed);
  b.reset();
  double state[2] = {b.state[0], b.state[b.batch.stride]};
  const double parameters[] = {1e9, -1, 1};
  for (int t = 0; t < 5; t++) {
    const double action = t % 3;
    double observation[2], reward;
    const int terminated = transitions().transition_float(
        b.batch.shared, parameters, kSeed, t, state, &action, observation, &reward, nullptr);
    const StepArrays to = b.step({float(action)}, ResetMode::kSameStep);
    EXPECT_EQ(to.observation, (std::vector<float>{float(observation[0]), float(observation[1])}));
    EXPECT_EQ(to.reward[0], float(reward));
    EXPECT_EQ(terminated, 0);
  }
}

}  // namespace
}  // namespace gallop::testing
