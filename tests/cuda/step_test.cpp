// Reset, observation and single steps on the subject, against the CPU.
#include "host/registry/generated.h"
#include "tests/cuda/rollout_case.h"

namespace gallop::testing {
namespace {

struct StepResult {
  std::vector<float> observation, final_observation, reward, ended_return, state;
  std::vector<std::uint8_t> terminated, truncated;
  std::vector<std::int32_t> ended_length;
};

struct StepArrays {
  DeviceArray<float> action, observation, final_observation, reward, ended_return;
  DeviceArray<std::uint8_t> terminated, truncated, mask;
  DeviceArray<std::int32_t> ended_length;

  StepArrays(Backend& backend, const Environments& e) {
    const std::size_t n = e.n_envs();
    action = poisoned<float>(backend, e.action_rows() * n);
    observation = poisoned<float>(backend, e.observation_rows() * n);
    final_observation = poisoned<float>(backend, e.observation_rows() * n);
    reward = poisoned<float>(backend, n);
    ended_return = poisoned<float>(backend, n);
    terminated = poisoned<std::uint8_t>(backend, n);
    truncated = poisoned<std::uint8_t>(backend, n);
    mask = poisoned<std::uint8_t>(backend, n);
    ended_length = poisoned<std::int32_t>(backend, n);
  }

  StepOutput view() const {
    StepOutput out = {};
    out.observation = observation.data();
    out.final_observation = final_observation.data();
    out.reward = reward.data();
    out.terminated = terminated.data();
    out.truncated = truncated.data();
    out.ended_return = ended_return.data();
    out.ended_length = ended_length.data();
    return out;
  }

  void append_to(StepResult& result) const {
    const auto append = [](auto& to, const auto& from) {
      const auto values = from.download();
      to.insert(to.end(), values.begin(), values.end());
    };
    append(result.observation, observation);
    append(result.final_observation, final_observation);
    append(result.reward, reward);
    append(result.ended_return, ended_return);
    append(result.terminated, terminated);
    append(result.truncated, truncated);
    append(result.ended_length, ended_length);
  }
};

StepResult run_steps(Backend& backend, const std::string& type, ResetMode mode, int n_envs) {
  EnvironmentOptions options;
  options.n_envs = n_envs;
  options.seed = 99;
  options.time_limit = 4;
  options.reset_mode = mode;
  Environments e(backend, entry_of_type(type), options);
  e.reset();
  const StepArrays arrays(backend, e);
  StepResult result;
  e.observe(arrays.observation.data());
  arrays.append_to(result);
  Numbers numbers(12);
  const int n_steps = mode == ResetMode::kDisabled ? 3 : 12;
  const bool discrete = e.spec().action_kind == SpaceKind::kDiscrete;
  for (int t = 0; t < n_steps; t++) {
    std::vector<float> actions = numbers.many(arrays.action.size(), -3.0f, 3.0f);
    if (discrete) {
      for (float& a : actions) a = float(numbers.word() % unsigned(e.action_size()));
    }
    DeviceArray<float> action = uploaded(backend, actions);
    e.step(action.data(), arrays.view());
    arrays.append_to(result);
    if (t % 5 == 1) {  // some instances begin again
      const DeviceArray<std::uint8_t> mask = uploaded(backend, numbers.flags(n_envs, 0.3f));
      e.reset_where(mask.data());
    }
  }
  e.observe(arrays.observation.data());
  arrays.append_to(result);
  result.state = e.get_state();
  return result;
}

TEST(Step, EveryEnvironmentAndResetMode) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  for (int k = 0; k < kNumEnvironmentEntries; k++) {
    const std::string type = kEnvironmentEntries[k].type;
    for (const ResetMode mode :
         {ResetMode::kSameStep, ResetMode::kNextStep, ResetMode::kDisabled}) {
      for (const int n_envs : {1, 130}) {
        SCOPED_TRACE(type + " mode " + std::to_string(int(mode)));
        const StepResult expected = run_steps(*cpu, type, mode, n_envs);
        const StepResult actual = run_steps(*subject, type, mode, n_envs);
        EXPECT_TRUE(same_bits(expected.observation, actual.observation)) << "observation";
        EXPECT_TRUE(same_bits(expected.final_observation, actual.final_observation)) << "final";
        EXPECT_TRUE(same_bits(expected.reward, actual.reward)) << "reward";
        EXPECT_TRUE(same_bits(expected.ended_return, actual.ended_return)) << "ended_return";
        EXPECT_TRUE(same_bits(expected.terminated, actual.terminated)) << "terminated";
        EXPECT_TRUE(same_bits(expected.truncated, actual.truncated)) << "truncated";
        EXPECT_TRUE(same_bits(expected.ended_length, actual.ended_length)) << "ended_length";
        EXPECT_TRUE(same_bits(expected.state, actual.state)) << "state";
        EXPECT_TRUE(mode == ResetMode::kDisabled || !untouched(actual.ended_length));
      }
    }
  }
}

}  // namespace
}  // namespace gallop::testing
