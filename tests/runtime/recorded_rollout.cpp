#include "tests/runtime/recorded_rollout.h"

#include <cmath>

#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

template <class T>
std::vector<T> columns_of(const std::vector<T>& x, int n_envs, int begin, int end) {
  std::vector<T> taken;
  for (std::size_t row = 0; row < x.size() / n_envs; row++) {
    taken.insert(taken.end(), x.begin() + row * n_envs + begin, x.begin() + row * n_envs + end);
  }
  return taken;
}

template <class T>
std::string compare(const char* name, const std::vector<T>& a, const std::vector<T>& b,
                    int n_envs) {
  if (a.size() != b.size()) return std::string(name) + " differ in size";
  for (std::size_t i = 0; i < a.size(); i++) {
    if (std::memcmp(&a[i], &b[i], sizeof(T)) == 0) continue;
    return std::string(name) + " differ in row " + std::to_string(i / n_envs) + ", instance " +
           std::to_string(i % n_envs) + ": " + std::to_string(a[i]) + " and " +
           std::to_string(b[i]);
  }
  return "";
}

}  // namespace

RecordedRollout::RecordedRollout(int steps, int envs, int o, int a)
    : n_steps(steps),
      n_envs(envs),
      observation_rows(o),
      action_rows(a),
      observation(long(steps + 1) * o * envs, kPoison),
      action(long(steps) * a * envs, kPoison),
      log_prob(long(steps) * envs, kPoison),
      reward(long(steps) * envs, kPoison),
      final_observation(long(steps) * o * envs, kPoison),
      ended_return(long(steps) * envs, kPoison),
      terminated(long(steps) * envs, kPoisonFlag),
      truncated(long(steps) * envs, kPoisonFlag),
      ended_length(long(steps) * envs, -77) {}

Trajectory RecordedRollout::trajectory() {
  return {n_steps,
          n_envs,
          observation.data(),
          action.data(),
          log_prob.data(),
          reward.data(),
          terminated.data(),
          truncated.data(),
          final_observation.data(),
          ended_return.data(),
          ended_length.data()};
}

long RecordedRollout::n_ended() const {
  long count = 0;
  for (std::size_t i = 0; i < terminated.size(); i++) count += ended(long(i)) ? 1 : 0;
  return count;
}

RecordedRollout RecordedRollout::columns(int begin, int end) const {
  RecordedRollout r(n_steps, end - begin, observation_rows, action_rows);
  r.observation = columns_of(observation, n_envs, begin, end);
  r.action = columns_of(action, n_envs, begin, end);
  r.log_prob = columns_of(log_prob, n_envs, begin, end);
  r.reward = columns_of(reward, n_envs, begin, end);
  r.final_observation = columns_of(final_observation, n_envs, begin, end);
  r.ended_return = columns_of(ended_return, n_envs, begin, end);
  r.terminated = columns_of(terminated, n_envs, begin, end);
  r.truncated = columns_of(truncated, n_envs, begin, end);
  r.ended_length = columns_of(ended_length, n_envs, begin, end);
  return r;
}

std::string RecordedRollout::difference(const RecordedRollout& o) const {
  for (const std::string& text :
       {compare("observations", observation, o.observation, n_envs),
        compare("actions", action, o.action, n_envs),
        compare("log-probabilities", log_prob, o.log_prob, n_envs),
        compare("rewards", reward, o.reward, n_envs),
        compare("terminated flags", terminated, o.terminated, n_envs),
        compare("truncated flags", truncated, o.truncated, n_envs),
        compare("final observations", final_observation, o.final_observation, n_envs),
        compare("returns", ended_return, o.ended_return, n_envs),
        compare("lengths", ended_length, o.ended_length, n_envs)}) {
    if (!text.empty()) return text;
  }
  return "";
}

PolicyView RandomPolicy::view() const {
  Normalization by = {nullptr, nullptr, 0};
  if (!mean.empty()) by = {mean.data(), inverse_std.data(), 2.0f};
  return {shape, parameters.data(), by};
}

std::vector<RandomPolicy> policies_for(const Environments& e, std::uint64_t seed) {
  Random random(seed);
  const bool index = e.spec().observation_kind == SpaceKind::kDiscrete;
  const bool discrete = e.spec().action_kind == SpaceKind::kDiscrete;
  std::vector<Head> heads = {Head::kCategorical};
  if (!discrete) heads = {Head::kGaussian, Head::kGaussianNetwork, Head::kDeterministic};
  std::vector<std::vector<int>> layers = {{}, {7}, {64, 64}, {33, 128}};
  if (index) layers = {{}};
  std::vector<RandomPolicy> policies;
  for (const Head head : heads) {
    for (const std::vector<int>& hidden : layers) {
      RandomPolicy p;
      p.shape.head = head;
      p.shape.n_actions = e.action_size();
      NetworkShape& network = p.shape.network;
      network.kind = index ? NetworkKind::kTabular : NetworkKind::kMlp;
      network.hidden = hidden.size() == 1 ? Activation::kRelu : Activation::kTanh;
      network.n_layers = int(hidden.size()) + 1;
      network.width[0] = e.observation_size();
      for (std::size_t l = 0; l < hidden.size(); l++) network.width[l + 1] = hidden[l];
      network.width[network.n_layers] =
          head == Head::kGaussianNetwork ? 2 * e.action_size() : e.action_size();
      for (int l = 0; l < network.n_layers; l++) {
        const double gain = index ? 1.0 : 1.0 / std::sqrt(double(network.width[l]));
        while (long(p.parameters.size()) < layer_offset(network, l + 1)) {
          p.parameters.push_back(float(gain * random.normal()));
        }
      }
      if (head == Head::kGaussian) p.parameters.resize(p.parameters.size() + e.action_size(), -.5f);
      if (hidden.size() == 2 && !index) {
        for (int k = 0; k < e.observation_size(); k++) {
          p.mean.push_back(float(0.3 * random.normal()));
          p.inverse_std.push_back(float(random.uniform(0.5, 2)));
        }
      }
      policies.push_back(p);
    }
  }
  return policies;
}

Environments make_batch(Backend& backend, const EnvironmentEntry& entry, int n_envs,
                        std::uint32_t id_offset, ResetMode mode, int time_limit) {
  EnvironmentOptions options;
  options.n_envs = n_envs;
  options.seed = 0x00abcdef12345678u;
  options.id_offset = id_offset;
  options.reset_mode = mode;
  options.time_limit = time_limit;
  Environments environments(backend, entry, options);
  environments.reset();
  return environments;
}

}  // namespace gallop::testing
