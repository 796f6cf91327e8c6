// A loop over the steps, from the last to the first, and in it one over the instances: scalar code
// without pragmas, compiled once for each instruction set with the flags of the kernels.
#include "bench/plain/gae_baseline.h"

namespace {

void advantages(const gallop::GaeRequest& r, float* following) {
  for (int n = 0; n < r.n_envs; n++) following[n] = 0.0f;
  for (int t = r.n_steps - 1; t >= 0; t--) {
    for (int n = 0; n < r.n_envs; n++) {
      const long at = long(t) * r.n_envs + n;
      const bool terminated = r.terminated[at] != 0, truncated = r.truncated[at] != 0;
      const float next = terminated ? 0.0f : truncated ? r.final_value[at] : r.value[at + r.n_envs];
      const float delta = r.reward_scale * r.reward[at] + r.gamma * next - r.value[at];
      const float weight = terminated || truncated ? 0.0f : r.gamma * r.lambda;
      following[n] = delta + weight * following[n];
      r.advantage[at] = following[n];
      r.target[at] = following[n] + r.value[at];
    }
  }
}

void returns(const gallop::GaeRequest& r, float* following) {
  for (int n = 0; n < r.n_envs; n++) following[n] = r.value[long(r.n_steps) * r.n_envs + n];
  for (int t = r.n_steps - 1; t >= 0; t--) {
    for (int n = 0; n < r.n_envs; n++) {
      const long at = long(t) * r.n_envs + n;
      const float next = r.terminated[at]  ? 0.0f
                         : r.truncated[at] ? r.final_value[at]
                                           : following[n];
      following[n] = r.reward_scale * r.reward[at] + r.gamma * next;
      r.advantage[at] = following[n];
    }
  }
}

void n_step(const gallop::GaeRequest& r) {
  for (int t = r.n_steps - 1; t >= 0; t--) {
    for (int n = 0; n < r.n_envs; n++) {
      float sum = 0.0f, discount = 1.0f;
      bool running = true;
      int u = t;
      for (; running && u < r.n_steps && u < t + gallop::kBenchNStep; u++) {
        const long at = long(u) * r.n_envs + n;
        sum += discount * r.reward_scale * r.reward[at];
        discount *= r.gamma;
        if (r.truncated[at] && !r.terminated[at]) sum += discount * r.final_value[at];
        running = !r.terminated[at] && !r.truncated[at];
      }
      if (running) sum += discount * r.value[long(u) * r.n_envs + n];
      const long at = long(t) * r.n_envs + n;
      r.target[at] = sum;
      r.advantage[at] = sum - r.value[at];
    }
  }
}

}  // namespace

extern "C" void GALLOP_OF_ISA(gallop_gae_baseline)(const gallop::GaeRequest& r,
                                                   gallop::GaeKernel kernel, float* following) {
  if (kernel == gallop::GaeKernel::kReturns) return returns(r, following);
  if (kernel == gallop::GaeKernel::kNStep) return n_step(r);
  advantages(r, following);
}
