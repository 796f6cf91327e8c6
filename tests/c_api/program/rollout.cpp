// examples/c/rollout.c by the C++ library: the same numbers, printed alike.
#include <cmath>
#include <cstdio>
#include <vector>

#include <gallop/host/registry/registry.h>
#include <gallop/host/runtime/environments.h>

namespace {

constexpr int kEnvs = 1000, kSteps = 300, kObservation = 3;
constexpr float kGains[] = {-0.4f, -1.7f, -0.6f};

gallop::Environments make_pendulums(gallop::Backend& backend) {
  gallop::EnvironmentOptions options;
  options.n_envs = kEnvs;
  options.seed = 7;
  options.reset_mode = gallop::ResetMode::kNextStep;
  gallop::Environments pendulums(backend, gallop::find_environment("pendulum"), options);
  pendulums.set_parameter("gravity", 8.0);
  pendulums.reset();
  return pendulums;
}

double step_by_step(gallop::Backend& backend) {
  gallop::Environments pendulums = make_pendulums(backend);
  std::vector<float> observation(kObservation * kEnvs), action(kEnvs), reward(kEnvs);
  pendulums.observe(observation.data());
  double sum = 0;
  for (int t = 0; t < kSteps; t++) {
    for (int i = 0; i < kEnvs; i++) {
      action[i] = 0;
      for (int k = 0; k < kObservation; k++) {
        action[i] = std::fma(kGains[k], observation[k * kEnvs + i], action[i]);
      }
    }
    gallop::StepOutput out = {};
    out.observation = observation.data();
    out.reward = reward.data();
    pendulums.step(action.data(), out);
    for (const float r : reward) sum += r;
  }
  return sum / kEnvs;
}

double fused(gallop::Backend& backend) {
  gallop::Environments pendulums = make_pendulums(backend);
  const float parameters[] = {kGains[0], kGains[1], kGains[2], 0.0f};
  gallop::PolicyView policy = {};
  policy.shape = {{gallop::NetworkKind::kMlp, gallop::Activation::kTanh, 1, {kObservation, 1}},
                  gallop::Head::kDeterministic,
                  1};
  policy.parameters = parameters;
  std::vector<float> reward(kSteps * kEnvs);
  gallop::Trajectory out = {};
  out.n_steps = kSteps;
  out.n_envs = kEnvs;
  out.reward = reward.data();
  pendulums.rollout(gallop::ActionSource::kPolicy, policy, true, out);
  double sum = 0;
  for (const float r : reward) sum += r;
  return sum / kEnvs;
}

}  // namespace

int main() {
  const auto backend = gallop::make_cpu_backend(1);
  std::printf("own controller: mean return %.9f\n", step_by_step(*backend));
  std::printf("fused policy:   mean return %.9f\n", fused(*backend));
}
