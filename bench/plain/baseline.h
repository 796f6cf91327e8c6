// What the suites measure Gallop against: competent code of the usual kind, compiled with the
// compiler and flags of the kernels. Plain data only crosses to the units of one instruction set.
#pragma once

#include <gallop/kernels/rollout/trajectory.h>

namespace gallop {

struct BaselineStatistics {
  double reward;        // sum over all steps
  double ended_return;  // sum over the episodes that ended
  double ended_length;  // likewise, steps
  long steps, episodes;
};

struct BaselineRequest {
  void* instances;            // [out.n_envs] of instance_bytes() each
  std::uint64_t* random;      // state of the generator, not 0
  int n_layers;               // 0: uniformly random actions
  const int* width;           // [n_layers + 1]
  const float* parameters;    // as PolicyView has them, log sigma behind the network's
  Trajectory out;             // null pointers are not recorded
  BaselineStatistics* total;  // added to
};

constexpr int kBaselineWidth = 512;  // widest layer

struct Baselines {
  long (*instance_bytes)(const char* environment);  // 0 where the baselines lack it
  void (*reset)(const char* environment, const BaselineRequest&);
  // One instance after the other, scalar code with std:: mathematics.
  void (*scalar_rollout)(const char* environment, const BaselineRequest&);
  // The network for a block of instances as products of Eigen, the rest as above.
  void (*eigen_rollout)(const char* environment, const BaselineRequest&);
};

}  // namespace gallop
