// Rolls out this project's own environment (spring.h) into buffers of its own, twice: step by step
// under a controller written here, and fused under a policy with the same gains. What the program
// prints, it prints itself; the library prints nothing.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include <gallop/host/error.h>
#include <gallop/host/runtime/environments.h>
#include "gallop_environments/spring.h"

namespace {

constexpr int kEnvs = 1000;  // N
constexpr int kSteps = 200;  // T: two episodes
constexpr float kGains[] = {-0.6f, -0.9f};

gallop::Environments make_springs(gallop::Backend& backend) {
  gallop::EnvironmentOptions options;
  options.n_envs = kEnvs;
  options.seed = 7;
  gallop::Environments springs(backend, gallop::kSpringEnvironment, options);
  springs.set_parameter("frequency", 2.0);
  springs.reset();
  return springs;
}

// Mean over instances of the sum over time of reward [T, N].
double mean_return(const std::vector<float>& reward) {
  double sum = 0;
  for (const float r : reward) sum += r;
  return sum / kEnvs;
}

double step_by_step(gallop::Backend& backend) {
  gallop::Environments springs = make_springs(backend);
  std::vector<float> observation(2 * kEnvs);  // [O, N]
  std::vector<float> action(kEnvs);           // [A, N]
  std::vector<float> reward(kSteps * kEnvs);  // [T, N]
  std::vector<std::uint8_t> terminated(kEnvs), truncated(kEnvs);
  springs.observe(observation.data());
  for (int t = 0; t < kSteps; t++) {
    for (int i = 0; i < kEnvs; i++) {
      const float position = observation[i], velocity = observation[kEnvs + i];
      action[i] = std::fma(kGains[1], velocity, kGains[0] * position);
    }
    gallop::StepOutput out = {};
    out.observation = observation.data();
    out.reward = reward.data() + t * kEnvs;
    out.terminated = terminated.data();
    out.truncated = truncated.data();
    springs.step(action.data(), out);
  }
  return mean_return(reward);
}

double fused(gallop::Backend& backend) {
  gallop::Environments springs = make_springs(backend);
  const float parameters[] = {kGains[0], kGains[1], 0.0f};  // weights [O, A], bias [A]
  gallop::PolicyView policy = {};
  policy.shape = {{gallop::NetworkKind::kMlp, gallop::Activation::kIdentity, 1, {2, 1}},
                  gallop::Head::kDeterministic,
                  1};
  policy.parameters = parameters;
  std::vector<float> observation((kSteps + 1) * 2 * kEnvs);  // [T + 1, O, N]
  std::vector<float> reward(kSteps * kEnvs);                 // [T, N]
  gallop::Trajectory out = {};
  out.n_steps = kSteps;
  out.n_envs = kEnvs;
  out.observation = observation.data();
  out.reward = reward.data();
  springs.rollout(gallop::ActionSource::kPolicy, policy, true, out);
  return mean_return(reward);
}

}  // namespace

int main() {
  try {
    const auto backend = gallop::make_cpu_backend(2);
    std::printf("own controller: mean return %.9f\n", step_by_step(*backend));
    std::printf("fused policy:   mean return %.9f\n", fused(*backend));
  } catch (const gallop::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_status();
  }
}
