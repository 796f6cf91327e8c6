#include "tests/cuda/rollout_case.h"

#include <cmath>

#include <gallop/host/registry/registry.h>

namespace gallop::testing {
namespace {

// Parameters that differ a little from instance to instance, within their bounds.
void vary_parameters(Environments& environments) {
  const EnvironmentSpec& spec = environments.spec();
  const int n = environments.n_envs();
  for (int k = 0; k < spec.n_parameters; k++) {
    if (spec.sizes != nullptr && std::string(spec.parameters[k].name).rfind("n_", 0) == 0) continue;
    std::vector<float> values(n);
    for (int i = 0; i < n; i++) {
      values[i] = float(spec.parameters[k].value * (1.0 + 0.001 * (i % 7)));
      if (values[i] > spec.parameters[k].high || values[i] < spec.parameters[k].low) {
        values[i] = float(spec.parameters[k].value);
      }
    }
    environments.set_parameter(spec.parameters[k].name, values);
  }
}

struct Arrays {
  DeviceArray<float> observation, action, log_prob, reward, final_observation, ended_return;
  DeviceArray<std::uint8_t> terminated, truncated;
  DeviceArray<std::int32_t> ended_length, first_length;
  DeviceArray<float> first_return, state;

  Arrays(Backend& backend, const Environments& e, int n_steps) {
    const std::size_t n = e.n_envs(), t = n_steps;
    observation = poisoned<float>(backend, (t + 1) * e.observation_rows() * n);
    action = poisoned<float>(backend, t * e.action_rows() * n);
    log_prob = poisoned<float>(backend, t * n);
    reward = poisoned<float>(backend, t * n);
    final_observation = poisoned<float>(backend, t * e.observation_rows() * n);
    ended_return = poisoned<float>(backend, t * n);
    terminated = poisoned<std::uint8_t>(backend, t * n);
    truncated = poisoned<std::uint8_t>(backend, t * n);
    ended_length = poisoned<std::int32_t>(backend, t * n);
    first_return = poisoned<float>(backend, n);
    first_length = DeviceArray<std::int32_t>::zeroed(backend, n);
    state = poisoned<float>(backend, (t + 1) * std::size_t(e.spec().n_state) * n);
  }

