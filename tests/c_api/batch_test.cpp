// Batches by the C interface have the bits of the C++ library's, whose own copy stands beside it.
#include <cmath>
#include <cstring>

#include <gallop/host/registry/registry.h>
#include <gallop/host/runtime/environments.h>
#include "tests/c_api/c_calls.h"
#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

constexpr const char* kNames[] = {"cartpole", "pendulum", "mdp", "lqr"};

ResetMode mode_of(int autoreset) {
  return autoreset == GALLOP_SAME_STEP  ? ResetMode::kSameStep
         : autoreset == GALLOP_DISABLED ? ResetMode::kDisabled
                                        : ResetMode::kNextStep;
}

// Actions [N, A] of a test, within the action space.
std::vector<float> some_actions(const gallop_batch_info& info, Random& random) {
  std::vector<float> actions(std::size_t(info.n_envs) * std::size_t(info.action_rows));
  for (float& x : actions) {
    x = info.action_kind == GALLOP_DISCRETE ? float(random.below(info.action_size))
                                            : float(random.uniform(-1, 1));
  }
  return actions;
}

template <class T>
int step_as(gallop_batch* batch, const std::vector<float>& actions, CStep& step,
            const gallop_batch_info& info) {
  CArray<T> array({info.n_envs, info.action_rows});
  for (std::size_t k = 0; k < actions.size(); k++) array.values[k] = T(actions[k]);
  const gallop_array view = array.view();
  return gallop_batch_step(batch, &view, &step.output);
}

// The same batch in C++, one step at a time.
struct CppBatch {
  std::unique_ptr<Backend> backend = make_cpu_backend(2);
  Environments environments;
  std::vector<float> observation, final_observation, reward, ended_return;
  std::vector<std::uint8_t> terminated, truncated;
  std::vector<std::int32_t> ended_length;

  CppBatch(const char* name, const EnvironmentOptions& options)
      : environments(*backend, find_environment(name), options) {
    const std::size_t n = std::size_t(options.n_envs);
    const std::size_t rows = std::size_t(environments.observation_rows());
    observation.resize(rows * n);
    final_observation.resize(rows * n);
    reward.resize(n);
    ended_return.resize(n);
    terminated.resize(n);
    truncated.resize(n);
    ended_length.resize(n);
    environments.reset();
  }
  // Actions [N, A].
  void step(const std::vector<float>& actions) {
    const int n = environments.n_envs(), rows = environments.action_rows();
    std::vector<float> columns(actions.size());
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < rows; k++) columns[k * n + i] = actions[i * rows + k];
    }
    StepOutput out = {};
    out.observation = observation.data();
    out.final_observation = final_observation.data();
    out.reward = reward.data();
    out.terminated = terminated.data();
    out.truncated = truncated.data();
    out.ended_return = ended_return.data();
    out.ended_length = ended_length.data();
    environments.step(columns.data(), out);
  }
};

std::vector<float> rows_of(const std::vector<float>& columns, int n) {
  const int rows = int(columns.size()) / n;
  std::vector<float> values(columns.size());
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < rows; k++) values[i * rows + k] = columns[k * n + i];
  }
  return values;
}

void expect_same_steps(const char* name, int n, int autoreset) {
  const CBackend backend = c_backend(1);
  gallop_batch_options options = batch_options(n, 11, autoreset);
  options.time_limit = 23;
  options.id_offset = 5;
  const CBatch batch = c_batch(backend.get(), name, options);
  EnvironmentOptions same;
  same.n_envs = n;
  same.seed = 11;
  same.time_limit = 23;
  same.id_offset = 5;
  same.reset_mode = mode_of(autoreset);
  CppBatch cpp(name, same);
  ASSERT_OK(gallop_batch_reset(batch.get()));
  const gallop_batch_info info = info_of(batch.get());
  CStep step(info);
  Random random{std::uint64_t(n)};
  std::int64_t ended = 0;
  for (int t = 0; t < 60; t++) {
    const std::vector<float> actions = some_actions(info, random);
    const bool whole = info.action_kind == GALLOP_DISCRETE && t % 3 != 0;
    if (whole && t % 3 == 1) {
      ASSERT_OK(step_as<std::int64_t>(batch.get(), actions, step, info));
    } else if (whole) {
      ASSERT_OK(step_as<std::int32_t>(batch.get(), actions, step, info));
    } else {
      ASSERT_OK(step_as<float>(batch.get(), actions, step, info));
    }
    cpp.step(actions);
    ASSERT_TRUE(same_bits(step.observation.values, rows_of(cpp.observation, n))) << name << t;
    ASSERT_TRUE(same_bits(step.reward.values, cpp.reward)) << name << t;
    ASSERT_EQ(step.terminated.values, cpp.terminated) << name << t;
    ASSERT_EQ(step.truncated.values, cpp.truncated) << name << t;
    std::int64_t now = 0;
    const std::vector<float> final_rows = rows_of(cpp.final_observation, n);
    for (int i = 0; i < n; i++) {
      if ((cpp.terminated[i] | cpp.truncated[i]) == 0) continue;
      now++;
      const int o = info.observation_rows;
      EXPECT_TRUE(same_bits(&step.final_observation.values[i * o], &final_rows[i * o], o));
      EXPECT_EQ(step.episode_return.values[i], cpp.ended_return[i]);
      EXPECT_EQ(step.episode_length.values[i], cpp.ended_length[i]);
    }
    EXPECT_EQ(step.output.n_ended, now);
    ended += now;
    if (autoreset == GALLOP_DISABLED && t % 7 == 6) {
      CArray<std::uint8_t> mask({n});
      for (int i = 0; i < n; i++) mask.values[i] = cpp.environments.ended()[i];
      const gallop_array view = mask.view();
      ASSERT_OK(gallop_batch_reset_where(batch.get(), &view));
      cpp.environments.reset_where(mask.values.data());
    }
  }
  EXPECT_GT(ended, 0) << name;
}

