// One loop over the steps, from the last to the first, and in it one over the instances: scalar
// code without pragmas, compiled once for each instruction set with the flags of the kernels.
#include "bench/baselines/gae_baseline.h"

#define GALLOP_PASTE_(a, b) a##b
#define GALLOP_PASTE(a, b) GALLOP_PASTE_(a, b)

extern "C" void GALLOP_PASTE(gallop_gae_baseline_, GALLOP_ISA)(const gallop::GaeRequest& r,
                                                               float* following) {
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
