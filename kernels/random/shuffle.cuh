// Minibatch order on the device (kernels/random/shuffle.h): a stable radix sort by key of the
// numbers in ascending order leaves equal keys in the order of their numbers.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/random/shuffle.h>
#include <gallop/kernels/device/for_each.cuh>
#include <gallop/kernels/device/radix_sort.cuh>

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

inline LaunchStatus shuffle(const ShuffleRequest& r, const CudaWork& on) {
  if (r.n == 0) return {0, "shuffle"};
  const std::size_t row = shuffle_row(r.n), bytes = sort_scratch(r.n);
  char* const base = on.array<char>(3 * row + bytes);
  auto* const key = reinterpret_cast<std::uint32_t*>(base);
  auto* const sorted = reinterpret_cast<std::uint32_t*>(base + row);
  auto* const number = reinterpret_cast<std::uint32_t*>(base + 2 * row);
  const LaunchStatus keys =
      for_each("shuffle_keys", r.n, on.stream, ShuffleKey{r.seed, r.counter, key, number});
  if (!keys.ok()) return keys;
  return {sort_pairs(base + 3 * row, bytes, key, sorted, number, r.order, r.n, on.stream),
          "shuffle_sort"};
}

}  // namespace gallop::inline GALLOP_ISA
