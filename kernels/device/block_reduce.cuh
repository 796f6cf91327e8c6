// Sums and maxima over the threads of a block: whole warps, at most 32 of them, all of whose
// threads call. Every thread gets the result. Of integers, so that any order has the same bits;
// through registers, since shared memory has no 64-bit atomics but loops that try again.
#pragma once

#include <gallop/kernels/device/launch.cuh>
#include <gallop/kernels/device/shared_memory.cuh>

namespace gallop::inline GALLOP_ISA {

__device__ __forceinline__ std::uint32_t warp_greatest(std::uint32_t own) {
  return __reduce_max_sync(~0u, own);
}
__device__ __forceinline__ std::int64_t warp_sum(std::int64_t own) {
  GALLOP_UNROLL(5)
  for (int distance = 16; distance > 0; distance /= 2) {
    own += __shfl_xor_sync(~0u, static_cast<long long>(own), distance);
  }
  return own;
}

// Each warp's result to all warps, then each of them once more.
template <class T, class Combine>
__device__ __forceinline__ T combine_warps(T own, T* slots, const Combine& combine) {
  const unsigned lane = threadIdx.x % 32, n_warps = blockDim.x / 32;
  own = combine(own);
  __syncthreads();  // the slots of a call before have been read
  if (lane == 0) slots[threadIdx.x / 32] = own;
  __syncthreads();
  return combine(lane < n_warps ? slots[lane] : T(0));
}

__device__ __forceinline__ std::uint32_t block_greatest(std::uint32_t own) {
  GALLOP_SHARED(std::uint32_t, slots, 32);
  return combine_warps(own, slots, [](std::uint32_t x) { return warp_greatest(x); });
}
__device__ __forceinline__ std::int64_t block_sum(std::int64_t own) {
  GALLOP_SHARED(std::int64_t, slots, 32);
  return combine_warps(own, slots, [](std::int64_t x) { return warp_sum(x); });
}

}  // namespace gallop::inline GALLOP_ISA
