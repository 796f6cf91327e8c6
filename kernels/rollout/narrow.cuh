// Fused rollouts with two hidden layers of one compile-time width up to 64: one thread carries two
// instances, whose hidden units stay in registers, so that each weight that is read from shared
// memory (16 bytes at a time, the same address for all threads) feeds two multiply-adds. Counted
// for CartPole with 64 tanh units on sm_90: 7602 instructions a step, 5811 of them multiply-adds;
// one instance a thread is bound by shared memory, four spill.
#pragma once

#include <gallop/kernels/network/block_network.cuh>
#include <gallop/kernels/rollout/instance.cuh>

namespace gallop::inline GALLOP_ISA {

constexpr int kNarrowThreads = 128;  // at most; fewer where the batch would fill few blocks
constexpr int kNarrowInstances = 2;  // of a thread
constexpr int kNarrowColumns = 8;    // units of the second layer that are summed at once

// Without it ptxas takes the weights' loads out of the loop over steps, and spills them.
#ifdef GALLOP_CUDA_EXECUTOR
#define GALLOP_KEEP_LOADS_IN_LOOP()
#else
#define GALLOP_KEEP_LOADS_IN_LOOP() asm volatile("" ::: "memory")
#endif

// N consecutive floats at a 16-byte boundary.
template <int N>
__device__ __forceinline__ void load_quads(const float* from, float* to) {
  GALLOP_UNROLL(16)
  for (int c = 0; c < N; c += 4) load_aligned<4>(from + c, to + c);
}

// The activation of N sums of each of two instances; one branch for all of them.
template <int N>
__device__ __forceinline__ void activate_sums(Activation activation, float (&x)[2][N]) {
  GALLOP_UNROLL(2)
  for (int e = 0; e < kNarrowInstances; e++) {
    if (activation == Activation::kTanh) {
      GALLOP_UNROLL(16)
      for (int c = 0; c < N; c++) x[e][c] = tanh(x[e][c]);
    } else {
      GALLOP_UNROLL(16)
      for (int c = 0; c < N; c++) x[e][c] = activate(activation, x[e][c]);
    }
  }
}

// sum[e][c] += x[e] w[c]
template <int N>
__device__ __forceinline__ void accumulate(const float (&x)[2], const float* weight,
                                           float (&sum)[2][N]) {
  float w[N];
  load_quads<N>(weight, w);
  GALLOP_UNROLL(2)
  for (int e = 0; e < kNarrowInstances; e++) {
    GALLOP_UNROLL(16)
    for (int c = 0; c < N; c++) sum[e][c] = fmadd(x[e], w[c], sum[e][c]);
  }
}
template <int N>
__device__ __forceinline__ void start_sums(const float* bias, float (&sum)[2][N]) {
  float w[N];
  load_quads<N>(bias, w);
  GALLOP_UNROLL(2)
  for (int e = 0; e < kNarrowInstances; e++) {
    GALLOP_UNROLL(16)
    for (int c = 0; c < N; c++) sum[e][c] = w[c];
  }
}

// The network O - H - H - A with its parameters, in their flat layout, in shared memory.
template <int O, int H, int A>
struct NarrowNetwork {
  static constexpr int kParameters = (O + 1) * H + (H + 1) * H + (H + 1) * A;
  static_assert(H % kNarrowColumns == 0 && H <= 64);
  const float *weight1, *bias1, *weight2, *bias2, *weight3, *bias3;
  Activation hidden;

  __device__ __forceinline__ NarrowNetwork(const float* w, Activation activation)
      : weight1(w),
        bias1(weight1 + O * H),
        weight2(bias1 + H),
        bias2(weight2 + H * H),
        weight3(bias2 + H),
        bias3(weight3 + H * A),
        hidden(activation) {}

  __device__ __forceinline__ void first_layer(const float (&input)[2][O],
                                              float (&unit)[2][H]) const {
    GALLOP_UNROLL(64)
    for (int j = 0; j < H; j += 4) {
      float sum[2][4];
      start_sums(bias1 + j, sum);
      GALLOP_UNROLL(32)
      for (int k = 0; k < O; k++) {
        const float x[2] = {input[0][k], input[1][k]};
        accumulate(x, weight1 + k * H + j, sum);
      }
      activate_sums(hidden, sum);
      GALLOP_UNROLL(4)
      for (int c = 0; c < 4; c++) unit[0][j + c] = sum[0][c], unit[1][j + c] = sum[1][c];
    }
  }

