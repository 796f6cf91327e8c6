// Episodes of populations under two hidden layers of one compile-time width, where each member
// plays few of them: one thread for two units of each layer, whose columns of weights it keeps in
// registers for the whole episode, so that a step reads nothing but units from shared memory (16
// bytes at a time, the same for all threads of a warp, each serving eight multiply-adds: with one
// unit a thread a step of CartPole takes 13 % more instructions). A block carries some members, so
// that one warp sums the outputs of all of them and steps their instances together.
#pragma once

#include <gallop/kernels/network/block_network.cuh>
#include <gallop/kernels/rollout/narrow.cuh>
#include <gallop/kernels/rollout/population_episode.cuh>

namespace gallop::inline GALLOP_ISA {

constexpr int kMembersOfBlock = 4;
constexpr int kUnitsOfThread = 2;  // of each layer, kH / 2 apart

template <class Env, int kH>
struct MemberLayout {
  using T = Traits<Env>;
  static constexpr int kM = kMembersOfBlock, kO = T::kObservationRows, kA = T::kAction;
  static constexpr int kRow = kH + 4;           // between members: whole quads in other banks
  static constexpr int kIn = (kO + 3) / 4 * 4;  // inputs of a member
  static constexpr int kTail = 2 * kA;          // biases of the outputs, log sigma
  static constexpr int kOutputs = kM * kA;      // threads that sum one each
  // Parameters of a member, where its layers begin in them.
  static constexpr int kSecond = (kO + 1) * kH, kLast = kSecond + (kH + 1) * kH;
  static constexpr int kNetwork = kLast + (kH + 1) * kA;
  static constexpr int kParameters = kNetwork + T::kAction;  // at most
  // Floats of shared memory: inputs, units of both layers, weights of the last one by output, its
  // tail, outputs, and one member's parameters while they are made.
  static constexpr int kFloats = kM * (kIn + 2 * kRow + kA * kRow + kTail + kA) + kParameters;
  // Registers hold the weights, and one warp all outputs and instances.
  static constexpr bool kFits =
      kH % (32 * kUnitsOfThread) == 0 && kH <= 64 && kO <= 16 && kOutputs <= 32;
};

template <class Env, int kH>
__global__ void __launch_bounds__(kMembersOfBlock* kH / kUnitsOfThread, 2)
    member_kernel(const __grid_constant__ PopulationRequest r, int tasks) {
  GALLOP_DYNAMIC_SHARED(float, shared);
  GALLOP_SHARED(int, alive, kMembersOfBlock);
  using Layout = MemberLayout<Env, kH>;
  constexpr int kM = Layout::kM, kO = Layout::kO, kA = Layout::kA, kRow = Layout::kRow;
  constexpr int kU = kUnitsOfThread, kThreads = kH / kU;  // of a member
  float* const input = shared;                            // [kM, kIn]
  float* const first = input + kM * Layout::kIn;          // [kM, kRow]
  float* const second = first + kM * kRow;                // [kM, kRow]
  float* const last = second + kM * kRow;                 // [kM, kA, kRow]
  float* const tail = last + kM * kA * kRow;              // [kM, kTail]
  float* const outputs = tail + kM * Layout::kTail;       // [kM, kA]
  float* const row = outputs + kM * kA;
  const Population& all = r.population;
  const Activation hidden = all.shape.network.hidden;
  const int m = int(threadIdx.x) / kThreads, j = int(threadIdx.x) % kThreads;
  const int begin = int(blockIdx.x) * kM, here = tasks - begin < kM ? tasks - begin : kM;

  float weight1[kU][kO], weight2[kU][kH], bias1[kU] = {}, bias2[kU] = {};
  GALLOP_UNROLL(1)
  for (int who = 0; who < here; who++) {
    make_row(all, (begin + who) / r.episodes, row);
    __syncthreads();
    if (m == who) {
      GALLOP_UNROLL(2)
      for (int u = 0; u < kU; u++) {
        const int unit = j + u * kThreads;
        GALLOP_UNROLL(16)
        for (int k = 0; k < kO; k++) weight1[u][k] = row[k * kH + unit];
        GALLOP_UNROLL(64)
        for (int k = 0; k < kH; k++) weight2[u][k] = row[Layout::kSecond + k * kH + unit];
        bias1[u] = row[kO * kH + unit];
        bias2[u] = row[Layout::kSecond + kH * kH + unit];
        GALLOP_UNROLL(8)
        for (int q = 0; q < kA; q++) {
          last[(m * kA + q) * kRow + unit] = row[Layout::kLast + unit * kA + q];
        }
      }
      if (j < kA) {
        tail[m * Layout::kTail + j] = row[Layout::kLast + kH * kA + j];
        const bool has_deviation = all.shape.head == Head::kGaussian;
        tail[m * Layout::kTail + kA + j] = has_deviation ? row[Layout::kNetwork + j] : 0.0f;
      }
    }
    __syncthreads();
  }

  const int own = int(threadIdx.x);  // the first threads carry an instance each as well
  const bool plays = own < here;
  const int member = plays ? (begin + own) / r.episodes : 0;
  const int episode = plays ? (begin + own) % r.episodes : 0;
  typename Env::template Parameters<float> p;  // read for each step: registers hold weights
  PopulationEpisode<Env> me;
  if (plays) {
    broadcast_struct<float>(p, r.scenario.parameters);
    me.begin(r, p, member, episode);
  }
  me.active = plays;
  if (own < kM) alive[own] = plays ? 1 : 0;
  bool any_active = true;
  GALLOP_UNROLL(1)
  while (any_active) {
    if (me.active) {
      if (r.observation_sum != nullptr) me.add_observation(r, long(begin) + own);
      GALLOP_UNROLL(16)
      for (int k = 0; k < kO; k++) {
        input[own * Layout::kIn + k] = normalize(all.normalization, k, me.observation[k]);
      }
    }
    __syncthreads();
    const bool is_alive = alive[m] != 0;
    if (is_alive) {
      float sum[kU];
      GALLOP_UNROLL(2)
      for (int u = 0; u < kU; u++) sum[u] = bias1[u];
      GALLOP_UNROLL(16)
      for (int k = 0; k < kO; k++) {
        const float x = input[m * Layout::kIn + k];
        GALLOP_UNROLL(2)
        for (int u = 0; u < kU; u++) sum[u] = fmadd(x, weight1[u][k], sum[u]);
      }
      GALLOP_UNROLL(2)
      for (int u = 0; u < kU; u++) first[m * kRow + j + u * kThreads] = activate(hidden, sum[u]);
    }
    __syncthreads();
    if (is_alive) {
      float sum[kU];
      GALLOP_UNROLL(2)
      for (int u = 0; u < kU; u++) sum[u] = bias2[u];
      GALLOP_UNROLL(16)
      for (int k = 0; k < kH; k += 4) {
        float x[4];
        load_aligned<4>(first + m * kRow + k, x);
        GALLOP_UNROLL(4)
        for (int c = 0; c < 4; c++) {
          GALLOP_UNROLL(2)
          for (int u = 0; u < kU; u++) sum[u] = fmadd(x[c], weight2[u][k + c], sum[u]);
        }
      }
      GALLOP_UNROLL(2)
      for (int u = 0; u < kU; u++) second[m * kRow + j + u * kThreads] = activate(hidden, sum[u]);
    }
    __syncthreads();
    if (own < 32) {
      if (own < here * kA) {
        const int of = own / kA, q = own % kA;
        float sum = tail[of * Layout::kTail + q];
        GALLOP_UNROLL(16)
        for (int k = 0; k < kH; k += 4) {
          float x[4], w[4];
          load_aligned<4>(second + of * kRow + k, x);
          load_aligned<4>(last + own * kRow + k, w);
          GALLOP_UNROLL(4)
          for (int c = 0; c < 4; c++) sum = fmadd(x[c], w[c], sum);
        }
        outputs[own] = sum;
      }
      __syncwarp();
      if (me.active) {
        float output[kA];
        GALLOP_UNROLL(16)
        for (int q = 0; q < kA; q++) output[q] = outputs[own * kA + q];
        GALLOP_KEEP_LOADS_IN_LOOP();
        me.load(r, p);
        me.template step<false>(r, p, output, tail + own * Layout::kTail + kA);
        alive[own] = me.active ? 1 : 0;
      }
    }
    any_active = __syncthreads_or(me.active ? 1 : 0) != 0;
  }
  if (plays) me.keep(r, long(begin) + own);
}

template <class Env, int kH>
LaunchStatus member_population(const PopulationRequest& r, void* stream) {
  const int tasks = r.population.n_members * r.episodes;
  const LaunchConfig config{.name = "member_population",
                            .grid = blocks_for(std::size_t(tasks), kMembersOfBlock),
                            .block = unsigned(kMembersOfBlock * kH / kUnitsOfThread),
                            .shared_bytes = sizeof(float) * MemberLayout<Env, kH>::kFloats,
                            .stream = stream};
  return launch(config, member_kernel<Env, kH>, r, tasks);
}

}  // namespace gallop::inline GALLOP_ISA
