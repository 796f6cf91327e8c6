#include "tests/cuda/step_case.h"

#include <iterator>

#include <gallop/host/files/tensor_file.h>
#include "tests/cuda/rollout_case.h"

namespace gallop::testing {
namespace {

constexpr float kImpossible[] = {__builtin_nanf(""), -1.0f,           0.5f, 64.0f, 1e30f, -1e9f,
                                 2147483648.0f,      __builtin_inff()};

struct StepArrays {
  DeviceArray<float> observation, final_observation, reward, ended_return;
  DeviceArray<std::uint8_t> terminated, truncated;
  DeviceArray<std::int32_t> ended_length, first_length;
  DeviceArray<float> first_return, terms;

  StepArrays(Backend& backend, const Environments& e) {
    const std::size_t n = e.n_envs();
    observation = poisoned<float>(backend, e.observation_rows() * n);
    final_observation = poisoned<float>(backend, e.observation_rows() * n);
    reward = poisoned<float>(backend, n);
    ended_return = poisoned<float>(backend, n);
    terminated = poisoned<std::uint8_t>(backend, n);
    truncated = poisoned<std::uint8_t>(backend, n);
    ended_length = poisoned<std::int32_t>(backend, n);
    first_length = DeviceArray<std::int32_t>::zeroed(backend, n);
    first_return = poisoned<float>(backend, n);
    terms = poisoned<float>(backend, std::size_t(e.spec().n_terms + 1) * n);
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
    out.first_return = first_return.data();
    out.first_length = first_length.data();
    out.terms = terms.data();
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
    append(result.first_return, first_return);
    append(result.first_length, first_length);
    append(result.terms, terms);
  }
};

}  // namespace

StepResult run_steps(Backend& backend, const StepCase& c) {
  EnvironmentOptions options;
  options.n_envs = c.n_envs;
  options.seed = c.seed;
  options.time_limit = c.time_limit;
  options.reset_mode = c.mode;
  Environments e(backend, entry_of_type(c.environment), options);
  e.reset();
  const StepArrays arrays(backend, e);
  StepResult result;
  e.observe(arrays.observation.data());
  arrays.append_to(result);
  Numbers numbers(12);
  const std::size_t n = std::size_t(c.n_envs), n_actions = std::size_t(e.action_rows()) * n;
  const bool discrete = e.spec().action_kind == SpaceKind::kDiscrete;
  for (int t = 0; t < c.n_steps; t++) {
    std::vector<float> actions = numbers.many(n_actions, -3.0f, 3.0f);
    if (discrete) {
      for (float& a : actions) a = float(numbers.word() % unsigned(e.action_size()));
      for (std::size_t i = 0; i < n && c.has_impossible_actions; i++) {
        if (numbers.word() % 16 == 0)
          actions[i] = kImpossible[numbers.word() % std::size(kImpossible)];
      }
    }
    const DeviceArray<float> action = uploaded(backend, actions);
    e.step(action.data(), arrays.view());
    arrays.append_to(result);
    std::vector<std::uint8_t> mask(n, 0);
    if (t % 5 == 1) mask = numbers.flags(n, 0.3f);
    for (std::size_t i = 0; i < n && c.mode == ResetMode::kDisabled; i++) {
      const std::size_t at = result.terminated.size() - n + i;
      if (i % 3 != 0) mask[i] |= result.terminated[at] | result.truncated[at];
    }
    if (t % 5 == 1 || c.mode == ResetMode::kDisabled) {
      const DeviceArray<std::uint8_t> chosen = uploaded(backend, mask);
      e.reset_where(chosen.data());
    }
  }
  e.observe(arrays.observation.data());
  arrays.append_to(result);
  result.state = e.get_state();
  TensorFile file;
  e.save(file, "batch");
  result.nonfinite.resize(file.tensor("batch/nonfinite").bytes.size() / sizeof(std::uint32_t));
  file.get<std::uint32_t>("batch/nonfinite", {result.nonfinite.size()}, result.nonfinite);
  return result;
}

}  // namespace gallop::testing
