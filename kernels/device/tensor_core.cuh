// Products of small matrices on the tensor cores and the device's own tanh, for mode fast. A warp
// computes C [16, 8] += A [16, K] B [K, 8] in float from operands that are rounded: to bfloat16
// with K = 16, or to TF32 with K = 8.
//
// Who holds what, with row = lane / 4 and pair = lane % 4 (PTX ISA, "Matrix Fragments for
// mma.m16n8k16" and "mma.m16n8k8"):
//
//   C   c[0], c[1]: (row, 2 pair), (row, 2 pair + 1); c[2], c[3]: the same of row + 8
//   A   bfloat16: a[0], a[1]: columns 2 pair, 2 pair + 1 of row and row + 8; a[2], a[3]: 8 further
//   on
//       TF32: a[0], a[1]: column pair of row and row + 8; a[2], a[3]: column pair + 4
//   B   bfloat16: b[0]: rows 2 pair, 2 pair + 1 of column `row`; b[1]: 8 further on
//       TF32: b[0]: row pair of column `row`; b[1]: row pair + 4
//
// So the C of two neighbouring products, in bfloat16, is the A of the next layer. The tests'
// executor has the same operands and roundings; it sums in ascending K, and its tanh errs by as
// much as the device's may: the bits of a device are others.
#pragma once

#include <gallop/kernels/numerics/math.h>
#include <gallop/kernels/device/launch.cuh>

namespace gallop::inline GALLOP_ISA {

#ifndef GALLOP_CUDA_EXECUTOR

#if GALLOP_ON_DEVICE && __CUDA_ARCH__ < 800
#error "Gallop's kernels need compute capability 8.0: TF32 and bfloat16 on tensor cores"
#endif

// Nearest TF32 number (10 bits behind the point), as the bits of a float; of two that are as near
// the even one, or the greater one before compute capability 9.0, which has no instruction for the
// other.
__device__ __forceinline__ std::uint32_t to_tf32(float x) {
  std::uint32_t bits;
#if __CUDA_ARCH__ >= 900
  asm("cvt.rn.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
#else
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
#endif
  return bits;
}
// The same of a number that is finite, in one instruction: the bits behind those of TF32, which the
// tensor cores do not read, are not cleared.
__device__ __forceinline__ std::uint32_t finite_to_tf32(float x) {
  return __float_as_uint(x) + 0x1000u;
}
// Nearest bfloat16 numbers (7 bits behind the point), `low` in the lower half.
__device__ __forceinline__ std::uint32_t to_bfloat16(float low, float high) {
  std::uint32_t bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}
// Relative error below 2^-10.9.
__device__ __forceinline__ float approximate_tanh(float x) {
  float y;
  asm("tanh.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
// Matrices of eight rows of four numbers of shared memory, one register each: of matrix k a lane
// gets number `pair` of row `row`. Lanes 8 k to 8 k + 7 say where the rows of matrix k are, each
// aligned to 16 bytes.
__device__ __forceinline__ void load_matrices(const float* row, std::uint32_t (&x)[4]) {
  const auto at = std::uint32_t(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
               : "r"(at)
               : "memory");
}
__device__ __forceinline__ void load_matrices(const float* row, std::uint32_t (&x)[2]) {
  const auto at = std::uint32_t(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
               : "=r"(x[0]), "=r"(x[1])
               : "r"(at)
               : "memory");
}
// The greater of two magnitudes, NaN where either is not a number: one instruction.
__device__ __forceinline__ float greater_magnitude(float a, float b) {
  float y;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(y) : "f"(abs(a)), "f"(abs(b)));
  return y;
}

// All lanes of the warp together.
__device__ __forceinline__ void multiply_tf32(float (&c)[4], const std::uint32_t (&a)[4],
                                              std::uint32_t b0, std::uint32_t b1) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
__device__ __forceinline__ void multiply_bfloat16(float (&c)[4], const std::uint32_t (&a)[4],
                                                  std::uint32_t b0, std::uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

#else

// As compute capability 9.0: to even. Half of a unit of the last place that stays, added to the
// magnitude; not for infinity and NaN.
inline std::uint32_t to_tf32(float x) {
  const std::uint32_t bits = __float_as_uint(x);
  const bool finite = (bits & 0x7f800000u) != 0x7f800000u;
  return (finite ? bits + 0xfffu + (bits >> 13 & 1u) : bits) & ~0x1fffu;
}
inline std::uint32_t finite_to_tf32(float x) { return __float_as_uint(x) + 0x1000u; }
inline std::uint32_t to_bfloat16(float low, float high) {
  const auto rounded = [](float x) {
    const std::uint32_t bits = __float_as_uint(x);
    if (x != x) return 0x7fffu;
    return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;  // to even
  };
  return rounded(low) | rounded(high) << 16;
}
// As far from tanh as the device's may be.
inline float approximate_tanh(float x) {
  return __uint_as_float(__float_as_uint(tanh(x)) & ~0xfffu);
}
template <std::size_t N>
void load_matrices(const float* row, std::uint32_t (&x)[N]) {
  const int lane = int(threadIdx.x) % 32;
  for (int k = 0; k < int(N); k++) {
    const float* const of_matrix = __shfl_sync(~0u, row, 8 * k + lane / 4);
    x[k] = __float_as_uint(of_matrix[lane % 4]);
  }
}
inline float greater_magnitude(float a, float b) {
  if (a != a || b != b) return __builtin_nanf("");
  return max(abs(a), abs(b));
}

template <int K, class Element>
void multiply_exchanged(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                        std::uint32_t b1, const Element& element) {
  constexpr unsigned kAll = ~0u;
  const int lane = int(threadIdx.x) % 32, row = lane / 4, pair = lane % 4;
  const auto both = [](std::uint32_t low, std::uint32_t high) {
    return std::uint64_t(low) | std::uint64_t(high) << 32;
  };
  std::uint64_t rows[2][4], columns[2][4];  // of A and B: what each of four lanes holds
  for (int p = 0; p < 4; p++) {
    for (int h = 0; h < 2; h++) {
      rows[h][p] = __shfl_sync(kAll, both(a[h], a[h + 2]), row * 4 + p);
      columns[h][p] = __shfl_sync(kAll, both(b0, b1), (2 * pair + h) * 4 + p);
    }
  }
  for (int i = 0; i < 4; i++) {
    for (int k = 0; k < K; k++) {
      c[i] = fmadd(element(rows[i / 2], k), element(columns[i % 2], k), c[i]);
    }
  }
}
inline void multiply_tf32(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                          std::uint32_t b1) {
  multiply_exchanged<8>(c, a, b0, b1, [](const std::uint64_t* held, int k) {
    return __uint_as_float(std::uint32_t(held[k % 4] >> (k / 4 * 32)) & ~0x1fffu);
  });
}
inline void multiply_bfloat16(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                              std::uint32_t b1) {
  multiply_exchanged<16>(c, a, b0, b1, [](const std::uint64_t* held, int k) {
    const int half = k / 8 * 32 + k % 2 * 16;
    return __uint_as_float(std::uint32_t(held[k % 8 / 2] >> half & 0xffffu) << 16);
  });
}

#endif

}  // namespace gallop::inline GALLOP_ISA
