// Fused rollouts of mode fast with two hidden layers of one compile-time width: a warp runs the
// network for its 32 instances on the tensor cores. Inputs and the first layer's weights are
// rounded to TF32, units and the other weights to bfloat16, sums are float, tanh is the device's.
// The simulation, the distribution of actions and what is recorded are those of mode strict: a
// recorded log-probability is that of the action under the outputs computed here.
//
// Counted for CartPole with 64 tanh units on sm_90: 838 instructions a step, 130 of them of the
// special-function unit, which at 16 a clock and multiprocessor bind first: 3.2e10 steps a second
// on an H200.
#pragma once

#include <gallop/kernels/device/tensor_core.cuh>
#include <gallop/kernels/rollout/narrow.cuh>

namespace gallop::inline GALLOP_ISA {

// Where everything stands in shared memory, in words of 4 bytes. Weights stand as the operands B of
// the products, so that a lane reads its part of one or two of them at once.
template <int O, int H, int A>
struct TensorLayout {
  static constexpr int kThreads = H <= 128 ? 128 : 256;
  static constexpr int kInputSteps = (O + 7) / 8;     // products of 8 inputs
  static constexpr int kColumns = H / 8;              // products of 8 units
  static constexpr int kUnitSteps = H / 16;           // products of 16 units
  static constexpr int kOutputColumns = (A + 7) / 8;  // products of 8 outputs
  static constexpr int kWeight1 = 0;                  // [columns, input steps, lane, 2]
  static constexpr int kWeight2 = kWeight1 + kColumns * kInputSteps * 64;
  static constexpr int kWeight3 = kWeight2 + kColumns * kUnitSteps * 64;
  static constexpr int kBias1 = kWeight3 + kOutputColumns * kUnitSteps * 64;
  static constexpr int kBias2 = kBias1 + H;
  static constexpr int kBias3 = kBias2 + H;
  static constexpr int kStage = kBias3 + 8 * kOutputColumns;
  // Inputs and then outputs of a warp's instances. Rows an odd number of quads apart: the lanes
  // that read a fragment meet different banks.
  static constexpr int kRow = 8 * (kInputSteps > kOutputColumns ? kInputSteps : kOutputColumns) + 4;
  static constexpr int kWords = kStage + kThreads * kRow;
  static_assert(H % 32 == 0 && kStage % 4 == 0);
};

// Number (k, j) of a matrix [rows, columns], 0 beyond it.
__device__ __forceinline__ float padded(const float* matrix, int rows, int columns, int k, int j) {
  return k < rows && j < columns ? matrix[k * columns + j] : 0.0f;
}

// Writes a matrix [rows, columns] as operands B in TF32: [column tiles, steps, lane, 2].
__device__ __forceinline__ void load_tf32_operands(const float* matrix, int rows, int columns,
                                                   int tiles, int steps, std::uint32_t* to) {
  for (int at = int(threadIdx.x); at < tiles * steps * 32; at += int(blockDim.x)) {
    const int lane = at % 32, k = at / 32 % steps * 8 + lane % 4,
              j = at / 32 / steps * 8 + lane / 4;
    to[2 * at] = to_tf32(padded(matrix, rows, columns, k, j));
    to[2 * at + 1] = to_tf32(padded(matrix, rows, columns, k + 4, j));
  }
}

// The same in bfloat16; with kPaired the operands of two steps side by side:
// [column tiles, steps / 2, lane, 4].
template <bool kPaired>
__device__ __forceinline__ void load_bfloat16_operands(const float* matrix, int rows, int columns,
                                                       int tiles, int steps, std::uint32_t* to) {
  for (int at = int(threadIdx.x); at < tiles * steps * 32; at += int(blockDim.x)) {
    const int lane = at % 32, step = at / 32 % steps, tile = at / 32 / steps;
    const int k = step * 16 + lane % 4 * 2, j = tile * 8 + lane / 4;
    const int word =
        kPaired ? ((tile * steps + step / 2 * 2) * 32 + lane * 2 + step % 2) * 2 : 2 * at;
    to[word] =
        to_bfloat16(padded(matrix, rows, columns, k, j), padded(matrix, rows, columns, k + 1, j));
    to[word + 1] = to_bfloat16(padded(matrix, rows, columns, k + 8, j),
                               padded(matrix, rows, columns, k + 9, j));
  }
}

// tanh; without kTanh the greater of x and `floor`: 0 for ReLU, minus infinity for the identity.
template <bool kTanh>
__device__ __forceinline__ float activate_approximately(float x, float floor) {
  return kTanh ? approximate_tanh(x) : x > floor ? x : floor;
}
inline __device__ float activation_floor(Activation hidden) {
  return hidden == Activation::kRelu ? 0.0f : -__builtin_huge_valf();
}

// The network O - H - H - A for the 32 instances of a warp.
template <int O, int H, int A, bool kTanh>
struct TensorNetwork {
  using Layout = TensorLayout<O, H, A>;
  const std::uint32_t* words;  // shared memory of the block
  float* stage;                // [32, kRow] of the warp
  float floor;