  // The last layer takes each unit of the second one as soon as it is there.
  __device__ __forceinline__ void forward(const float (&input)[2][O], float (&output)[2][A]) const {
    float unit[2][H];
    first_layer(input, unit);
    GALLOP_UNROLL(32)
    for (int q = 0; q < A; q++) output[0][q] = output[1][q] = bias3[q];
    GALLOP_UNROLL(1)
    for (int j = 0; j < H; j += kNarrowColumns) {
      float sum[2][kNarrowColumns];
      start_sums(bias2 + j, sum);
      GALLOP_UNROLL(64)
      for (int k = 0; k < H; k++) {
        const float x[2] = {unit[0][k], unit[1][k]};
        accumulate(x, weight2 + k * H + j, sum);
      }
      activate_sums(hidden, sum);
      float last[kNarrowColumns * A];
      load_quads<kNarrowColumns * A>(weight3 + j * A, last);
      GALLOP_UNROLL(8)
      for (int c = 0; c < kNarrowColumns; c++) {
        GALLOP_UNROLL(32)
        for (int q = 0; q < A; q++) {
          output[0][q] = fmadd(sum[0][c], last[c * A + q], output[0][q]);
          output[1][q] = fmadd(sum[1][c], last[c * A + q], output[1][q]);
        }
      }
    }
  }
};

// Same-step resets, sizes that are constants, and no log sigma among the outputs.
template <class Env, int kH>
__global__ void __launch_bounds__(kNarrowThreads, 2)
    narrow_rollout_kernel(const __grid_constant__ RolloutRequest r) {
  GALLOP_DYNAMIC_SHARED(float, parameters);
  using T = Traits<Env>;
  constexpr int kO = T::kObservationRows, kA = T::kAction;
  using Network = NarrowNetwork<kO, kH, kA>;
  const int count = int(parameter_count(r.policy.shape));
  for (int k = threadIdx.x; k < count; k += blockDim.x) parameters[k] = r.policy.parameters[k];
  __syncthreads();
  const int n = r.batch.n_envs, half = (n + 1) / 2;
  const int first = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (first >= half) return;
  // Where n is odd one thread's second instance is its first one again, which it does not step.
  const bool steps[2] = {true, first + half < n};
  typename Env::template Parameters<float> p[2];
  RolloutInstance<Env> me[2];
  GALLOP_UNROLL(2)
  for (int e = 0; e < kNarrowInstances; e++) {
    const int i = (steps[e] ? first + e * half : first);
    load_instance<Env>(r, i, p[e], me[e]);
  }
  const Network network(parameters, r.policy.shape.network.hidden);
  const float* log_std_parameter = parameters + Network::kParameters;
  GALLOP_UNROLL(1)
  for (int t = 0; t < r.out.n_steps; t++) {
    GALLOP_KEEP_LOADS_IN_LOOP();
    float input[2][kO], output[2][kA];
    GALLOP_UNROLL(2)
    for (int e = 0; e < kNarrowInstances; e++) {
      if (steps[e]) record_begin<Env>(r, t, me[e]);
      GALLOP_UNROLL(32)
      for (int k = 0; k < kO; k++) {
        input[e][k] = normalize(r.policy.normalization, k, me[e].observation[k]);
      }
    }
    network.forward(input, output);
    GALLOP_UNROLL(2)
    for (int e = 0; e < kNarrowInstances; e++) {
      if (!steps[e]) continue;
      act_and_step<Env>(r, p[e], t, output[e], log_std_parameter, me[e]);
    }
  }
  GALLOP_UNROLL(2)
  for (int e = 0; e < kNarrowInstances; e++) {
    if (!steps[e]) continue;
    finish_instance<Env>(r, me[e]);
  }
}

// Shared memory of a block, at most: a Gaussian's log sigma follows the network's parameters.
template <class Env, int kH>
constexpr std::size_t narrow_bytes() {
  using T = Traits<Env>;
  return sizeof(float) *
         std::size_t(NarrowNetwork<T::kObservationRows, kH, T::kAction>::kParameters + T::kAction);
}

template <class Env, int kH>
LaunchStatus narrow_rollout(const RolloutRequest& r, void* stream) {
  const std::size_t half = (std::size_t(r.batch.n_envs) + 1) / 2;
  const std::size_t multiprocessors = std::size_t(device_limits().multiprocessors);
  unsigned threads = kNarrowThreads;
  while (threads > 32 && half < threads * multiprocessors) threads /= 2;
  const LaunchConfig config{
      .name = "narrow_rollout",
      .grid = blocks_for(half, threads),
      .block = threads,
      .shared_bytes = sizeof(float) * std::size_t(parameter_count(r.policy.shape)),
      .stream = stream};
  return launch(config, narrow_rollout_kernel<Env, kH>, r);
}

}  // namespace gallop::inline GALLOP_ISA
