// How kernels of a trust region take chunks of samples: a block a chunk with its work in shared
// memory, or where that is too small, blocks that take chunks in turn with their work in scratch.
#pragma once

#include <gallop/kernels/gradients/gradient.cuh>

namespace gallop::inline GALLOP_ISA {

__device__ __forceinline__ bool is_wanted(const std::int32_t* active) {
  return active == nullptr || *active != 0;
}

template <class Request, class... Rest>
LaunchStatus launch_chunks(const char* name, int rows, const OverChunks<Request>& r,
                           void (*in_shared)(OverChunks<Request>, Rest...),
                           void (*in_scratch)(OverChunks<Request>, Rest...), const CudaWork& on,
                           const Rest&... rest) {
  const int n = r.end - r.begin;
  if (n <= 0) return {0, name};
  LaunchConfig config{
      .name = name, .grid = unsigned(n), .block = kGradientThreads, .stream = on.stream};
  if (!rows_fit_shared(rows)) {
    config.grid = unsigned(scratch_blocks(r.samples.count));
    return launch(config, in_scratch, r, rest...);
  }
  config.shared_bytes = sizeof(float) * std::size_t(rows) * kSampleStride;
  return launch(config, in_shared, r, rest...);
}

}  // namespace gallop::inline GALLOP_ISA