  static __device__ __forceinline__ void load(const float* parameters, std::uint32_t* words) {
    const float *weight1 = parameters, *bias1 = weight1 + O * H, *weight2 = bias1 + H;
    const float *bias2 = weight2 + H * H, *weight3 = bias2 + H, *bias3 = weight3 + H * A;
    load_tf32_operands(weight1, O, H, Layout::kColumns, Layout::kInputSteps,
                       words + Layout::kWeight1);
    load_bfloat16_operands<true>(weight2, H, H, Layout::kColumns, Layout::kUnitSteps,
                                 words + Layout::kWeight2);
    load_bfloat16_operands<false>(weight3, H, A, Layout::kOutputColumns, Layout::kUnitSteps,
                                  words + Layout::kWeight3);
    for (int j = int(threadIdx.x); j < H; j += int(blockDim.x)) {
      words[Layout::kBias1 + j] = __float_as_uint(bias1[j]);
      words[Layout::kBias2 + j] = __float_as_uint(bias2[j]);
    }
    for (int q = int(threadIdx.x); q < 8 * Layout::kOutputColumns; q += int(blockDim.x)) {
      words[Layout::kBias3 + q] = __float_as_uint(q < A ? bias3[q] : 0.0f);
    }
  }

  static __device__ __forceinline__ int lane() { return int(threadIdx.x) % 32; }

  __device__ __forceinline__ void start_sums(int bias, float (&sum)[2][4]) const {
    const uint2 b = *reinterpret_cast<const uint2*>(words + bias + lane() % 4 * 2);
    GALLOP_UNROLL(2)
    for (int m = 0; m < 2; m++) {
      sum[m][0] = sum[m][2] = __uint_as_float(b.x);
      sum[m][1] = sum[m][3] = __uint_as_float(b.y);
    }
  }
  // Activated sums of 8 units as half of the operand A of 16.
  __device__ __forceinline__ void keep(const float (&sum)[2][4], int half,
                                       std::uint32_t (&unit)[2][4]) const {
    GALLOP_UNROLL(2)
    for (int m = 0; m < 2; m++) {
      float y[4];
      GALLOP_UNROLL(4)
      for (int c = 0; c < 4; c++) y[c] = activate_approximately<kTanh>(sum[m][c], floor);
      unit[m][half * 2] = to_bfloat16(y[0], y[1]);
      unit[m][half * 2 + 1] = to_bfloat16(y[2], y[3]);
    }
  }

