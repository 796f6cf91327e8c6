// The one place that calls CUB's radix sort, with a stand-in for the executor of the tests.
#pragma once

#include <cstddef>
#include <cstdint>

#ifdef GALLOP_CUDA_EXECUTOR
#include <algorithm>
#include <numeric>
#include <vector>
#else
#include <cub/device/device_radix_sort.cuh>
#endif

#include <gallop/kernels/numerics/platform.h>

namespace gallop::inline GALLOP_ISA {

#ifdef GALLOP_CUDA_EXECUTOR

inline std::size_t sort_scratch(long) { return 0; }

inline int sort_pairs(void*, std::size_t, const std::uint32_t* key, std::uint32_t* sorted_key,
                      const std::uint32_t* value, std::uint32_t* sorted_value, long n, void*) {
  std::vector<std::size_t> by_key(static_cast<std::size_t>(n));
  std::iota(by_key.begin(), by_key.end(), std::size_t{0});
  std::stable_sort(by_key.begin(), by_key.end(),
                   [key](std::size_t a, std::size_t b) { return key[a] < key[b]; });
  for (std::size_t i = 0; i < by_key.size(); ++i) {
    sorted_key[i] = key[by_key[i]];
    sorted_value[i] = value[by_key[i]];
  }
  return 0;
}

#else

inline std::size_t sort_scratch(long n) {
  std::size_t bytes = 0;
  const std::uint32_t* in = nullptr;
  std::uint32_t* out = nullptr;
  // With null scratch it only tells the size; what it returns fails again at the sort itself.
  static_cast<void>(
      cub::DeviceRadixSort::SortPairs(nullptr, bytes, in, out, in, out, static_cast<int>(n)));
  return bytes;
}

// Stable sort of pairs by ascending key; returns a cudaError_t.
inline int sort_pairs(void* scratch, std::size_t bytes, const std::uint32_t* key,
                      std::uint32_t* sorted_key, const std::uint32_t* value,
                      std::uint32_t* sorted_value, long n, void* stream) {
  return static_cast<int>(cub::DeviceRadixSort::SortPairs(scratch, bytes, key, sorted_key, value,
                                                          sorted_value, static_cast<int>(n), 0, 32,
                                                          static_cast<cudaStream_t>(stream)));
}

#endif

}  // namespace gallop::inline GALLOP_ISA
