// Rollouts with policies of every head, and what a learner computes of the recorded samples:
// advantages, gradients, a step of Adam.
#include <gallop/kernels/estimators/gae.h>
#include <gallop/kernels/gradients/gradient.h>
#include <gallop/kernels/optimizers/step.h>
#include <gallop/kernels/rollout/rollout.h>
#include <gallop/kernels/tables/environment_table_impl.h>
#include <gallop/sims/cartpole.h>
#include <gallop/sims/mdp.h>
#include <gallop/sims/pendulum.h>
#include "tests/bits/hash.h"
#include "tests/sims/instance_batch.h"

namespace gallop::bits {
namespace {

constexpr int kEnvs = 83, kSteps = 48;

// One thread, and memory aligned to 64 bytes.
class OneThreadWork : public CpuWork {
 public:
  OneThreadWork() : CpuWork{1, this, &run_all, &give_floats} {}

 private:
  static void run_all(void*, long n, long, void (*body)(const void*, int, long, long),
                      const void* context) {
    body(context, 0, 0, n);
  }
  static float* give_floats(void* owner, long count) {
    std::vector<float>& storage = static_cast<OneThreadWork*>(owner)->storage_;
    storage.assign(count + 16, 0.0f);
    const auto at = reinterpret_cast<std::uintptr_t>(storage.data());
    return storage.data() + (64 - at % 64) % 64 / sizeof(float);
  }

