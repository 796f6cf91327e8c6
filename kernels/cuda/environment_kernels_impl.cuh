// Implements CudaEnvironmentTable for one environment. Included only by generated files.
#pragma once

#include "kernels/cuda/environment_table.h"
#include "kernels/cuda/rollout_block.cuh"
#include "kernels/cuda/rollout_narrow.cuh"
#include "kernels/cuda/rollout_register.cuh"
#include "kernels/cuda/rollout_tensor.cuh"
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

  // Both hidden layers of this width, one that the environment lists, and a policy that the fused
  // kernels take.
  static bool is_fused(const RolloutRequest& r, int width) {
    const NetworkShape& network = r.policy.shape.network;
    return kFusible && fuses<Env>(width) && r.source == ActionSource::kPolicy &&
           r.mode == ResetMode::kSameStep && r.policy.shape.head != Head::kGaussianNetwork &&
           network.kind == NetworkKind::kMlp && network.n_layers == 3 &&
           network.width[1] == width && network.width[2] == width;
  }

  static bool has_fast_rollout(const RolloutRequest& r) {
    return is_fused(r, 64) || is_fused(r, 128) || is_fused(r, 256);
  }

  // Launches the kernel for this width and tells so; false where there is none.
  template <int kWidth>
  static bool launch_fused(const RolloutRequest& r, void* stream, LaunchStatus& status) {
    if constexpr (kFusible && fuses<Env>(kWidth)) {
      if (!is_fused(r, kWidth)) return false;
      if (r.arithmetic == Arithmetic::kFast) {
        status = tensor_rollout<Env, kWidth>(r, stream);
      } else if constexpr (kWidth <= 64) {
        status = narrow_rollout<Env, kWidth>(r, stream);
      } else {
        // The tiles read weights 16 bytes at a time.
        if ((reinterpret_cast<std::uintptr_t>(r.policy.parameters) & 15u) != 0) return false;
        status = tile_rollout<Env, kWidth>(r, stream);
      }
      return true;
    }
    return false;
  }

  static LaunchStatus rollout(const RolloutRequest& r, void* stream) {
    if (r.begin >= r.end) return {0, "rollout"};
    if (r.source == ActionSource::kPolicy && !policy_fits<Env>(r)) {
      return {kLaunchRefused, "rollout"};
    }
    LaunchStatus status = {};
    if (launch_fused<64>(r, stream, status) || launch_fused<128>(r, stream, status) ||
        launch_fused<256>(r, stream, status)) {
      return status;
    }
    return launch_in_mode<Env>(r.mode, [&]<KernelMode kMode>() {
      if (r.source == ActionSource::kUniform || r.policy.shape.network.n_layers == 1) {
        return register_rollout<Env, kMode>(r, stream);
      }
      return block_rollout<Env, kMode>(r, stream);
    });
  }

  static constexpr CudaEnvironmentTable kTable = {&reset_instances<Env>, &observe_instances<Env>,
                                                  &step_instances<Env>, &rollout,
                                                  &has_fast_rollout};
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