TEST(CBatch, StepsHaveTheBitsOfTheCppLibrary) {
  for (const char* name : kNames) {
    for (const int n : {1, 65}) {
      for (const int mode : {GALLOP_NEXT_STEP, GALLOP_SAME_STEP, GALLOP_DISABLED}) {
        expect_same_steps(name, n, mode);
      }
    }
  }
}

TEST(CBatch, ArraysMayHaveAnyStrides) {
  const CBackend backend = c_backend(1);
  const CBatch batch = c_batch(backend.get(), "cartpole", batch_options(3, 4));
  ASSERT_OK(gallop_batch_reset(batch.get()));
  CArray<float> rows({3, 4}), columns({3, 4}), backwards({3, 4});
  columns.strides = {1, 3};
  backwards.strides = {-4, 1};
  gallop_array view = rows.view(), other = columns.view(), third = backwards.view();
  third.data = backwards.values.data() + 8;
  ASSERT_OK(gallop_batch_observe(batch.get(), &view));
  ASSERT_OK(gallop_batch_observe(batch.get(), &other));
  ASSERT_OK(gallop_batch_observe(batch.get(), &third));
  for (int i = 0; i < 3; i++) {
    for (int k = 0; k < 4; k++) {
      EXPECT_EQ(rows.values[i * 4 + k], columns.values[k * 3 + i]);
      EXPECT_EQ(rows.values[i * 4 + k], backwards.values[(2 - i) * 4 + k]);
    }
  }
}

TEST(CBatch, ASeedBeginsEverythingAnew) {
  const CBackend backend = c_backend(1);
  const CBatch batch = c_batch(backend.get(), "cartpole", batch_options(65, 1));
  const CBatch fresh = c_batch(backend.get(), "cartpole", batch_options(65, 99));
  ASSERT_OK(gallop_batch_reset(batch.get()));
  ASSERT_OK(gallop_batch_reset(fresh.get()));
  const gallop_batch_info info = info_of(batch.get());
  CStep a(info), b(info);
  Random random{3};
  for (int t = 0; t < 40; t++) {
    ASSERT_OK(step_as<float>(batch.get(), some_actions(info, random), a, info));
  }
  ASSERT_OK(gallop_batch_reset_seed(batch.get(), 99));
  EXPECT_EQ(info_of(batch.get()).time, 0u);
  EXPECT_EQ(info_of(batch.get()).seed, 99u);
  for (int t = 0; t < 80; t++) {
    const std::vector<float> actions = some_actions(info, random);
    ASSERT_OK(step_as<float>(batch.get(), actions, a, info));
    ASSERT_OK(step_as<float>(fresh.get(), actions, b, info));
    ASSERT_EQ(a.bits(), b.bits()) << t;
  }
}

