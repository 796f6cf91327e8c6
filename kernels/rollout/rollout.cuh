// Which kernel runs a rollout: the fused ones of an environment that lists their widths, else those
// that take any policy.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/rollout/block.cuh>
#include <gallop/kernels/rollout/narrow.cuh>
#include <gallop/kernels/rollout/register.cuh>
#include <gallop/kernels/rollout/tensor.cuh>
#include <gallop/kernels/rollout/tile.cuh>

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
struct RolloutChoice {
  using T = Traits<Env>;
  static constexpr bool kFusible = !T::kHasSizes && !T::kIndexObservation;

  // Shared memory of a block of the fused kernel for this width.
  template <int kWidth, Arithmetic kArithmetic>
  static constexpr std::size_t fused_bytes() {
    if constexpr (kArithmetic == Arithmetic::kFast) {
      return tensor_bytes<Env, kWidth>();
    } else if constexpr (kWidth <= 64) {
      return narrow_bytes<Env, kWidth>();
    } else {
      return tile_bytes<Env, kWidth>();
    }
  }
  // Whether there is such a kernel: not where no device could run it, of many observations.
  template <int kWidth, Arithmetic kArithmetic>
  static constexpr bool is_compiled() {
    if constexpr (kFusible && fuses<Env>(kWidth)) {
      return fused_bytes<kWidth, kArithmetic>() <= kGreatestSharedBytes - kStaticSharedBytes;
    } else {
      return false;
    }
  }

  // Both hidden layers of this width, one that the environment lists, and a policy that the fused
  // kernels take, of which this device runs this one.
  template <int kWidth, Arithmetic kArithmetic>
  static bool is_fused(const RolloutRequest& r) {
    if constexpr (is_compiled<kWidth, kArithmetic>()) {
      const NetworkShape& network = r.policy.shape.network;
      return r.source == ActionSource::kPolicy && r.mode == ResetMode::kSameStep &&
             r.out.state == nullptr && outputs_of(network) == r.policy.shape.n_actions &&
             r.policy.shape.head != Head::kSquashedDeterministic &&
             network.kind == NetworkKind::kMlp && network.n_layers == 3 &&
             network.width[1] == kWidth && network.width[2] == kWidth &&
             long(fused_bytes<kWidth, kArithmetic>()) <= shared_room();
    }
    return false;
  }

  static bool has_fast_rollout(const RolloutRequest& r) {
    return is_fused<64, Arithmetic::kFast>(r) || is_fused<128, Arithmetic::kFast>(r) ||
           is_fused<256, Arithmetic::kFast>(r);
  }

  // Launches the kernel for this width and tells so; false where there is none.
  template <int kWidth>
  static bool launch_fused(const RolloutRequest& r, void* stream, LaunchStatus& status) {
    if constexpr (is_compiled<kWidth, Arithmetic::kFast>()) {
      if (r.arithmetic == Arithmetic::kFast && is_fused<kWidth, Arithmetic::kFast>(r)) {
        status = tensor_rollout<Env, kWidth>(r, stream);
        return true;
      }
    }
    if constexpr (is_compiled<kWidth, Arithmetic::kStrict>()) {
      if (!is_fused<kWidth, Arithmetic::kStrict>(r)) return false;
      if constexpr (kWidth <= 64) {
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
};

template <class Env>
LaunchStatus rollout(const RolloutRequest& r, const CudaWork& on) {
  using Choice = RolloutChoice<Env>;
  if (r.batch.n_envs <= 0) return {0, "rollout"};
  if (r.source == ActionSource::kPolicy && !policy_fits<Env>(r.policy.shape, r.batch.shared)) {
    return {kLaunchRefused, "rollout"};
  }
  LaunchStatus status = {};
  if (Choice::template launch_fused<64>(r, on.stream, status) ||
      Choice::template launch_fused<128>(r, on.stream, status) ||
      Choice::template launch_fused<256>(r, on.stream, status)) {
    return status;
  }
  const bool is_small = r.source == ActionSource::kUniform || r.policy.shape.network.n_layers == 1;
  if (is_small && r.out.state != nullptr) return state_rollout<Env>(r, on.stream);
  return launch_in_mode<Env>(r.mode, [&]<KernelMode kMode>() {
    if (is_small) {
      return register_rollout<Env, kMode>(r, on.stream);
    }
    return block_rollout<Env, kMode>(r, on.stream);
  });
}

}  // namespace gallop::inline GALLOP_ISA
