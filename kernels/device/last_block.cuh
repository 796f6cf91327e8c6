// What one block does after all others of a grid, in the same launch.
#pragma once

#include <gallop/kernels/device/launch.cuh>
#include <gallop/kernels/device/shared_memory.cuh>

namespace gallop::inline GALLOP_ISA {

// Whether all other blocks of the grid have come here: what they wrote before is visible to this
// one. All threads of every block call it, once in a kernel. `arrived` is 0 when the kernel begins.
__device__ __forceinline__ bool is_last_block(unsigned* arrived) {
  GALLOP_SHARED(unsigned, turn, 1);
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) {
    turn[0] = atomicAdd(arrived, 1u);
    __threadfence();
  }
  __syncthreads();
  return turn[0] + 1 == gridDim.x;
}

}  // namespace gallop::inline GALLOP_ISA