  // unit[s][m]: units 16 s to 16 s + 15 of instances 16 m to 16 m + 15.
  __device__ __forceinline__ void first_layer(
      std::uint32_t (&unit)[Layout::kUnitSteps][2][4]) const {
    std::uint32_t input[Layout::kInputSteps][2][4];
    GALLOP_UNROLL(8)
    for (int s = 0; s < Layout::kInputSteps; s++) {
      GALLOP_UNROLL(2)
      for (int m = 0; m < 2; m++) {
        const float* from = stage + (16 * m + lane() / 4) * Layout::kRow + 8 * s + lane() % 4;
        input[s][m][0] = to_tf32(from[0]);
        input[s][m][1] = to_tf32(from[8 * Layout::kRow]);
        input[s][m][2] = to_tf32(from[4]);
        input[s][m][3] = to_tf32(from[8 * Layout::kRow + 4]);
      }
    }
    GALLOP_UNROLL(32)
    for (int j = 0; j < Layout::kColumns; j++) {
      float sum[2][4];
      start_sums(Layout::kBias1 + 8 * j, sum);
      GALLOP_UNROLL(8)
      for (int s = 0; s < Layout::kInputSteps; s++) {
        const uint2 w = reinterpret_cast<const uint2*>(
            words + Layout::kWeight1)[(j * Layout::kInputSteps + s) * 32 + lane()];
        GALLOP_UNROLL(2)
        for (int m = 0; m < 2; m++) multiply_tf32(sum[m], input[s][m], w.x, w.y);
      }
      keep(sum, j % 2, unit[j / 2]);
    }
  }

  // Units 8 j to 8 j + 7 of the second layer, as half of the operand of the last one.
  __device__ __forceinline__ void second_layer(
      const std::uint32_t (&unit)[Layout::kUnitSteps][2][4], int j, int half,
      std::uint32_t (&next)[2][4]) const {
    float sum[2][4];
    start_sums(Layout::kBias2 + 8 * j, sum);
    GALLOP_UNROLL(8)
    for (int s = 0; s < Layout::kUnitSteps; s += 2) {
      const uint4 w = reinterpret_cast<const uint4*>(
          words + Layout::kWeight2)[(j * Layout::kUnitSteps + s) * 16 + lane()];
      GALLOP_UNROLL(2)
      for (int m = 0; m < 2; m++) multiply_bfloat16(sum[m], unit[s][m], w.x, w.y);
      GALLOP_UNROLL(2)
      for (int m = 0; m < 2; m++) multiply_bfloat16(sum[m], unit[s + 1][m], w.z, w.w);
    }
    keep(sum, half, next);
  }

