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

// to[4 l + c] = lane l of x[c].
GALLOP_HD void store_interleaved(float* to, const float (&x)[4]) {
  for (int c = 0; c < 4; c++) to[c] = x[c];
}
#if GALLOP_LANES > 1
template <int W>
GALLOP_HD void store_interleaved(float* to, const FloatLanes<W> (&x)[4]) {
#if defined(__AVX512F__)
  if constexpr (W == 16) {
    const __m512 a = _mm512_unpacklo_ps(__m512(x[0].v), __m512(x[1].v));
    const __m512 b = _mm512_unpackhi_ps(__m512(x[0].v), __m512(x[1].v));
    const __m512 c = _mm512_unpacklo_ps(__m512(x[2].v), __m512(x[3].v));
    const __m512 d = _mm512_unpackhi_ps(__m512(x[2].v), __m512(x[3].v));
    // Quarter q of row[k] holds the four numbers of lane 4 q + k.
    const __m512 row[4] = {_mm512_shuffle_ps(a, c, 0x44), _mm512_shuffle_ps(a, c, 0xee),
                           _mm512_shuffle_ps(b, d, 0x44), _mm512_shuffle_ps(b, d, 0xee)};
    const __m512 low[2] = {_mm512_shuffle_f32x4(row[0], row[1], 0x44),
                           _mm512_shuffle_f32x4(row[2], row[3], 0x44)};
    const __m512 high[2] = {_mm512_shuffle_f32x4(row[0], row[1], 0xee),
                            _mm512_shuffle_f32x4(row[2], row[3], 0xee)};
    _mm512_storeu_ps(to, _mm512_shuffle_f32x4(low[0], low[1], 0x88));
    _mm512_storeu_ps(to + 16, _mm512_shuffle_f32x4(low[0], low[1], 0xdd));
    _mm512_storeu_ps(to + 32, _mm512_shuffle_f32x4(high[0], high[1], 0x88));
    _mm512_storeu_ps(to + 48, _mm512_shuffle_f32x4(high[0], high[1], 0xdd));
    return;
  }
#endif
#if defined(__AVX2__)
  if constexpr (W == 8) {
    const __m256 a = _mm256_unpacklo_ps(__m256(x[0].v), __m256(x[1].v));
    const __m256 b = _mm256_unpackhi_ps(__m256(x[0].v), __m256(x[1].v));
    const __m256 c = _mm256_unpacklo_ps(__m256(x[2].v), __m256(x[3].v));
    const __m256 d = _mm256_unpackhi_ps(__m256(x[2].v), __m256(x[3].v));
    const __m256 row[4] = {_mm256_shuffle_ps(a, c, 0x44), _mm256_shuffle_ps(a, c, 0xee),
                           _mm256_shuffle_ps(b, d, 0x44), _mm256_shuffle_ps(b, d, 0xee)};
    _mm256_storeu_ps(to, _mm256_permute2f128_ps(row[0], row[1], 0x20));
    _mm256_storeu_ps(to + 8, _mm256_permute2f128_ps(row[2], row[3], 0x20));
    _mm256_storeu_ps(to + 16, _mm256_permute2f128_ps(row[0], row[1], 0x31));
    _mm256_storeu_ps(to + 24, _mm256_permute2f128_ps(row[2], row[3], 0x31));
    return;
  }
#endif
  for (int l = 0; l < W; l++) {
    for (int c = 0; c < 4; c++) to[4 * l + c] = x[c].get(l);
  }
}
#endif

}  // namespace gallop::inline GALLOP_ISA
