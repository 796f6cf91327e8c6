// Rows of floats to columns: instances of a row-major array into the lanes of registers, or back.
#pragma once

#include <gallop/kernels/numerics/native.h>
#include <gallop/kernels/numerics/scalar.h>

namespace gallop::inline GALLOP_ISA {

constexpr int kTransposed = 8;  // rows and columns that are exchanged in registers

#if defined(__AVX2__) && GALLOP_LANES > 1
struct Transposed {
  __m256 column[kTransposed];  // column[c] holds element c of the rows 0 to 7
};

// Rows of `stride` floats.
GALLOP_HD Transposed transpose_registers(const float* from, long stride) {
  __m256 half[8], pair[8];
  GALLOP_UNROLL(4)
  for (int k = 0; k < 4; k++) {  // rows k and k + 4: their first and their last four elements
    const float *low = from + k * stride, *high = from + (k + 4) * stride;
    half[k] = _mm256_loadu2_m128(high, low);
    half[k + 4] = _mm256_loadu2_m128(high + 4, low + 4);
  }
  GALLOP_UNROLL(2)
  for (int k = 0; k < 8; k += 4) {
    pair[k] = _mm256_unpacklo_ps(half[k], half[k + 1]);
    pair[k + 1] = _mm256_unpackhi_ps(half[k], half[k + 1]);
    pair[k + 2] = _mm256_unpacklo_ps(half[k + 2], half[k + 3]);
    pair[k + 3] = _mm256_unpackhi_ps(half[k + 2], half[k + 3]);
  }
  Transposed to;
  GALLOP_UNROLL(2)
  for (int k = 0; k < 8; k += 4) {
    to.column[k] = _mm256_shuffle_ps(pair[k], pair[k + 2], 0x44);
    to.column[k + 1] = _mm256_shuffle_ps(pair[k], pair[k + 2], 0xee);
    to.column[k + 2] = _mm256_shuffle_ps(pair[k + 1], pair[k + 3], 0x44);
    to.column[k + 3] = _mm256_shuffle_ps(pair[k + 1], pair[k + 3], 0xee);
  }
  return to;
}
#endif

// to[c * to_stride + r] = from[r * stride + c].
GALLOP_HD void transpose(const float* from, long stride, int rows, int columns, float* to,
                         long to_stride) {
  int r = 0;
#if defined(__AVX2__) && GALLOP_LANES > 1
  for (; r + kTransposed <= rows; r += kTransposed) {
    int c = 0;
    for (; c + kTransposed <= columns; c += kTransposed) {
      const Transposed block = transpose_registers(from + r * stride + c, stride);
      GALLOP_UNROLL(8)
      for (int k = 0; k < kTransposed; k++) {
        _mm256_storeu_ps(to + (c + k) * to_stride + r, block.column[k]);
      }
    }
    for (; c < columns; c++) {
      for (int k = 0; k < kTransposed; k++) to[c * to_stride + r + k] = from[(r + k) * stride + c];
    }
  }
#endif
  for (; r < rows; r++) {
    for (int c = 0; c < columns; c++) to[c * to_stride + r] = from[r * stride + c];
  }
}

}  // namespace gallop::inline GALLOP_ISA