  std::vector<float> storage_;
};

// Parameters and other numbers in [-scale, scale] from the index alone.
std::vector<float> some_numbers(long count, float scale) {
  std::vector<float> x;
  for (long i = 0; i < count; i++) {
    const std::uint32_t word = std::uint32_t(i + 1) * 2654435761u;
    x.push_back((float(word >> 8) * 0x1p-23f - 1.0f) * scale);
  }
  return x;
}

struct Recorded {
  std::vector<float> observation, action, log_prob, reward, final_observation;
  std::vector<std::uint8_t> terminated, truncated;
};

Recorded roll(const EnvironmentTable& table, const PolicyView& policy, ActionSource source) {
  testing::InstanceBatch instances(table, kEnvs, 7);
  instances.batch.time_limit = 20;
  instances.reset();
  const int obs_rows = instances.observation_rows(), act_rows = instances.action_rows();
  const long n = long(kSteps) * kEnvs;
  Recorded to;
  to.observation.assign((n + kEnvs) * obs_rows, 0);
  to.final_observation.assign(n * obs_rows, 0);
  to.action.assign(n * act_rows, 0);
  to.log_prob.assign(n, 0);
  to.reward.assign(n, 0);
  to.terminated.assign(n, 0);
  to.truncated.assign(n, 0);
  RolloutRequest request = {};
  request.environment = &table;
  request.batch = instances.batch;
  request.source = source;
  request.policy = policy;
  request.mode = ResetMode::kSameStep;
  request.out = {kSteps,
                 kEnvs,
                 to.observation.data(),
                 to.action.data(),
                 to.log_prob.data(),
                 to.reward.data(),
                 to.terminated.data(),
                 to.truncated.data(),
                 to.final_observation.data(),
                 nullptr,
                 nullptr};
  rollout<Native>(request, OneThreadWork());
  return to;
}

void print(const char* name, const Recorded& r) {
  Hash hash;
  hash.add(r.observation);
  hash.add(r.action);
  hash.add(r.log_prob);
  hash.add(r.reward);
  hash.add(r.terminated);
  hash.add(r.truncated);
  hash.add(r.final_observation);
  hash.print("rollout", name);
}

void print_gae(const Recorded& r) {
  const long n = long(kSteps) * kEnvs;
  const std::vector<float> value = some_numbers(n + kEnvs, 2.0f), last = some_numbers(n, 1.0f);
  std::vector<float> advantage(n), target(n);
  GaeRequest request = {};
  request.n_steps = kSteps;
  request.n_envs = kEnvs;
  request.gamma = 0.99f;
  request.lambda = 0.95f;
  request.reward_scale = 1.0f;
  request.reward = r.reward.data();
  request.terminated = r.terminated.data();
  request.truncated = r.truncated.data();
  request.value = value.data();
  request.final_value = last.data();
  request.advantage = advantage.data();
  request.target = target.data();
  gae<Native>(request, OneThreadWork());
  Hash hash;
  hash.add(advantage);
  hash.add(target);
  hash.print("learner", "gae");
}

void print_gradient(const char* name, const PolicyView& policy, const Recorded& r, int obs_rows,
                    int act_rows) {
  const long count = long(kSteps) * kEnvs;
  const std::vector<float> advantage = some_numbers(count, 1.5f);
  const long n_parameters = parameter_count(policy.shape);
  PolicyGradientRequest request = {};
  request.policy = policy;
  request.samples = {kEnvs,
                     obs_rows,
                     act_rows,
                     r.observation.data(),
                     r.action.data(),
                     r.log_prob.data(),
                     advantage.data(),
                     nullptr,
                     nullptr,
                     count};
  request.loss = PolicyLoss::kClippedSurrogate;
  request.clip = 0.2f;
  request.entropy_coefficient = 0.01f;
  request.weight = 1.0f / float(count);
  std::vector<float> gradient(n_parameters + kPolicyStatistics);
  request.gradient = gradient.data();
  policy_gradient<Native>(request, OneThreadWork());
  Hash hash;
  hash.add(gradient);
  hash.print("gradient", name);
}

void print_adam() {
  constexpr long kCount = 1003;
  std::vector<float> x = some_numbers(kCount, 1.0f), g = some_numbers(2 * kCount, 0.1f);
  std::vector<float> m(kCount), v(kCount);
  StepState state = {3e-3, 1.0, 1.0, 0.0, 1.0, 0};
  for (int step = 0; step < 2; step++) {
    optimizer_step<Native>({StepRule::kAdam, x.data(), g.data() + step * kCount, m.data(), v.data(),
                            &state, 0.5, 0.9, 0.999, 1e-8f, kCount},
                           OneThreadWork());
  }
  Hash hash;
  hash.add(x);
  hash.add(m);
  hash.add(v);
  hash.print("learner", "adam");
}

}  // namespace

void print_rollouts() {
  const EnvironmentTable& cartpole = EnvironmentFunctions<CartPole>::kTable;
  const EnvironmentTable& pendulum = EnvironmentFunctions<Pendulum>::kTable;
  const EnvironmentTable& mdp = EnvironmentFunctions<Mdp>::kTable;
  const std::vector<float> parameters = some_numbers(20'000, 0.3f);
  const auto view = [&](NetworkShape network, Head head, int n_actions) {
    return PolicyView{{network, head, n_actions}, parameters.data(), {}};
  };
  const PolicyView tanh_64 =
      view({NetworkKind::kMlp, Activation::kTanh, 3, {4, 64, 64, 2}}, Head::kCategorical, 2);
  const PolicyView relu_33 =
      view({NetworkKind::kMlp, Activation::kRelu, 2, {3, 33, 1}}, Head::kGaussian, 1);
  const PolicyView table =
      view({NetworkKind::kTabular, Activation::kIdentity, 1, {3, 2}}, Head::kCategorical, 2);

  print("cartpole random", roll(cartpole, tanh_64, ActionSource::kUniform));
  print("pendulum random", roll(pendulum, relu_33, ActionSource::kUniform));
  const Recorded a = roll(cartpole, tanh_64, ActionSource::kPolicy);
  const Recorded b = roll(pendulum, relu_33, ActionSource::kPolicy);
  const Recorded c = roll(mdp, table, ActionSource::kPolicy);
  print("cartpole 64-64 tanh", a);
  print("pendulum 33 relu gaussian", b);
  print("mdp tabular softmax", c);
  print_gae(a);
  print_gradient("cartpole 64-64 tanh", tanh_64, a, 4, 1);
  print_gradient("pendulum 33 relu gaussian", relu_33, b, 3, 1);
  print_gradient("mdp tabular softmax", table, c, 1, 1);
  print_adam();
}

}  // namespace gallop::bits
