// Fused rollouts with two hidden layers of one compile-time width from 128 on: a block runs the
// network for 64 instances, whose units stand in shared memory; each thread sums 8 instances x 8
// units of the second layer in registers while its weights stream through shared memory in slabs of
// 32 rows. Sums run over ascending inputs, as everywhere.
#pragma once

#include <gallop/kernels/rollout/narrow.cuh>

namespace gallop::inline GALLOP_ISA {

// Where everything stands in shared memory, in floats.
template <int O, int H, int A>
struct TileLayout {
  static constexpr int kInstances = 64, kSlab = 32;
  static constexpr int kThreads = H;                    // 8 x 8 sums each
  static constexpr int kTeams = kThreads / kInstances;  // threads for each instance
  static constexpr int kRow = kInstances + 4;  // 17 quads: neighbouring rows meet different banks
  static constexpr int kWeight1 = 0, kBias1 = kWeight1 + O * H, kBias2 = kBias1 + H;
  static constexpr int kWeight3 = kBias2 + H, kBias3 = kWeight3 + H * A;
  static constexpr int kWeight2 = (kBias3 + A + 3) / 4 * 4;  // [kSlab, H]
  static constexpr int kInput = kWeight2 + kSlab * H;        // [O, kRow]
  static constexpr int kUnit = kInput + O * kRow;            // [H, kRow]
  static constexpr int kOutput = kUnit + H * kRow;           // [A, kRow]
  static constexpr int kFloats = kOutput + A * kRow;
  static_assert(H % 64 == 0 && H % kSlab == 0);
};

// The first layer: a team's thread takes its share of the units of one instance, 8 at once.
template <class Layout, int O, int H>
__device__ __forceinline__ void tile_first_layer(Activation hidden, float* s) {
  const int i = int(threadIdx.x) % Layout::kInstances, team = int(threadIdx.x) / Layout::kInstances;
  constexpr int kShare = H / Layout::kTeams;
  float x[O];
  GALLOP_UNROLL(32)
  for (int k = 0; k < O; k++) x[k] = s[Layout::kInput + k * Layout::kRow + i];
  GALLOP_UNROLL(1)
  for (int j = team * kShare; j < (team + 1) * kShare; j += 8) {
    float sum[8], w[8];
    load_quads<8>(s + Layout::kBias1 + j, sum);
    GALLOP_UNROLL(32)
    for (int k = 0; k < O; k++) {
      load_quads<8>(s + Layout::kWeight1 + k * H + j, w);
      GALLOP_UNROLL(8)
      for (int c = 0; c < 8; c++) sum[c] = fmadd(x[k], w[c], sum[c]);
    }
    GALLOP_UNROLL(8)
    for (int c = 0; c < 8; c++) {
      s[Layout::kUnit + (j + c) * Layout::kRow + i] = activate(hidden, sum[c]);
    }
  }
}

// The first unit of quad q of this thread: the two quads are half a layer apart, so that threads
// that read them together meet different banks.
template <int H>
__device__ __forceinline__ int tile_unit(int q) {
  return q * (H / 2) + int(threadIdx.x) % (H / 8) * 4;
}

// The second layer: sums of 8 instances x 8 units, from `weight` [H, H] in global memory.
template <class Layout, int H>
__device__ __forceinline__ void tile_second_layer(const float* weight, const float* s, float* slab,
                                                  float (&sum)[8][8]) {
  const int first = int(threadIdx.x) / (H / 8) * 8;
  float w[8], x[8];
  GALLOP_UNROLL(2)
  for (int q = 0; q < 2; q++) load_aligned<4>(s + Layout::kBias2 + tile_unit<H>(q), w + 4 * q);
  GALLOP_UNROLL(8)
  for (int e = 0; e < 8; e++) {
    GALLOP_UNROLL(8)
    for (int c = 0; c < 8; c++) sum[e][c] = w[c];
  }
  GALLOP_UNROLL(1)
  for (int begin = 0; begin < H; begin += Layout::kSlab) {
    __syncthreads();  // the last slab, or before the first one the units, are done with
    for (int at = int(threadIdx.x) * 4; at < Layout::kSlab * H; at += Layout::kThreads * 4) {
      load_aligned<4>(weight + begin * H + at, w);
      store_aligned<4>(slab + at, w);
    }
    __syncthreads();
    GALLOP_UNROLL(4)
    for (int k = 0; k < Layout::kSlab; k++) {
      load_quads<8>(s + Layout::kUnit + (begin + k) * Layout::kRow + first, x);
      GALLOP_UNROLL(2)
      for (int q = 0; q < 2; q++) load_aligned<4>(slab + k * H + tile_unit<H>(q), w + 4 * q);
      GALLOP_UNROLL(8)
      for (int e = 0; e < 8; e++) {
        GALLOP_UNROLL(8)
        for (int c = 0; c < 8; c++) sum[e][c] = fmadd(x[e], w[c], sum[e][c]);
      }
    }
  }
}

// Activates the sums and puts them in the place of the first layer's units.
template <class Layout, int H>
__device__ __forceinline__ void tile_store_units(Activation hidden, const float (&sum)[8][8],
                                                 float* s) {
  const int first = int(threadIdx.x) / (H / 8) * 8;
  GALLOP_UNROLL(8)
  for (int c = 0; c < 8; c++) {
    float y[8];
    GALLOP_UNROLL(8)
    for (int e = 0; e < 8; e++) y[e] = activate(hidden, sum[e][c]);
    float* const to = s + Layout::kUnit + (tile_unit<H>(c / 4) + c % 4) * Layout::kRow + first;
    store_aligned<4>(to, y);
    store_aligned<4>(to + 4, y + 4);
  }
}

// The last layer: a thread takes one output of one instance.
template <class Layout, int H, int A>
__device__ __forceinline__ void tile_last_layer(float* s) {
  const int i = int(threadIdx.x) % Layout::kInstances, team = int(threadIdx.x) / Layout::kInstances;
  for (int q = team; q < A; q += Layout::kTeams) {
    float sum = s[Layout::kBias3 + q];
    GALLOP_UNROLL(16)
    for (int k = 0; k < H; k++) {
      sum = fmadd(s[Layout::kUnit + k * Layout::kRow + i], s[Layout::kWeight3 + k * A + q], sum);
    }
    s[Layout::kOutput + q * Layout::kRow + i] = sum;
  }
}

// From the inputs to the outputs in shared memory; `parameters` are the policy's in global memory.
template <class Layout, int O, int H, int A>
__device__ __forceinline__ void tile_forward(const float* parameters, Activation hidden, float* s) {
  __syncthreads();
  tile_first_layer<Layout, O, H>(hidden, s);
  float sum[8][8];
  tile_second_layer<Layout, H>(parameters + (O + 1) * H, s, s + Layout::kWeight2, sum);
  __syncthreads();
  tile_store_units<Layout, H>(hidden, sum, s);
  __syncthreads();
  tile_last_layer<Layout, H, A>(s);
  __syncthreads();
}

// All parameters but the second layer's weights, which stream.
template <class Layout, int O, int H, int A>
__device__ __forceinline__ void tile_load_parameters(const float* from, float* s) {
  constexpr int kFirst = (O + 1) * H;
  for (int k = int(threadIdx.x); k < kFirst; k += Layout::kThreads)
    s[Layout::kWeight1 + k] = from[k];
  from += kFirst + H * H;
  for (int k = int(threadIdx.x); k < H + H * A + A; k += Layout::kThreads) {
    s[Layout::kBias2 + k] = from[k];
  }
}

// Same-step resets, sizes that are constants, and no log sigma among the outputs.
template <class Env, int kH>
__global__ void __launch_bounds__(kH, kH <= 128 ? 2 : 1)
    tile_rollout_kernel(const __grid_constant__ RolloutRequest r) {
  GALLOP_DYNAMIC_SHARED(float, s);
  constexpr int kO = Traits<Env>::kObservationRows, kA = Traits<Env>::kAction;
  using Layout = TileLayout<kO, kH, kA>;
  tile_load_parameters<Layout, kO, kH, kA>(r.policy.parameters, s);
  const int lane = int(threadIdx.x);
  const int i = int(blockIdx.x) * Layout::kInstances + lane;
  const bool steps = lane < Layout::kInstances && i < r.batch.n_envs;
  const float* log_std_parameter = r.policy.parameters + layer_offset(r.policy.shape.network, 3);
  typename Env::template Parameters<float> p;
  RolloutInstance<Env> me;
  if (steps) {
    load_instance<Env>(r, i, p, me);
  } else if (lane < Layout::kInstances) {
    for (int k = 0; k < kO; k++) s[Layout::kInput + k * Layout::kRow + lane] = 0.0f;
  }
  GALLOP_UNROLL(1)
  for (int t = 0; t < r.out.n_steps; t++) {
    if (steps) {
      record_begin<Env>(r, t, me);
      GALLOP_UNROLL(32)
      for (int k = 0; k < kO; k++) {
        s[Layout::kInput + k * Layout::kRow + lane] =
            normalize(r.policy.normalization, k, me.observation[k]);
      }
    }
    tile_forward<Layout, kO, kH, kA>(r.policy.parameters, r.policy.shape.network.hidden, s);
    if (steps) {
      float output[kA];
      GALLOP_UNROLL(32)
      for (int q = 0; q < kA; q++) output[q] = s[Layout::kOutput + q * Layout::kRow + lane];
      act_and_step<Env>(r, p, t, output, log_std_parameter, me);
    }
  }
  if (!steps) return;
  finish_instance<Env>(r, me);
}

template <class Env, int kH>
constexpr std::size_t tile_bytes() {
  using Layout = TileLayout<Traits<Env>::kObservationRows, kH, Traits<Env>::kAction>;
  return sizeof(float) * std::size_t(Layout::kFloats);
}

template <class Env, int kH>
LaunchStatus tile_rollout(const RolloutRequest& r, void* stream) {
  using Layout = TileLayout<Traits<Env>::kObservationRows, kH, Traits<Env>::kAction>;
  const LaunchConfig config{
      .name = "tile_rollout",
      .grid = blocks_for(std::size_t(r.batch.n_envs), unsigned(Layout::kInstances)),
      .block = unsigned(Layout::kThreads),
      .shared_bytes = tile_bytes<Env, kH>(),
      .stream = stream};
  return launch(config, tile_rollout_kernel<Env, kH>, r);
}

}  // namespace gallop::inline GALLOP_ISA
