// What instances live in, of every registered environment: ids from an array, resets that are
// disabled, and what a rollout leaves of them: first returns, states as they are and as they were.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/runtime/recorded_rollout.h"

namespace gallop::testing {
namespace {

class EveryScenario : public ::testing::TestWithParam<const EnvironmentEntry*> {
 protected:
  static constexpr int kEnvs = 70, kSteps = 25;

  Environments make(const std::vector<std::uint32_t>& ids, ResetMode mode = ResetMode::kSameStep) {
    EnvironmentOptions options;
    options.n_envs = kEnvs;
    options.seed = 77;
    options.ids = ids;
    options.reset_mode = mode;
    options.time_limit = kShortLimit;
    Environments environments(*backend_, *GetParam(), options);
    environments.reset();
    return environments;
  }
  RecordedRollout recorded(Environments& e, const RandomPolicy* policy) {
    RecordedRollout r(e, kSteps);
    e.rollout(policy != nullptr ? ActionSource::kPolicy : ActionSource::kUniform,
              policy != nullptr ? policy->view() : PolicyView{}, false, r.trajectory());
    return r;
  }

  std::unique_ptr<Backend> backend_ = make_cpu_backend(2);
};
INSTANTIATE_TEST_SUITE_P(Registry, EveryScenario, ::testing::ValuesIn(all_environments()),
                         [](const auto& info) { return std::string(spec_of(*info.param).name); });

// An instance is its id: of a permutation the columns are permuted, and equal ids live alike.
TEST_P(EveryScenario, AnInstanceIsItsId) {
  Environments counted = make({});
  const RandomPolicy policy = policies_for(counted, 3)[0];
  for (const RandomPolicy* by : {static_cast<const RandomPolicy*>(nullptr), &policy}) {
    Environments straight = make({});
    const RecordedRollout expected = recorded(straight, by);
    std::vector<std::uint32_t> ids;
    for (int i = 0; i < kEnvs; i++) ids.push_back(std::uint32_t(i * 29 % kEnvs));
    ids[5] = ids[69] = 3;
    Environments shuffled = make(ids);
    const RecordedRollout actual = recorded(shuffled, by);
    for (int i = 0; i < kEnvs; i++) {
      EXPECT_EQ(shuffled.id(i), ids[i]);
      ASSERT_EQ(actual.columns(i, i + 1).difference(expected.columns(int(ids[i]), int(ids[i]) + 1)),
                "")
          << "instance " << i;
    }
  }
}

// With resets disabled an instance stands still from its end on, in a rollout as in single steps,
// and what it earned stands in the batch.
TEST_P(EveryScenario, WithoutResetsAnEndedInstanceStandsStill) {
  Environments resetting = make({}), standing = make({}, ResetMode::kDisabled);
  const RecordedRollout reference = recorded(resetting, nullptr);
  const RecordedRollout r = recorded(standing, nullptr);
  const long o = r.observation_rows;
  const std::vector<float> state = standing.get_state();
  for (int i = 0; i < kEnvs; i++) {
    int end = 0;
    while (!reference.ended(long(end) * kEnvs + i)) end++;
    for (int t = 0; t < kSteps; t++) {
      const long at = long(t) * kEnvs + i;
      ASSERT_EQ(r.reward[at], t <= end ? reference.reward[at] : 0.0f);
      ASSERT_EQ(r.ended(at), t == end);
      for (int k = 0; k < o && t >= end; k++) {
        ASSERT_EQ(r.observation[((t + 1) * o + k) * kEnvs + i],
                  reference.final_observation[(end * o + k) * kEnvs + i]);
      }
    }
    EXPECT_EQ(standing.ended()[i], 1);
    EXPECT_EQ(standing.episode_length()[i], end + 1);
    EXPECT_EQ(standing.episode_return()[i], reference.ended_return[long(end) * kEnvs + i]);
    for (int k = 0; k < standing.spec().n_state; k++) {
      EXPECT_EQ(standing.state()[k * standing.stride() + i], state[k * kEnvs + i]);
    }
  }
  // A rollout that records nothing leaves the same.
  Environments unrecorded = make({}, ResetMode::kDisabled);
  Trajectory nothing = {};
  nothing.n_steps = kSteps;
  nothing.n_envs = kEnvs;
  unrecorded.rollout(ActionSource::kUniform, {}, false, nothing);
  EXPECT_EQ(unrecorded.get_state(), state);
  const std::vector<std::uint8_t> mask(kEnvs, 1);
  unrecorded.reset_where(mask.data());
  EXPECT_EQ(std::count(unrecorded.ended(), unrecorded.ended() + kEnvs, 0), kEnvs);
}

TEST_P(EveryScenario, FirstReturnsAndStatesOfARollout) {
  for (const ResetMode mode : {ResetMode::kSameStep, ResetMode::kNextStep, ResetMode::kDisabled}) {
    Environments e = make({}, mode), stepped = make({}, mode);
    const std::size_t n_state = std::size_t(e.spec().n_state);
    std::vector<float> first_return(kEnvs, -1.0f), states((kSteps + 1) * n_state * kEnvs);
    std::vector<std::int32_t> first_length(kEnvs, 0);
    first_length[7] = 1;  // counts as one that has ended before
    RecordedRollout r(e, kSteps);
    Trajectory out = r.trajectory();
    out.first_return = first_return.data();
    out.first_length = first_length.data();
    out.state = states.data();
    e.rollout(ActionSource::kUniform, {}, false, out);
    for (int i = 0; i < kEnvs; i++) {
      long at = i;
      while (!r.ended(at)) at += kEnvs;
      EXPECT_EQ(first_return[i], i == 7 ? -1.0f : r.ended_return[at]);
      EXPECT_EQ(first_length[i], i == 7 ? 1 : r.ended_length[at]);
    }
    for (int t = 0; t <= kSteps; t++) {
      const std::vector<float> expected = stepped.get_state();
      ASSERT_TRUE(
          std::equal(expected.begin(), expected.end(), states.begin() + long(t * n_state) * kEnvs))
          << "step " << t;
      if (t < kSteps) stepped.step(r.action.data() + long(t) * r.action_rows * kEnvs, {});
    }
  }
}

// The terms of a step are those that single transitions tell.
TEST_P(EveryScenario, TermsOfAStep) {
  Environments e = make({}, ResetMode::kNextStep);
  const EnvironmentSpec& spec = e.spec();
  std::vector<float> terms(std::size_t(spec.n_terms + 1) * kEnvs, -5.0f);
  const std::vector<float> before = e.get_state();
  RecordedRollout r(e, 1);
  StepOutput out = {};
  out.terms = terms.data();
  std::fill(r.action.begin(), r.action.end(), 0.0f);
  e.step(r.action.data(), out);
  std::vector<double> parameters;
  for (int k = 0; k < spec.n_parameters; k++) {
    parameters.push_back(double(float(e.parameter(spec.parameters[k].name))));
  }
  for (int i = 0; i < kEnvs && spec.n_terms > 0; i++) {
    std::vector<double> state, told(spec.n_terms), observation(r.observation_rows);
    for (int k = 0; k < spec.n_state; k++) state.push_back(before[std::size_t(k) * kEnvs + i]);
    const std::vector<double> action(r.action_rows, 0.0);
    double reward = 0;
    GetParam()->transitions()->transition_float({}, parameters.data(), 77, 0, state.data(),
                                                action.data(), observation.data(), &reward,
                                                told.data());
    for (int k = 0; k < spec.n_terms; k++) {
      EXPECT_EQ(terms[std::size_t(k) * kEnvs + i], float(told[k])) << spec.term_names[k];
    }
  }
  for (int i = 0; i < kEnvs; i++) {
    EXPECT_EQ(terms[std::size_t(spec.n_terms) * kEnvs + i], -5.0f) << "behind the last term";
  }
}

// Instances as rows, actions as whole numbers of either size where they are discrete.
TEST_P(EveryScenario, StepsInOtherLayouts) {
  Environments ours = make({}), theirs = make({});
  const long o = ours.observation_rows(), a = ours.action_rows();
  const bool discrete = ours.spec().action_kind == SpaceKind::kDiscrete;
  std::vector<float> observation(std::size_t(o) * kEnvs), rows(std::size_t(o + 2) * kEnvs, -9.0f);
  std::vector<float> action(std::size_t(a) * kEnvs), action_rows(action.size());
  std::vector<std::int32_t> narrow(action.size());
  std::vector<std::int64_t> wide(action.size());
  const ArrayView to = {rows.data(), NumberKind::kFloat, 1, o + 2};
  const auto expect_transposed = [&] {
    for (int i = 0; i < kEnvs; i++) {
      for (int k = 0; k < o; k++) {
        ASSERT_EQ(rows[i * (o + 2) + k], observation[k * kEnvs + i]);
      }
      ASSERT_EQ(rows[i * (o + 2) + o], -9.0f) << "behind an observation";
    }
  };
  ours.observe(observation.data());
  theirs.observe(to);
  expect_transposed();
  for (int t = 0; t < kSteps; t++) {
    for (int i = 0; i < kEnvs; i++) {
      for (int k = 0; k < a; k++) {
        const int some = (i * 7 + k * 3 + t) % (discrete ? ours.action_size() : 3);
        action[k * kEnvs + i] = action_rows[i * a + k] = float(some);
        narrow[i * a + k] = some;
        wide[i * a + k] = some;
      }
    }
    std::vector<float> reward(kEnvs), their_reward(kEnvs);
    StepOutput out = {};
    out.observation = observation.data();
    out.reward = reward.data();
    ours.step(action.data(), out);
    ArrayView from = {action_rows.data(), NumberKind::kFloat, 1, a};
    if (discrete && t % 3 == 1) from = {narrow.data(), NumberKind::kInt32, 1, a};
    if (discrete && t % 3 == 2) from = {wide.data(), NumberKind::kInt64, 1, a};
    StepOutput their_out = {};
    their_out.reward = their_reward.data();
    theirs.step(from, to, their_out);
    ASSERT_EQ(reward, their_reward);
    expect_transposed();
  }
}

}  // namespace
}  // namespace gallop::testing
