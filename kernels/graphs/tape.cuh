// Tapes on a device (kernels/graphs/tape.h): a thread a sample, a block a chunk. The cells of a
// block stand in shared memory, or where they do not fit in scratch, of blocks that take chunks in
// turn; a thread reads and writes its own alone.
#pragma once

#include <gallop/kernels/graphs/tape.h>
#include <gallop/kernels/gradients/over_chunks.cuh>

namespace gallop::inline GALLOP_ISA {

// Of sample `s` of a chunk of n.
struct TapeThread {
  const OverChunks<TapeRequest>& r;
  float* cells;  // [n_cells, kChunkSamples]
  int s;

  __device__ __forceinline__ float& cell(std::int32_t k) const {
    return cells[long(k) * kChunkSamples + s];
  }

  // Words 0 and 1 of a block make two normals, 2 and 3 the other two.
  __device__ __forceinline__ float draw(const TapeInstruction& i, int chunk) const {
    const int number = s / kTapeGroups;
    const auto words =
        tape_words<float>(r, i, first_group(r, chunk) + std::uint32_t(s % kTapeGroups));
    const std::uint32_t a = number < 2 ? words.word[0] : words.word[2];
    const std::uint32_t b = number < 2 ? words.word[1] : words.word[3];
    if (i.op == TapeOp::kUniform) return to_uniform<float>(number % 2 == 0 ? a : b);
    float first, second;
    to_normals<float>(a, b, first, second);
    return number % 2 == 0 ? first : second;
  }
  __device__ __forceinline__ void run(const TapeInstruction& i, int chunk, int n) const {
    float& to = cell(i.to);
    switch (i.op) {
      case TapeOp::kConstant:
        to = real<float>(r.tape.constant[i.a]);
        return;
      case TapeOp::kParameter:
        to = r.parameter[i.a];
        return;
      case TapeOp::kInput:
        to = s < n ? r.input[i.a * r.input_stride + long(chunk) * kChunkSamples + s] : 0.0f;
        return;
      case TapeOp::kNormal:
      case TapeOp::kUniform:
        to = draw(i, chunk);
        return;
      default:
        break;
    }
    const float a = cell(i.a), b = cell(i.b), c = cell(i.c);
    with_cell_function<float>(i.op, [&](const auto& f) { to = f(a, b, c); });
  }
  __device__ __forceinline__ void run_once() const {
    GALLOP_UNROLL(1)
    for (int k = 0; k < r.tape.n_once; k++) run(r.tape.instruction[k], 0, kChunkSamples);
  }
  __device__ __forceinline__ void run_each(int chunk, int n) const {
    const TapeInstruction* const from = r.tape.instruction + r.tape.n_once;
    GALLOP_UNROLL(1)
    for (int k = 0; k < r.tape.n_each; k++) run(from[k], chunk, n);
  }
  __device__ __forceinline__ void store_rows(int chunk, int n) const {
    if (s >= n) return;
    for (int k = 0; k < r.tape.n_outputs; k++) {
      r.rows[k * r.samples.count + long(chunk) * kChunkSamples + s] = cell(r.tape.output[k]);
    }
  }
};

// Sums of the outputs over a chunk, one by a warp: in the order of TapeChunk::sum.
__device__ __forceinline__ void sum_outputs(const Tape& tape, const float* cells, int n,
                                            float* sum) {
  const int lane = int(threadIdx.x) % 32;
  GALLOP_UNROLL(1)
  for (int k = int(threadIdx.x) / 32; k < tape.n_outputs; k += kChunkSamples / 32) {
    const float* const x = cells + long(tape.output[k]) * kChunkSamples + lane;
    const auto at = [&](int s) { return lane + s < n ? x[s] : 0.0f; };
    float own = (at(0) + at(64)) + (at(32) + at(96));
    GALLOP_UNROLL(5)
    for (int half = 16; half > 0; half /= 2) own += __shfl_xor_sync(~0u, own, half);
    if (lane == 0) sum[k] = own;
  }
}

template <bool kShared>
__global__ void __launch_bounds__(kChunkSamples)
    tape_kernel(const __grid_constant__ OverChunks<TapeRequest> r) {
  float* cells = nullptr;
  if constexpr (kShared) {
    GALLOP_DYNAMIC_SHARED(float, work);
    cells = work;
  } else {
    cells = r.scratch + long(blockIdx.x) * r.tape.n_cells * kChunkSamples;
  }
  const TapeThread own{r, cells, int(threadIdx.x)};
  own.run_once();
  GALLOP_UNROLL(1)
  for (int c = int(blockIdx.x); c < r.end; c += int(gridDim.x)) {
    const int n = chunk_size(r.samples, c);
    own.run_each(c, n);
    if (r.rows != nullptr) own.store_rows(c, n);
    if (r.sum == nullptr) continue;
    __syncthreads();
    float* const partial = r.partial + long(c) * r.stride;
    sum_outputs(r.tape, cells, n, partial);
    __syncthreads();
    if (int(threadIdx.x) < r.segments.count) {
      const int begin = r.segments.begin[threadIdx.x], end = r.segments.begin[threadIdx.x + 1];
      std::uint32_t greatest = 0;
      for (int k = begin; k < end; k++) greatest = max(greatest, magnitude_bits(partial[k]));
      r.greatest[long(c) * kMaxSegments + threadIdx.x] = as_float(std::int32_t(greatest));
    }
  }
}

// Blocks that run at once: what is the same for all samples is done once in each.
inline int tape_blocks(long count) {
  const int most = 8 * device_limits().multiprocessors, n_chunks = chunk_count(count);
  return n_chunks < most ? n_chunks : most;
}

inline LaunchStatus launch_tape(const OverChunks<TapeRequest>& all, long shared_bytes,
                                const CudaWork& on) {
  const bool shared = shared_bytes <= shared_room();
  if (all.end == 0) return {0, "tape"};
  const LaunchConfig config{.name = "tape",
                            .grid = unsigned(tape_blocks(all.samples.count)),
                            .block = unsigned(kChunkSamples),
                            .shared_bytes = shared ? std::size_t(shared_bytes) : 0,
                            .stream = on.stream};
  return launch(config, shared ? tape_kernel<true> : tape_kernel<false>, all);
}

inline LaunchStatus run_tape(const TapeRequest& r, const CudaWork& on) {
  const long bytes = tape_scratch(r.tape) * long(sizeof(float));
  const long scratch =
      bytes <= shared_room() ? 0 : tape_scratch(r.tape) * tape_blocks(r.samples.count);
  const auto kernel = [&](const OverChunks<TapeRequest>& all) {
    return launch_tape(all, bytes, on);
  };
  if (r.sum != nullptr) {
    return sum_over_chunks(r, r.segments, r.sum, scratch, nullptr, on, kernel);
  }
  if (r.samples.count > kMostElements) return {kLaunchRefused, "run_tape"};
  OverChunks<TapeRequest> all = all_chunks(r);
  all.scratch = on.array<float>(std::size_t(scratch));
  return kernel(all);
}

}  // namespace gallop::inline GALLOP_ISA