  Trajectory view(const RolloutCase& rollout) const {
    Trajectory out = {};
    out.n_steps = rollout.n_steps;
    out.n_envs = rollout.n_envs;
    out.first_return = first_return.data();
    out.first_length = first_length.data();
    if (!rollout.stored) return out;
    if (rollout.states) out.state = state.data();
    out.observation = observation.data();
    out.action = action.data();
    out.log_prob = log_prob.data();
    out.reward = reward.data();
    out.terminated = terminated.data();
    out.truncated = truncated.data();
    out.final_observation = final_observation.data();
    out.final_interval = rollout.final_interval;
    out.ended_return = ended_return.data();
    out.ended_length = ended_length.data();
    return out;
  }
};

}  // namespace

std::string RolloutCase::label() const {
  std::string text = environment + " N" + std::to_string(n_envs) + " T" + std::to_string(n_steps) +
                     " mode" + std::to_string(int(mode)) + " head" + std::to_string(int(head));
  if (source == ActionSource::kUniform) text += " uniform";
  for (const int width : hidden) text += " h" + std::to_string(width);
  if (activation != Activation::kTanh) text += " activation" + std::to_string(int(activation));
  if (deterministic) text += " deterministic";
  if (normalized) text += " normalized";
  if (!stored) text += " unstored";
  if (parameters_per_instance) text += " per instance";
  if (!ids.empty()) text += " ids";
  if (states) text += " states";
  if (final_interval > 1) text += " final" + std::to_string(final_interval);
  if (arithmetic == Arithmetic::kFast) text += " fast";
  return text;
}

const EnvironmentEntry& entry_of_type(const std::string& type) {
  for (int k = 0; k < kNumEnvironmentEntries; k++) {
    if (type == kEnvironmentEntries[k].type) return kEnvironmentEntries[k];
  }
  throw std::runtime_error("no environment " + type);
}
const EnvironmentSpec& spec_of_type(const std::string& type) {
  return spec_of(entry_of_type(type));
}

PolicyShape shape_of(const RolloutCase& rollout, const Environments& environments) {
  const bool index = environments.spec().observation_kind == SpaceKind::kDiscrete;
  PolicyShape shape = {};
  shape.head = rollout.head;
  shape.n_actions = environments.action_size();
  shape.network.kind = index ? NetworkKind::kTabular : NetworkKind::kMlp;
  shape.network.hidden = rollout.activation;
  int layer = 0;
  shape.network.width[layer++] = environments.observation_size();
  for (const int width : rollout.hidden) shape.network.width[layer++] = width;
  shape.network.n_layers = layer;
  shape.network.width[layer] = head_outputs(rollout.head, shape.n_actions);
  return shape;
}

std::vector<float> parameters_of(const PolicyShape& shape, std::uint32_t seed, float scale) {
  Numbers numbers(seed);
  std::vector<float> parameters;
  const NetworkShape& network = shape.network;
  const bool tabular = network.kind == NetworkKind::kTabular;
  for (int l = 0; l < network.n_layers; l++) {
    const int n_in = network.width[l], n_out = network.width[l + 1];
    const float bound = scale * (tabular ? 1.0f : std::sqrt(3.0f / float(n_in)));
    for (int k = 0; k < n_in * n_out; k++) parameters.push_back(numbers.uniform(-bound, bound));
    for (int k = 0; k < (tabular ? 0 : n_out); k++) {
      parameters.push_back(numbers.uniform(-0.1f, 0.1f));
    }
  }
  if (shape.head == Head::kGaussian) {
    for (int k = 0; k < shape.n_actions; k++) parameters.push_back(numbers.uniform(-1.0f, 0.5f));
  } else {  // half a range above 0, its centre, a deviation
    const int n = head_parameters(shape.head, shape.n_actions);
    for (int k = 0; k < n; k++) parameters.push_back(numbers.uniform(0.25f, 1.5f));
  }
  return parameters;
}

EnvironmentOptions options_of(const RolloutCase& rollout) {
  EnvironmentOptions options;
  options.n_envs = rollout.n_envs;
  options.seed = rollout.seed;
  options.ids = rollout.ids;
  if (rollout.ids.empty()) options.id_offset = 1000;
  options.time_limit = rollout.time_limit;
  options.reset_mode = rollout.mode;
  options.clip_actions = rollout.clip;
  options.arithmetic = rollout.arithmetic;
  return options;
}

RolloutResult run_rollout(Backend& backend, const RolloutCase& rollout) {
  Environments environments(backend, entry_of_type(rollout.environment), options_of(rollout));
  if (rollout.parameters_per_instance) vary_parameters(environments);
  environments.reset();

  const PolicyShape shape = shape_of(rollout, environments);
  const auto parameters = uploaded(backend, parameters_of(shape, 3, rollout.weight_scale));
  Numbers numbers(11);
  const int rows = environments.observation_rows();
  const auto mean = uploaded(backend, numbers.many(rows, -0.1f, 0.1f));
  const auto inverse_std = uploaded(backend, numbers.many(rows, 0.5f, 3.0f));
  PolicyView policy = {shape, parameters.data(), {nullptr, nullptr, 0.0f}};
  if (rollout.normalized) policy.normalization = {mean.data(), inverse_std.data(), 1.5f};

  const Arrays arrays(backend, environments, rollout.n_steps);
  for (int k = 0; k < rollout.n_rollouts; k++) {
    environments.rollout(rollout.source, policy, rollout.deterministic, arrays.view(rollout));
  }
  RolloutResult result;
  result.observation = arrays.observation.download();
  result.action = arrays.action.download();
  result.log_prob = arrays.log_prob.download();
  result.reward = arrays.reward.download();
  result.final_observation = arrays.final_observation.download();
  result.ended_return = arrays.ended_return.download();
  result.terminated = arrays.terminated.download();
  result.truncated = arrays.truncated.download();
  result.ended_length = arrays.ended_length.download();
  result.first_return = arrays.first_return.download();
  result.first_length = arrays.first_length.download();
  result.states = arrays.state.download();
  result.state = environments.get_state();
  result.nonfinite = environments.first_nonfinite();
  return result;
}

void expect_same(const RolloutResult& expected, const RolloutResult& actual) {
  EXPECT_TRUE(same_bits(expected.observation, actual.observation)) << "observation";
  EXPECT_TRUE(same_bits(expected.action, actual.action)) << "action";
  EXPECT_TRUE(same_bits(expected.log_prob, actual.log_prob)) << "log_prob";
  EXPECT_TRUE(same_bits(expected.reward, actual.reward)) << "reward";
  EXPECT_TRUE(same_bits(expected.final_observation, actual.final_observation)) << "final";
  EXPECT_TRUE(same_bits(expected.ended_return, actual.ended_return)) << "ended_return";
  EXPECT_TRUE(same_bits(expected.terminated, actual.terminated)) << "terminated";
  EXPECT_TRUE(same_bits(expected.truncated, actual.truncated)) << "truncated";
  EXPECT_TRUE(same_bits(expected.ended_length, actual.ended_length)) << "ended_length";
  EXPECT_TRUE(same_bits(expected.first_return, actual.first_return)) << "first_return";
  EXPECT_TRUE(same_bits(expected.first_length, actual.first_length)) << "first_length";
  EXPECT_TRUE(same_bits(expected.states, actual.states)) << "states";
  EXPECT_TRUE(same_bits(expected.state, actual.state)) << "state";
  EXPECT_EQ(expected.nonfinite.found, actual.nonfinite.found);
  EXPECT_EQ(expected.nonfinite.instance, actual.nonfinite.instance);
  EXPECT_EQ(expected.nonfinite.time, actual.nonfinite.time);
}

}  // namespace gallop::testing
