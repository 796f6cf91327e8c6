// Forward pass of any network by one block of threads, for a few instances whose activations stand
// in shared memory as [unit, instance]. Every output is its bias followed by one chain of fused
// multiply-adds in ascending input: the bits of network/forward.h.
#pragma once

#include <gallop/kernels/network/forward.h>
#include <gallop/kernels/device/launch.cuh>
#include <gallop/kernels/device/shared_memory.cuh>

namespace gallop::inline GALLOP_ISA {

constexpr int kBlockThreads = 128;
constexpr int kBlockColumns = 8;  // outputs that one thread sums at once

inline std::size_t block_network_bytes(const NetworkShape& shape, int n) {
  return 2 * sizeof(float) * std::size_t(widest(shape)) * std::size_t(n);
}
// Instances of a block, a power of two up to 64: as many as leave room for two blocks on a
// multiprocessor (64 give each thread 4 of them and 8 of 64 units), fewer where the batch would not
// reach all multiprocessors; one where shared memory has no room for two. The bits do not depend on
// it.
inline int block_instances(const NetworkShape& shape, long n_instances) {
  const long most = shared_room(), half = most / 2 - long(kStaticSharedBytes);
  const long room = half < 96 * 1024 ? half : 96 * 1024;
  const auto bytes = [&](int n) { return long(block_network_bytes(shape, n)); };
  int n = 64;
  while (n > 2 && bytes(n) > room) n /= 2;
  while (n > 8 && n_instances < long(n) * device_limits().multiprocessors) n /= 2;
  return bytes(n) > most ? 1 : n;
}

// E consecutive floats, E = 1, 2 or 4, aligned to their size.
template <int E>
__device__ __forceinline__ void load_aligned(const float* from, float* x) {
  if constexpr (E == 1) {
    x[0] = from[0];
  } else if constexpr (E == 4) {
    const float4 v = *reinterpret_cast<const float4*>(from);
    x[0] = v.x, x[1] = v.y, x[2] = v.z, x[3] = v.w;
  } else {
    const float2 v = *reinterpret_cast<const float2*>(from);
    x[0] = v.x, x[1] = v.y;
  }
}
template <int E>
__device__ __forceinline__ void store_aligned(float* to, const float* x) {
  if constexpr (E == 1) {
    to[0] = x[0];
  } else if constexpr (E == 4) {
    *reinterpret_cast<float4*>(to) = make_float4(x[0], x[1], x[2], x[3]);
  } else {
    *reinterpret_cast<float2*>(to) = make_float2(x[0], x[1]);
  }
}

// Eight weights of a row, `valid` of them within it; `whole` rows are read 16 bytes at a time.
__device__ __forceinline__ void load_columns(const float* from, int valid, bool whole, float* w) {
  if (whole) {
    load_aligned<4>(from, w);
    load_aligned<4>(from + 4, w + 4);
    return;
  }
  GALLOP_UNROLL(8)
  for (int c = 0; c < kBlockColumns; c++) w[c] = c < valid ? from[c] : 0.0f;
}
__device__ __forceinline__ bool is_aligned(const void* pointer) {
  return (reinterpret_cast<std::uintptr_t>(pointer) & 15u) == 0;
}

// Adds one input of E instances times 8 columns of a row of weights, of which kWhole says that all
// are there and aligned.
template <int E, bool kWhole>
__device__ __forceinline__ void add_input(const float* in, const float* row, int valid,
                                          float (&sum)[E][kBlockColumns]) {
  float x[E], w[kBlockColumns];
  load_aligned<E>(in, x);
  load_columns(row, valid, kWhole, w);
  GALLOP_UNROLL(4)
  for (int e = 0; e < E; e++) {
    GALLOP_UNROLL(8)
    for (int c = 0; c < kBlockColumns; c++) sum[e][c] = fmadd(x[e], w[c], sum[e][c]);
  }
}

// Adds the inputs [n_in, stride] times 8 columns of a weight [n_in, n_out]: whether rows are whole
// is asked once, not for each of them.
template <int E>
__device__ __forceinline__ void add_inputs(const float* in, int n_in, const float* weight,
                                           int n_out, int valid, bool whole, int stride,
                                           float (&sum)[E][kBlockColumns]) {
  if (whole) {
    GALLOP_UNROLL(4)
    for (int k = 0; k < n_in; k++, in += stride, weight += n_out) {
      add_input<E, true>(in, weight, valid, sum);
    }
  } else {
    GALLOP_UNROLL(2)
    for (int k = 0; k < n_in; k++, in += stride, weight += n_out) {
      add_input<E, false>(in, weight, valid, sum);
    }
  }
}

// One layer for n instances: in [n_in, stride], out [n_out, stride], weight [n_in, n_out]. A thread
// takes E instances and 8 outputs. Barriers before and after are the caller's.
template <int E>
__device__ __forceinline__ void block_layer(const float* in, int n_in, const float* weight,
                                            const float* bias, int n_out, Activation activation,
                                            int n, int stride, float* out) {
  const int groups = n / E;
  const int tasks = groups * ((n_out + kBlockColumns - 1) / kBlockColumns);
  const bool rows_aligned = n_out % 4 == 0 && is_aligned(weight) && is_aligned(bias);
  for (int task = threadIdx.x; task < tasks; task += blockDim.x) {
    const int i = task % groups * E, j = task / groups * kBlockColumns;
    const int valid = n_out - j < kBlockColumns ? n_out - j : kBlockColumns;
    const bool whole = rows_aligned && valid == kBlockColumns;
    float sum[E][kBlockColumns], x[E], w[kBlockColumns];
    load_columns(bias + j, valid, whole, w);
    GALLOP_UNROLL(4)
    for (int e = 0; e < E; e++) {
      GALLOP_UNROLL(8)
      for (int c = 0; c < kBlockColumns; c++) sum[e][c] = w[c];
    }
    add_inputs<E>(in + i, n_in, weight + j, n_out, valid, whole, stride, sum);
    GALLOP_UNROLL(8)
    for (int c = 0; c < kBlockColumns; c++) {
      if (c < valid) {
        GALLOP_UNROLL(4)
        for (int e = 0; e < E; e++) x[e] = activate(activation, sum[e][c]);
        store_aligned<E>(out + long(j + c) * stride + i, x);
      }
    }
  }
}

// A row of the table for each instance: in [1, n] holds its states.
__device__ __forceinline__ void block_table(const float* in, const float* table, int n_out, int n,
                                            float* out) {
  for (int task = threadIdx.x; task < n * n_out; task += blockDim.x) {
    const int i = task % n, j = task / n;
    out[j * n + i] = table[to_int(in[i] * float(n_out)) + j];
  }
}

// Runs the network on n instances (1, 2 or a multiple of 4): `a` [width[0], n] holds the inputs;
// `a` and `b` (each [widest, n]) are overwritten in turn. Returns the one that holds the outputs,
// which all threads may read. The inputs may have been written by any thread.
__device__ __forceinline__ float* block_forward(const NetworkShape& shape, const float* parameters,
                                                int n, float* a, float* b) {
  __syncthreads();
  if (shape.kind == NetworkKind::kTabular) {
    block_table(a, parameters, shape.width[1], n, b);
    __syncthreads();
    return b;
  }
  const float* weight = parameters;
  GALLOP_UNROLL(1)
  for (int l = 0; l < shape.n_layers; l++) {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    const float* bias = weight + long(n_in) * n_out;
    const Activation activation = l + 1 < shape.n_layers ? shape.hidden : Activation::kIdentity;
    if (n % 4 == 0) {
      block_layer<4>(a, n_in, weight, bias, n_out, activation, n, n, b);
    } else if (n == 2) {
      block_layer<2>(a, n_in, weight, bias, n_out, activation, n, n, b);
    } else {
      block_layer<1>(a, n_in, weight, bias, n_out, activation, n, n, b);
    }
    __syncthreads();
    weight = bias + n_out;
    float* const swap = a;
    a = b;
    b = swap;
  }
  return a;
}

}  // namespace gallop::inline GALLOP_ISA