  // From the inputs to the outputs of the stage. Every lane has written its row before, and has
  // read its row of the last step.
  __device__ __forceinline__ void forward() const {
    __syncwarp();
    std::uint32_t unit[Layout::kUnitSteps][2][4];
    first_layer(unit);
    float output[Layout::kOutputColumns][2][4];
    GALLOP_UNROLL(4)
    for (int n = 0; n < Layout::kOutputColumns; n++) start_sums(Layout::kBias3 + 8 * n, output[n]);
    GALLOP_UNROLL(1)
    for (int s = 0; s < Layout::kUnitSteps; s++) {
      std::uint32_t next[2][4];
      second_layer(unit, 2 * s, 0, next);
      second_layer(unit, 2 * s + 1, 1, next);
      GALLOP_UNROLL(4)
      for (int n = 0; n < Layout::kOutputColumns; n++) {
        const uint2 w = reinterpret_cast<const uint2*>(
            words + Layout::kWeight3)[(n * Layout::kUnitSteps + s) * 32 + lane()];
        GALLOP_UNROLL(2)
        for (int m = 0; m < 2; m++) multiply_bfloat16(output[n][m], next[m], w.x, w.y);
      }
    }
    __syncwarp();
    GALLOP_UNROLL(4)
    for (int n = 0; n < Layout::kOutputColumns; n++) {
      GALLOP_UNROLL(2)
      for (int m = 0; m < 2; m++) {
        float* to = stage + (16 * m + lane() / 4) * Layout::kRow + 8 * n + lane() % 4 * 2;
        *reinterpret_cast<float2*>(to) = make_float2(output[n][m][0], output[n][m][1]);
        to += 8 * Layout::kRow;
        *reinterpret_cast<float2*>(to) = make_float2(output[n][m][2], output[n][m][3]);
      }
    }
    __syncwarp();
  }
};

// Blocks on a multiprocessor that leave a thread registers for the units and for what it keeps of
// its instance: 24 words beside 64 units in 128 registers.
template <class Env, int H>
constexpr int tensor_blocks() {
  constexpr std::size_t kKept =
      sizeof(RolloutInstance<Env>) + sizeof(typename Env::template Parameters<float>);
  return H <= 64 ? (kKept <= 96 ? 4 : kKept <= 160 ? 3 : 2) : H <= 128 ? 2 : 1;
}

// Same-step resets, sizes that are constants, and no log sigma among the outputs.
template <class Env, int kH, bool kTanh>
__global__ void __launch_bounds__(TensorLayout<1, kH, 1>::kThreads, tensor_blocks<Env, kH>())
    tensor_rollout_kernel(const __grid_constant__ RolloutRequest r) {
  GALLOP_DYNAMIC_SHARED(std::uint32_t, words);
  constexpr int kO = Traits<Env>::kObservationRows, kA = Traits<Env>::kAction;
  using Network = TensorNetwork<kO, kH, kA, kTanh>;
  using Layout = typename Network::Layout;
  Network::load(r.policy.parameters, words);
  __syncthreads();
  const int thread = int(threadIdx.x), i = int(blockIdx.x) * Layout::kThreads + thread;
  if (i - thread % 32 >= r.batch.n_envs) return;  // the whole warp
  const bool steps = i < r.batch.n_envs;
  float* const row = reinterpret_cast<float*>(words + Layout::kStage) + thread * Layout::kRow;
  const Network network = {words, row - thread % 32 * Layout::kRow,
                           activation_floor(r.policy.shape.network.hidden)};
  const float* log_std_parameter = r.policy.parameters + layer_offset(r.policy.shape.network, 3);
  typename Env::template Parameters<float> p;
  RolloutInstance<Env> me;
  if (steps) {
    load_instance<Env>(r, i, p, me);
  }
  GALLOP_UNROLL(1)
  for (int t = 0; t < r.out.n_steps; t++) {
    GALLOP_KEEP_LOADS_IN_LOOP();
    float input[8 * Layout::kInputSteps];
    if (steps) record_begin<Env>(r, t, me);
    GALLOP_UNROLL(64)
    for (int k = 0; k < 8 * Layout::kInputSteps; k++) {
      input[k] = 0.0f;
      if (k < kO && steps) input[k] = normalize(r.policy.normalization, k, me.observation[k]);
    }
    GALLOP_UNROLL(16)
    for (int k = 0; k < 8 * Layout::kInputSteps; k += 4) store_aligned<4>(row + k, input + k);
    network.forward();
    if (steps) {
      float output[kA];
      GALLOP_UNROLL(32)
      for (int q = 0; q < kA; q++) output[q] = row[q];
      act_and_step<Env>(r, p, t, output, log_std_parameter, me);
    }
  }
  if (!steps) return;
  finish_instance<Env>(r, me);
}

template <class Env, int kH>
constexpr std::size_t tensor_bytes() {
  using Layout = TensorLayout<Traits<Env>::kObservationRows, kH, Traits<Env>::kAction>;
  return sizeof(std::uint32_t) * std::size_t(Layout::kWords);
}

template <class Env, int kH>
LaunchStatus tensor_rollout(const RolloutRequest& r, void* stream) {
  using Layout = TensorLayout<Traits<Env>::kObservationRows, kH, Traits<Env>::kAction>;
  const LaunchConfig config{
      .name = "tensor_rollout",
      .grid = blocks_for(std::size_t(r.batch.n_envs), unsigned(Layout::kThreads)),
      .block = unsigned(Layout::kThreads),
      .shared_bytes = tensor_bytes<Env, kH>(),
      .stream = stream};
  if (r.policy.shape.network.hidden == Activation::kTanh) {
    return launch(config, tensor_rollout_kernel<Env, kH, true>, r);
  }
  return launch(config, tensor_rollout_kernel<Env, kH, false>, r);
}

}  // namespace gallop::inline GALLOP_ISA