TEST(CBatch, InstancesHaveSeedsOfTheirOwn) {
  const CBackend backend = c_backend(1);
  const CBatch batch = c_batch(backend.get(), "cartpole", batch_options(4, 1));
  const std::vector<std::uint64_t> seeds = {7, 8, 7, 12};
  ASSERT_OK(gallop_batch_reset_seeds(batch.get(), seeds.data(), nullptr, 4));
  const gallop_batch_info info = info_of(batch.get());
  CArray<float> first({4, 4}), now({4, 4});
  gallop_array first_view = first.view(), now_view = now.view();
  ASSERT_OK(gallop_batch_observe(batch.get(), &first_view));
  EXPECT_TRUE(same_bits(&first.values[0], &first.values[8], 4));
  EXPECT_FALSE(same_bits(&first.values[0], &first.values[4], 4));
  CStep step(info);
  Random random{5};
  for (int t = 0; t < 30; t++) {
    ASSERT_OK(step_as<float>(batch.get(), some_actions(info, random), step, info));
  }
  // Where the mask is set they begin as they did; the others stay where they are.
  const std::vector<std::uint8_t> mask = {1, 0, 1, 0};
  const std::vector<std::uint64_t> again = {7, std::uint64_t(1) << 40, 7, 0};
  ASSERT_OK(gallop_batch_reset_seeds(batch.get(), again.data(), mask.data(), 4));
  ASSERT_OK(gallop_batch_observe(batch.get(), &now_view));
  for (int i = 0; i < 4; i++) {
    const float* const expected =
        mask[i] != 0 ? &first.values[i * 4] : &step.observation.values[i * 4];
    EXPECT_TRUE(same_bits(&now.values[i * 4], expected, 4)) << i;
  }
  // Back to ids that count on from id_offset.
  const CBatch fresh = c_batch(backend.get(), "cartpole", batch_options(4, 1));
  ASSERT_OK(gallop_batch_reset(fresh.get()));
  ASSERT_OK(gallop_batch_reset_seed(batch.get(), 1));
  ASSERT_OK(gallop_batch_observe(batch.get(), &now_view));
  ASSERT_OK(gallop_batch_observe(fresh.get(), &first_view));
  EXPECT_TRUE(same_bits(now.values, first.values));
}

TEST(CBatch, ASecondResetBeginsOtherEpisodes) {
  const CBackend backend = c_backend(1);
  const CBatch batch = c_batch(backend.get(), "cartpole", batch_options(2));
  CArray<float> first({2, 4}), second({2, 4});
  gallop_array a = first.view(), b = second.view();
  ASSERT_OK(gallop_batch_reset(batch.get()));
  ASSERT_OK(gallop_batch_observe(batch.get(), &a));
  ASSERT_OK(gallop_batch_reset(batch.get()));
  ASSERT_OK(gallop_batch_observe(batch.get(), &b));
  EXPECT_FALSE(same_bits(first.values, second.values));
}

TEST(CBatch, RolloutsHaveTheBitsOfTheCppLibrary) {
  const CBackend backend = c_backend(2);
  const CBatch batch = c_batch(backend.get(), "pendulum", batch_options(65, 3, GALLOP_SAME_STEP));
  ASSERT_OK(gallop_batch_reset(batch.get()));
  std::vector<float> observation(21 * 3 * 65), action(20 * 65), reward(20 * 65);
  gallop_trajectory trajectory = {};
  trajectory.size = sizeof trajectory;
  trajectory.n_steps = 20;
  trajectory.observation = observation.data();
  trajectory.action = action.data();
  trajectory.reward = reward.data();
  ASSERT_OK(gallop_batch_rollout(batch.get(), nullptr, 0, &trajectory));

  EnvironmentOptions same;
  same.n_envs = 65;
  same.seed = 3;
  const std::unique_ptr<Backend> cpp = make_cpu_backend(1);
  Environments environments(*cpp, find_environment("pendulum"), same);
  environments.reset();
  std::vector<float> observation2(observation.size()), action2(action.size()),
      reward2(reward.size());
  Trajectory out = {};
  out.n_steps = 20;
  out.n_envs = 65;
  out.observation = observation2.data();
  out.action = action2.data();
  out.reward = reward2.data();
  environments.rollout(ActionSource::kUniform, {}, false, out);
  EXPECT_TRUE(same_bits(observation, observation2));
  EXPECT_TRUE(same_bits(action, action2));
  EXPECT_TRUE(same_bits(reward, reward2));
}

TEST(CBatch, DrawsInstancesAsTheyStand) {
  const CBackend backend = c_backend();
  gallop_batch_options options = {};
  options.size = sizeof options;
  options.n_envs = 3;
  gallop_batch* made = nullptr;
  ASSERT_OK(gallop_batch_create(backend.get(), "cartpole", &options, &made));
  const CBatch batch(made);
  constexpr int kWidth = 48, kHeight = 36;
  std::vector<std::uint8_t> first(kWidth * kHeight * 3, 7), other = first;
  const auto draw = [&](int instance, std::vector<std::uint8_t>& to) {
    return gallop_batch_draw(batch.get(), instance, kWidth, kHeight, to.data(), to.size());
  };
  EXPECT_FAILS(draw(0, first), GALLOP_VALUE, "before the first reset");
  ASSERT_OK(gallop_batch_reset(batch.get()));
  ASSERT_OK(draw(0, first));
  ASSERT_OK(draw(0, other));
  EXPECT_EQ(first, other);
  std::vector<float> states(12, 0.0f);
  states[2] = 2.0f;  // x of instance 2
  ASSERT_OK(gallop_batch_set_state(batch.get(), states.data(), states.size()));
  ASSERT_OK(draw(0, first));
  ASSERT_OK(draw(1, other));
  EXPECT_EQ(first, other);
  ASSERT_OK(draw(2, other));
  EXPECT_NE(first, other);
  EXPECT_FAILS(draw(3, first), GALLOP_VALUE, "expected 0 to 2");
  EXPECT_FAILS(gallop_batch_draw(batch.get(), 0, 8, kHeight, first.data(), 8 * kHeight * 3),
               GALLOP_VALUE, "expected 16 to 4096");
  EXPECT_FAILS(gallop_batch_draw(batch.get(), 0, kWidth, kHeight, first.data(), 5), GALLOP_VALUE,
               "expected 5184");
  EXPECT_FAILS(gallop_batch_draw(batch.get(), 0, kWidth, kHeight, nullptr, 5184), GALLOP_VALUE,
               "null pointer");
}

