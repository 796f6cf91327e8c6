// How kernels of a trust region take chunks of samples: a block a chunk with its work in shared
// memory, or where that is too small, blocks that take chunks in turn with their work in scratch.
#pragma once

#include "kernels/cuda/gradient.cuh"

namespace gallop::inline GALLOP_ISA {

__device__ __forceinline__ bool is_wanted(const std::int32_t* active) {
  return active == nullptr || *active != 0;
}

// Blocks at once where their work is in scratch: two a multiprocessor of a large device.
constexpr int kScratchBlocks = 264;

template <class Request, class... Rest>
LaunchStatus launch_chunks(const char* name, int rows, const Request& r,
                           void (*in_shared)(Request, Rest...),
                           void (*in_scratch)(Request, Rest...), void* stream,
                           const Rest&... rest) {
  const int n = r.end - r.begin;
  if (n <= 0) return {0, name};
  LaunchConfig config{
      .name = name, .grid = unsigned(n), .block = kGradientThreads, .stream = stream};
  const long floats = long(rows) * kSampleStride;
  if (floats > kGradientSharedFloats) {
    config.grid = unsigned(n < kScratchBlocks ? n : kScratchBlocks);
    return launch(config, in_scratch, r, rest...);
  }
  config.shared_bytes = sizeof(float) * std::size_t(floats);
  return launch(config, in_shared, r, rest...);
}

}  // namespace gallop::inline GALLOP_ISA
