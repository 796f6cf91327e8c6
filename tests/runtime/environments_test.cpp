// Every registered environment through the library's interface: nothing that a caller may choose
// (fused or single steps, shards, threads, instruction sets) changes a bit. A new environment is
// tested with no edit here.
#include <gallop/host/runtime/environments.h>

#include <gallop_isas.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>

#include <gallop/host/files/tensor_file.h>
#include <gallop/host/runtime/processor.h>
#include <gallop/kernels/environment/mdp_table.h>
#include "tests/learning/kernel_sets.h"
#include "tests/runtime/recorded_rollout.h"

namespace gallop::testing {
namespace {

std::vector<const EnvironmentEntry*> registered() {
  const std::vector<const EnvironmentEntry*> all = gallop::all_environments();
  EXPECT_GE(all.size(), 8u);
  return all;
}

class EveryEnvironment : public ::testing::TestWithParam<const EnvironmentEntry*> {
 protected:
  const EnvironmentEntry& entry() const { return *GetParam(); }
  std::unique_ptr<Backend> backend_ = make_cpu_backend(2);
};
INSTANTIATE_TEST_SUITE_P(Registry, EveryEnvironment, ::testing::ValuesIn(registered()),
                         [](const auto& info) { return std::string(spec_of(*info.param).name); });

// The same steps taken one by one into the same kind of arrays.
RecordedRollout step_by_step(Environments& e, const RecordedRollout& actions) {
  RecordedRollout r(e, actions.n_steps);
  r.action = actions.action;
  r.log_prob = actions.log_prob;
  const long n = r.n_envs, o = r.observation_rows;
  e.observe(r.observation.data());
  for (long t = 0; t < r.n_steps; t++) {
    StepOutput out = {};
    out.observation = r.observation.data() + (t + 1) * o * n;
    out.final_observation = r.final_observation.data() + t * o * n;
    out.reward = r.reward.data() + t * n;
    out.terminated = r.terminated.data() + t * n;
    out.truncated = r.truncated.data() + t * n;
    out.ended_return = r.ended_return.data() + t * n;
    out.ended_length = r.ended_length.data() + t * n;
    e.step(r.action.data() + t * r.action_rows * n, out);
  }
  return r;
}

TEST_P(EveryEnvironment, SingleStepsEqualAFusedRollout) {
  for (const ResetMode mode : {ResetMode::kSameStep, ResetMode::kNextStep, ResetMode::kDisabled}) {
    for (const int limit : {-1, kShortLimit}) {
      Environments fused = make_batch(*backend_, entry(), 83, 5, mode, limit);
      Environments single = make_batch(*backend_, entry(), 83, 5, mode, limit);
      RecordedRollout r(fused, 70);
      fused.rollout(ActionSource::kUniform, {}, false, r.trajectory());
      r.log_prob.assign(r.log_prob.size(), 0);  // random actions have none
      EXPECT_EQ(step_by_step(single, r).difference(r), "");
      EXPECT_EQ(fused.get_state(), single.get_state());
      EXPECT_EQ(fused.time(), 70u);
      EXPECT_EQ(limit > 0 && r.n_ended() == 0, false);
    }
  }
}

TEST_P(EveryEnvironment, PoliciesOfEveryKindRollOutTheSameInEverySplit) {
  Environments whole = make_batch(*backend_, entry(), 150, 1000, ResetMode::kSameStep, kShortLimit);
  int kind = 0;
  for (const RandomPolicy& policy : policies_for(whole, 5)) {
    for (const bool deterministic : {false, true}) {
      Environments batch =
          make_batch(*backend_, entry(), 150, 1000, ResetMode::kSameStep, kShortLimit);
      RecordedRollout all(batch, 25);
      batch.rollout(ActionSource::kPolicy, policy.view(), deterministic, all.trajectory());
      for (const float x : all.log_prob) ASSERT_TRUE(std::isfinite(x) && x != all.kPoison);
      for (const float x : all.action) ASSERT_TRUE(std::isfinite(x) && x != all.kPoison);
      for (const int split : {1, 7, 64}) {
        for (int begin = 0; begin < 150; begin += split) {
          if (split == 1 && begin % 37 != 0) continue;
          const int end = std::min(begin + split, 150);
          Environments shard = make_batch(*backend_, entry(), end - begin, 1000 + begin,
                                          ResetMode::kSameStep, kShortLimit);
          RecordedRollout part(shard, 25);
          shard.rollout(ActionSource::kPolicy, policy.view(), deterministic, part.trajectory());
          ASSERT_EQ(part.difference(all.columns(begin, end)), "")
              << "policy " << kind << ", instances " << begin << " to " << end;
        }
      }
      // Two rollouts in a row are one.
      Environments again =
          make_batch(*backend_, entry(), 150, 1000, ResetMode::kSameStep, kShortLimit);
      RecordedRollout first(again, 10), second(again, 15);
      again.rollout(ActionSource::kPolicy, policy.view(), deterministic, first.trajectory());
      again.rollout(ActionSource::kPolicy, policy.view(), deterministic, second.trajectory());
      EXPECT_TRUE(same_bits(second.reward.data(), all.reward.data() + 10 * 150, 15 * 150));
      EXPECT_TRUE(same_bits(second.observation.data(),
                            all.observation.data() + 10L * 150 * all.observation_rows,
                            16L * 150 * all.observation_rows));
      EXPECT_EQ(again.get_state(), batch.get_state());
    }
    kind++;
  }
}

TEST_P(EveryEnvironment, ThreadsAndInstructionSetsDoNotChangeABit) {
  RecordedRollout first(1, 1, 1, 1);
  std::vector<std::string> sets = {""};
#define GALLOP_USE(isa) \
  if (processor_has(Isa::isa)) sets.push_back(#isa);
  GALLOP_FOR_EACH_ISA(GALLOP_USE)
  for (const std::string& isa : sets) {
    for (const int threads : {1, 2, 3, 4, 8}) {
      ::setenv("GALLOP_ISA", isa.c_str(), 1);
      const std::unique_ptr<Backend> backend = make_cpu_backend(threads);
      ::unsetenv("GALLOP_ISA");
      Environments e = make_batch(*backend, entry(), 1100, 3, ResetMode::kNextStep, kShortLimit);
      const RandomPolicy policy = policies_for(e, 9).back();
      RecordedRollout r(e, 24);
      e.rollout(ActionSource::kPolicy, policy.view(), false, r.trajectory());
      if (first.n_envs == 1) first = r;
      ASSERT_EQ(r.difference(first), "") << threads << " threads, GALLOP_ISA '" << isa << "'";
    }
  }
}

// The two automatic modes against resets by hand: same-step shows the new episode's first
// observation at once; next-step one step later, with no reward.
TEST_P(EveryEnvironment, ResetModesDifferOnlyInWhenTheNewEpisodeShows) {
  const int n = 40, steps = 60;
  Environments same = make_batch(*backend_, entry(), n, 0, ResetMode::kSameStep, kShortLimit);
  RecordedRollout r(same, steps);
  same.rollout(ActionSource::kUniform, {}, false, r.trajectory());
  ASSERT_GT(r.n_ended(), n);
  const long o = r.observation_rows, a = r.action_rows;

  // Resets by hand.
  Environments manual = make_batch(*backend_, entry(), n, 0, ResetMode::kDisabled, kShortLimit);
  std::vector<float> observation(o * n), reward(n);
  std::vector<std::uint8_t> terminated(n), truncated(n), mask(n);
  for (int t = 0; t < steps; t++) {
    StepOutput out = {};
    out.observation = observation.data();
    out.reward = reward.data();
    out.terminated = terminated.data();
    out.truncated = truncated.data();
    manual.step(r.action.data() + t * a * n, out);
    bool any = false;
    for (int i = 0; i < n; i++) {
      mask[i] = terminated[i] | truncated[i];
      any |= mask[i] != 0;
      ASSERT_EQ(terminated[i], r.terminated[t * n + i]);
      ASSERT_EQ(truncated[i], r.truncated[t * n + i]);
      ASSERT_TRUE(same_bits(&reward[i], &r.reward[t * n + i], 1));
      for (int k = 0; k < o && mask[i] != 0; k++) {
        ASSERT_TRUE(
            same_bits(&observation[k * n + i], &r.final_observation[(t * o + k) * n + i], 1))
            << "the last observation of the episode, step " << t;
      }
    }
    if (any) manual.reset_where(mask.data());
    manual.observe(observation.data());
    ASSERT_TRUE(same_bits(observation.data(), r.observation.data() + (t + 1) * o * n, o * n));
  }

  // Next-step mode: each instance lives through the same transitions, with one idle step after an
  // end.
  Environments next = make_batch(*backend_, entry(), n, 0, ResetMode::kNextStep, kShortLimit);
  std::vector<int> at(n, 0);             // transition of `r` that comes next
  std::vector<std::uint8_t> idle(n, 0);  // the next step resets
  std::vector<float> action(a * n);
  for (int t = 0; t < steps; t++) {
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < a; k++) action[k * n + i] = r.action[(at[i] * a + k) * n + i];
    }
    StepOutput out = {};
    out.observation = observation.data();
    out.reward = reward.data();
    out.terminated = terminated.data();
    out.truncated = truncated.data();
    next.step(action.data(), out);
    for (int i = 0; i < n; i++) {
      const long now = long(at[i]) * n + i;
      if (idle[i] != 0) {
        ASSERT_EQ(reward[i], 0.0f);
        ASSERT_EQ(terminated[i] | truncated[i], 0);
      } else {
        ASSERT_TRUE(same_bits(&reward[i], &r.reward[now], 1)) << "instance " << i << " step " << t;
        ASSERT_EQ(terminated[i], r.terminated[now]);
        ASSERT_EQ(truncated[i], r.truncated[now]);
      }
      const bool ended = idle[i] == 0 && r.ended(now);
      for (int k = 0; k < o; k++) {
        const float* expected =
            ended ? &r.final_observation[(long(at[i]) * o + k) * n + i]
                  : &r.observation[((at[i] + (idle[i] != 0 ? 0L : 1L)) * o + k) * n + i];
        ASSERT_TRUE(same_bits(&observation[k * n + i], expected, 1))
            << "instance " << i << " step " << t;
      }
      if (idle[i] == 0) at[i]++;
      idle[i] = ended ? 1 : 0;
    }
  }
}

// Returns and lengths of episodes are sums over their steps; what ended nowhere stays poisoned.
TEST_P(EveryEnvironment, EpisodeStatisticsAreThoseOfTheSteps) {
  const int n = 33;
  Environments e = make_batch(*backend_, entry(), n, 0, ResetMode::kSameStep, kShortLimit);
  RecordedRollout r(e, 50);
  e.rollout(ActionSource::kUniform, {}, false, r.trajectory());
  std::vector<float> sum(n, 0.0f);
  std::vector<int> length(n, 0);
  for (int t = 0; t < 50; t++) {
    for (int i = 0; i < n; i++) {
      const long at = long(t) * n + i;
      sum[i] += r.reward[at];
      length[i]++;
      ASSERT_LE(r.terminated[at], 1);
      ASSERT_EQ(r.truncated[at], length[i] == kShortLimit ? 1 : 0) << "step " << t;
      const float* last = &r.final_observation[(long(t) * r.observation_rows) * n + i];
      if (r.ended(at)) {
        ASSERT_EQ(r.ended_return[at], sum[i]);
        ASSERT_EQ(r.ended_length[at], length[i]);
        ASSERT_NE(*last, r.kPoison);
        sum[i] = 0;
        length[i] = 0;
      } else {
        ASSERT_EQ(r.ended_return[at], r.kPoison);
        ASSERT_EQ(r.ended_length[at], -77);
        ASSERT_EQ(*last, r.kPoison);
      }
    }
  }
}

// Parameters of one instance act on that instance alone, as if all had them.
TEST_P(EveryEnvironment, ParametersOfAnInstanceAreItsOwn) {
  const EnvironmentSpec& spec = spec_of(entry());
  const int n = 35;
  int tried = 0;
  for (int k = 0; k < spec.n_parameters && tried < 6; k++) {
    const ParameterSpec& p = spec.parameters[k];
    const std::string name = p.name;
    if (spec.sizes != nullptr && name.rfind("n_", 0) == 0) continue;
    tried++;
    const double low = std::max(p.low, p.value == 0 ? -1.0 : p.value - std::abs(p.value) / 2);
    const double high = std::min(p.high, p.value == 0 ? 1.0 : p.value + std::abs(p.value) / 2);
    const auto value_of = [&](int i) { return float(low + (high - low) * ((i * 7) % 5) / 5.0); };
    Environments varied = make_batch(*backend_, entry(), n, 0, ResetMode::kSameStep, kShortLimit);
    std::vector<float> values;
    for (int i = 0; i < n; i++) values.push_back(value_of(i));
    varied.set_parameter(name, values);
    varied.reset();
    RecordedRollout all(varied, 20);
    varied.rollout(ActionSource::kUniform, {}, false, all.trajectory());
    for (const int i : {0, 1, 17, 34}) {
      Environments one = make_batch(*backend_, entry(), 1, i, ResetMode::kSameStep, kShortLimit);
      one.set_parameter(name, double(value_of(i)));
      one.reset();
      RecordedRollout r(one, 20);
      one.rollout(ActionSource::kUniform, {}, false, r.trajectory());
      ASSERT_EQ(r.difference(all.columns(i, i + 1)), "") << name << " of instance " << i;
    }
  }
  EXPECT_TRUE(tried > 0 || spec.table_capacity > 0) << "no parameter was tried";
}

// A second reset begins other episodes than the first, those that reset_where would.
TEST_P(EveryEnvironment, ResetAgainBeginsTheNextEpisodes) {
  Environments e = make_batch(*backend_, entry(), 21), masked = make_batch(*backend_, entry(), 21);
  const std::vector<float> first = e.get_state();
  EXPECT_TRUE(same_bits(masked.get_state(), first));
  const std::vector<std::uint8_t> ones(21, 1);
  for (int again = 0; again < 2; again++) {
    e.reset();
    masked.reset_where(ones.data());
    EXPECT_TRUE(same_bits(masked.get_state(), e.get_state()));
  }
  if (std::string(e.spec().name) == "cartpole") {
    EXPECT_FALSE(same_bits(e.get_state(), first));
  }
  RecordedRollout r(e, 12), s(masked, 12);
  e.rollout(ActionSource::kUniform, {}, false, r.trajectory());
  masked.rollout(ActionSource::kUniform, {}, false, s.trajectory());
  EXPECT_EQ(r.difference(s.columns(0, 21)), "");
}

TEST_P(EveryEnvironment, StatesRoundTrip) {
  Environments e = make_batch(*backend_, entry(), 21),
               other = make_batch(*backend_, entry(), 21, 9);
  RecordedRollout r(e, 12);
  e.rollout(ActionSource::kUniform, {}, false, r.trajectory());
  const std::vector<float> state = e.get_state();
  ASSERT_EQ(state.size(), std::size_t(21 * e.spec().n_state));
  other.set_state(state);
  EXPECT_TRUE(same_bits(other.get_state(), state));
  std::vector<float> a(21 * e.observation_rows()), b(a.size());
  e.observe(a.data());
  other.observe(b.data());
  EXPECT_TRUE(same_bits(a, b));
}

TEST_P(EveryEnvironment, ASavedBatchContinuesWithTheSameBits) {
  for (const ResetMode mode : {ResetMode::kSameStep, ResetMode::kNextStep}) {
    Environments e = make_batch(*backend_, entry(), 70, 2, mode, kShortLimit);
    RecordedRollout before(e, 13);
    e.rollout(ActionSource::kUniform, {}, false, before.trajectory());
    TensorFile file;
    e.save(file, "batch");
    RecordedRollout after(e, 30), resumed(e, 30);
    e.rollout(ActionSource::kUniform, {}, false, after.trajectory());
    // Into a batch that has lived through something else.
    Environments other = make_batch(*backend_, entry(), 70, 2, mode, kShortLimit);
    other.rollout(ActionSource::kUniform, {}, false, resumed.trajectory());
    resumed = RecordedRollout(e, 30);
    other.load(file, "batch");
    other.rollout(ActionSource::kUniform, {}, false, resumed.trajectory());
    EXPECT_EQ(resumed.difference(after), "");
    EXPECT_EQ(other.time(), e.time());
  }
}

// A number that is not finite is seen, attributed, and stays with its instance.
TEST_P(EveryEnvironment, NotFiniteNumbersAreSeenWhereTheyAre) {
  const EnvironmentSpec& spec = spec_of(entry());
  if (spec.observation_kind == SpaceKind::kDiscrete) {
    // An index is never NaN; what a table gives can be.
    ASSERT_GT(spec.table_capacity, 0) << "how could this environment meet such a number?";
    Environments e = make_batch(*backend_, entry(), 3, 40);
    std::vector<float> table(spec.table_capacity);
    spec.default_table(table.data());
    const MdpTable layout = {e.observation_size(), e.action_size()};
    for (int k = layout.reward(); k < layout.start(); k++) table[k] = NAN;
    e.set_table(table);
    RecordedRollout r(e, 2);
    EXPECT_FALSE(e.first_nonfinite().found);
    e.rollout(ActionSource::kUniform, {}, false, r.trajectory());
    EXPECT_TRUE(e.first_nonfinite().found);
    EXPECT_EQ(e.first_nonfinite().instance, 40u);
    EXPECT_EQ(e.first_nonfinite().time, 1u);
    return;
  }
  const int n = 50, victim = 23;
  Environments clean = make_batch(*backend_, entry(), n, 100);
  Environments hurt = make_batch(*backend_, entry(), n, 100);
  RecordedRollout before(hurt, 6), a(clean, 6), c(hurt, 6);
  clean.rollout(ActionSource::kUniform, {}, false, before.trajectory());
  hurt.rollout(ActionSource::kUniform, {}, false, before.trajectory());
  EXPECT_FALSE(hurt.first_nonfinite().found);
  std::vector<float> action(std::size_t(n) * hurt.action_rows(), 0.0f);
  clean.step(action.data(), {});
  for (int k = 0; k < hurt.action_rows(); k++) action[k * n + victim] = NAN;
  hurt.step(action.data(), {});
  clean.rollout(ActionSource::kUniform, {}, false, a.trajectory());
  hurt.rollout(ActionSource::kUniform, {}, false, c.trajectory());
  const NonFinite found = hurt.first_nonfinite();
  ASSERT_TRUE(found.found);
  EXPECT_EQ(found.instance, 100u + victim);
  EXPECT_EQ(found.time, 7u) << "the step with that action, counted from 1";
  EXPECT_FALSE(clean.first_nonfinite().found);
  TensorFile file;
  hurt.save(file, "batch");
  Environments loaded = make_batch(*backend_, entry(), n, 100);
  loaded.load(file, "batch");
  EXPECT_EQ(loaded.first_nonfinite().instance, found.instance) << "sticky over a checkpoint";
  EXPECT_EQ(loaded.first_nonfinite().time, found.time);
  EXPECT_EQ(c.columns(0, victim).difference(a.columns(0, victim)), "");
  EXPECT_EQ(c.columns(victim + 1, n).difference(a.columns(victim + 1, n)), "");
}

TEST_P(EveryEnvironment, ObservationsAndRandomActionsKeepTheirRanges) {
  const EnvironmentSpec& spec = spec_of(entry());
  Environments e = make_batch(*backend_, entry(), 200);
  RecordedRollout r(e, 60);
  e.rollout(ActionSource::kUniform, {}, false, r.trajectory());
  const long n = 200, o = r.observation_rows, a = r.action_rows;
  for (long t = 0; t < 60; t++) {
    for (long k = 0; k < a; k++) {
      for (long i = 0; i < n; i++) {
        const float x = r.action[(t * a + k) * n + i];
        if (spec.action_kind == SpaceKind::kDiscrete) {
          ASSERT_TRUE(x >= 0 && x < float(e.action_size()) && x == std::floor(x)) << x;
        } else if (spec.action[k].high < 1e30) {
          ASSERT_TRUE(x >= float(spec.action[k].low) && x <= float(spec.action[k].high)) << x;
        }
      }
    }
    for (long k = 0; k < o; k++) {
      for (long i = 0; i < n; i++) {
        const float x = r.observation[(t * o + k) * n + i];
        if (spec.observation_kind == SpaceKind::kDiscrete) {
          ASSERT_TRUE(x >= 0 && x < float(e.observation_size()) && x == std::floor(x)) << x;
        } else {
          ASSERT_TRUE(x >= float(spec.observation[k].low) && x <= float(spec.observation[k].high))
              << spec.observation[k].name << " is " << x;
        }
      }
    }
  }
}

}  // namespace
}  // namespace gallop::testing
