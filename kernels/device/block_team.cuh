// One block as the team of numerics/team.h.
#pragma once

#include <gallop/kernels/numerics/team.h>
#include <gallop/kernels/device/shared_memory.cuh>

namespace gallop::inline GALLOP_ISA {

constexpr int kTeamThreads = kDotSums;  // each thread owns one partial sum

struct BlockTeam {
  double* partial;  // [kTeamThreads] shared memory

  template <class Body>
  __device__ __forceinline__ void each(long n, const Body& body) const {
    for (long i = threadIdx.x; i < n; i += kTeamThreads) body(i);
  }

  // Every thread gets the result.
  __device__ __forceinline__ double dot(const float* x, const float* y, long n) const {
    double sum = 0.0;
    GALLOP_UNROLL(4)
    for (long i = threadIdx.x; i < n; i += kTeamThreads) {
      sum = fmadd(double(x[i]), double(y[i]), sum);
    }
    const int k = int(threadIdx.x);
    __syncthreads();  // the result of the dot product before has been read
    partial[k] = sum;
    for (int half = kTeamThreads / 2; half >= 32; half /= 2) {
      __syncthreads();
      if (k < half) {
        sum = sum + partial[k + half];
        partial[k] = sum;
      }
    }
    if (k < 32) {
      for (int half = 16; half > 0; half /= 2) {
        sum = sum + __shfl_down_sync(0xffffffffu, sum, unsigned(half));
      }
      if (k == 0) partial[0] = sum;
    }
    __syncthreads();
    return partial[0];
  }

  __device__ __forceinline__ void meet() const { __syncthreads(); }
  __device__ __forceinline__ bool leads() const { return threadIdx.x == 0; }
};

}  // namespace gallop::inline GALLOP_ISA
