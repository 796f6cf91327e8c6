// Implements CudaEnvironmentTable for one environment. Included only by generated files.
#pragma once

#include "kernels/cuda/environment_table.h"
#include "kernels/cuda/rollout_block.cuh"
#include "kernels/cuda/rollout_narrow.cuh"
#include "kernels/cuda/rollout_register.cuh"
#include "kernels/cuda/rollout_tile.cuh"
#include "kernels/cuda/step.cuh"

namespace gallop::inline GALLOP_ISA {

// Whether the environment lists hidden layers of this width in kFusedWidths, and so gets kernels
// that are compiled for them.
template <class Env>
constexpr bool fuses(int width) {
  if constexpr (requires { Env::kFusedWidths; }) {
    for (const int listed : Env::kFusedWidths) {
      if (listed == width) return true;
    }
  }
  return false;
}

template <class Env>
struct CudaEnvironmentFunctions {
  using T = Traits<Env>;
  static constexpr bool kFusible = !T::kHasSizes && !T::kIndexObservation;

  // Both hidden layers of this width, and a policy that the fused kernels take.
  static bool is_fused(const RolloutRequest& r, int width) {
    const NetworkShape& network = r.policy.shape.network;
    return r.mode == ResetMode::kSameStep && r.policy.shape.head != Head::kGaussianNetwork &&
           network.kind == NetworkKind::kMlp && network.n_layers == 3 &&
           network.width[1] == width && network.width[2] == width;
  }

  // The tiles read weights 16 bytes at a time.
  static bool is_tiled(const RolloutRequest& r, int width) {
    return is_fused(r, width) && (reinterpret_cast<std::uintptr_t>(r.policy.parameters) & 15u) == 0;
  }

  static LaunchStatus rollout(const RolloutRequest& r, void* stream) {
    if (r.begin >= r.end) return {0, "rollout"};
    if (r.source == ActionSource::kPolicy) {
      if (!policy_fits<Env>(r)) return {kLaunchRefused, "rollout"};
      if constexpr (kFusible && fuses<Env>(64)) {
        if (is_fused(r, 64)) return narrow_rollout<Env, 64>(r, stream);
      }
      if constexpr (kFusible && fuses<Env>(128)) {
        if (is_tiled(r, 128)) return tile_rollout<Env, 128>(r, stream);
      }
      if constexpr (kFusible && fuses<Env>(256)) {
        if (is_tiled(r, 256)) return tile_rollout<Env, 256>(r, stream);
      }
    }
    return launch_in_mode<Env>(r.mode, [&]<KernelMode kMode>() {
      if (r.source == ActionSource::kUniform || r.policy.shape.network.n_layers == 1) {
        return register_rollout<Env, kMode>(r, stream);
      }
      return block_rollout<Env, kMode>(r, stream);
    });
  }

  static constexpr CudaEnvironmentTable kTable = {&reset_instances<Env>, &observe_instances<Env>,
                                                  &step_instances<Env>, &rollout};
};

}  // namespace gallop::inline GALLOP_ISA

// Defines gallop_environment_<Type>_cuda(), found by the generated registry; ..._executor() where
// the tests' executor stands in for the device.
#define GALLOP_CUDA_PASTE_(a, b, c) a##b##_##c
#define GALLOP_CUDA_PASTE(a, b, c) GALLOP_CUDA_PASTE_(a, b, c)
#ifdef GALLOP_CUDA_EXECUTOR
#define GALLOP_CUDA_SUFFIX executor
#else
#define GALLOP_CUDA_SUFFIX cuda
#endif
#define GALLOP_INSTANTIATE_CUDA(Type)                                                         \
  extern "C" const gallop::CudaEnvironmentTable* GALLOP_CUDA_PASTE(gallop_environment_, Type, \
                                                                   GALLOP_CUDA_SUFFIX)() {    \
    return &gallop::GALLOP_ISA::CudaEnvironmentFunctions<gallop::GALLOP_ISA::Type>::kTable;   \
  }
