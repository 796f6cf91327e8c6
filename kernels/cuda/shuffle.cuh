// Minibatch order on the device (kernels/random/shuffle.h): a stable radix sort by key of the
// numbers in ascending order leaves equal keys in the order of their numbers.
#pragma once

#include "kernels/cuda/for_each.cuh"
#include "kernels/cuda/kernel_table.h"
#include "kernels/cuda/radix_sort.cuh"
#include "kernels/random/shuffle.h"

namespace gallop::inline GALLOP_ISA {

struct ShuffleKey {
  std::uint64_t seed, counter;
  std::uint32_t *key, *number;
  GALLOP_HD void operator()(long i) const {
    key[i] = shuffle_key(seed, counter, std::uint32_t(i));
    number[i] = std::uint32_t(i);
  }
};

// Keys, sorted keys and numbers, each of whole 256 bytes; then the sort's own.
inline std::size_t shuffle_row(long n) { return (std::size_t(n) * 4 + 255) / 256 * 256; }
inline std::size_t shuffle_scratch(long n) { return 3 * shuffle_row(n) + sort_scratch(n); }

inline LaunchStatus shuffle(const CudaShuffleRequest& r, void* stream) {
  if (r.n == 0) return {0, "shuffle"};
  if (r.scratch_bytes < shuffle_scratch(r.n)) return {kLaunchRefused, "shuffle"};
  char* const base = static_cast<char*>(r.scratch);
  const std::size_t row = shuffle_row(r.n);
  auto* const key = reinterpret_cast<std::uint32_t*>(base);
  auto* const sorted = reinterpret_cast<std::uint32_t*>(base + row);
  auto* const number = reinterpret_cast<std::uint32_t*>(base + 2 * row);
  const LaunchStatus keys =
      for_each("shuffle_keys", r.n, stream, ShuffleKey{r.seed, r.counter, key, number});
  if (!keys.ok()) return keys;
  const std::size_t bytes = r.scratch_bytes - 3 * row;
  return {sort_pairs(base + 3 * row, bytes, key, sorted, number, r.order, r.n, stream),
          "shuffle_sort"};
}

}  // namespace gallop::inline GALLOP_ISA