TEST(CBatch, EpisodesDrawParameters) {
  const CBackend backend = c_backend(1);
  const CBatch batch = c_batch(backend.get(), "cartpole", batch_options(2));
  int kind = -1;
  double low = 0, high = 0;
  ASSERT_OK(gallop_batch_get_range(batch.get(), "half_length", &kind, &low, &high));
  EXPECT_EQ(kind, 0);
  ASSERT_OK(gallop_batch_randomize(batch.get(), "half_length", 0.3, 0.8, 1));
  ASSERT_OK(gallop_batch_get_range(batch.get(), "half_length", &kind, &low, &high));
  EXPECT_EQ(kind, 2);
  EXPECT_EQ(low, 0.3);
  EXPECT_EQ(high, 0.8);
  float first[2], second[2];
  ASSERT_OK(gallop_batch_get_parameters(batch.get(), "half_length", first, 2));
  for (const float x : first) {
    EXPECT_GE(x, 0.3f);
    EXPECT_LE(x, 0.8f);
  }
  EXPECT_NE(first[0], first[1]);
  EXPECT_FAILS(gallop_batch_set_parameter(batch.get(), "half_length", 0.5), GALLOP_VALUE, "drawn");
  EXPECT_FAILS(gallop_batch_randomize(batch.get(), "half_length", 0.8, 0.3, 0), GALLOP_VALUE,
               "above its end");
  EXPECT_FAILS(gallop_batch_randomize(batch.get(), "half_lenght", 0.3, 0.8, 0), GALLOP_USAGE,
               "half_length");
  EXPECT_FAILS(gallop_batch_get_range(batch.get(), "half_length", nullptr, &low, &high),
               GALLOP_VALUE, "null pointer");
  ASSERT_OK(gallop_batch_get_parameters(batch.get(), "half_length", second, 2));
  EXPECT_EQ(std::memcmp(first, second, sizeof first), 0);
  ASSERT_OK(gallop_batch_stop_randomizing(batch.get(), nullptr));
  ASSERT_OK(gallop_batch_get_parameters(batch.get(), "half_length", second, 2));
  EXPECT_EQ(second[1], 0.5f);
}

TEST(CBatch, ParametersAndStatesAreGivenAndTaken) {
  const CBackend backend = c_backend(1);
  const CBatch batch = c_batch(backend.get(), "cartpole", batch_options(2));
  const float lengths[2] = {0.5f, 0.9f};
  float found[2];
  ASSERT_OK(gallop_batch_set_parameters(batch.get(), "half_length", lengths, 2));
  ASSERT_OK(gallop_batch_get_parameters(batch.get(), "half_length", found, 2));
  EXPECT_EQ(found[0], 0.5f);
  EXPECT_EQ(found[1], 0.9f);
  ASSERT_OK(gallop_batch_set_parameter(batch.get(), "half_length", 0.25));
  ASSERT_OK(gallop_batch_get_parameters(batch.get(), "half_length", found, 2));
  EXPECT_EQ(found[1], 0.25f);
  const float state[8] = {0.1f, 0.2f, -0.3f, 0, 0.01f, 0.02f, 0, 0.5f};
  float back[8];
  ASSERT_OK(gallop_batch_set_state(batch.get(), state, 8));
  ASSERT_OK(gallop_batch_get_state(batch.get(), back, 8));
  EXPECT_EQ(std::memcmp(state, back, sizeof state), 0);
  gallop_batch_buffers buffers = {};
  buffers.size = sizeof buffers;
  ASSERT_OK(gallop_batch_get_buffers(batch.get(), &buffers));
  EXPECT_EQ(buffers.state[buffers.stride + 1], 0.0f);
  EXPECT_EQ(buffers.state[2 * buffers.stride + 1], 0.02f);
}

}  // namespace
}  // namespace gallop::testing
