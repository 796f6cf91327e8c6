// Matrix products of the learner: C[r, c] = f(start[c] + sum_i A[r, i] B[i, c]) with i ascending in
// one chain of fused multiply-adds for each element, so that every blocking gives the same bits and
// the bits of network/forward.h. Lanes run over c; B and C have rows padded to a multiple of 16
// columns, and columns from `columns` on hold what is never read.
#pragma once

#include <gallop/kernels/network/forward.h>

namespace gallop {

constexpr int kColumnPad = 16;
constexpr int kMostFactors = 4;

// Memory that is read next, fetched into the cache while products are computed: units of many
// samples stand in memory that no cache holds.
struct Prefetch {
  const char* at;
  const char* end;
};

// What becomes of each sum, scaled or not, before it is stored.
enum class Epilogue : int {
  kNone,
  kActivate,  // the activation
  kDot        // a term of products with other rows; the sum itself is not stored
};

// A[r, i] stands at a[r * a_row + i * a_inner]: a transposed A costs nothing.
struct Product {
  int rows, inner, columns;
  const float* a;
  long a_row, a_inner;
  const float* b;  // [inner, b_stride]
  long b_stride;
  const float* start;  // [columns], the same for all rows; null for zero
  float* c;            // [rows, c_stride]
  long c_stride;
  // A second term of the same shape and strides, which continues each chain; null for none.
  const float* a2 = nullptr;
  const float* b2 = nullptr;
  Epilogue epilogue = Epilogue::kNone;
  Activation activation = Activation::kIdentity;
  // Sums are scaled by the activation's derivative, expressed by this value of it; null for not.
  const float* value = nullptr;  // [rows, c_stride]
  // [columns, padded] sums of the rows of C in ascending order are added to it; null for not.
  float* column_sum = nullptr;
  // Of kDot: dot[f][r, c % kColumnPad] += C[r, c] factor[f][r, c], c ascending.
  int n_factors = 0;
  long factor_row = 0;
  const float* factor[kMostFactors] = {};  // [rows, factor_row]
  float* dot[kMostFactors] = {};           // [rows, kColumnPad]
  Prefetch* next = nullptr;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD int padded(int columns) { return (columns + kColumnPad - 1) / kColumnPad * kColumnPad; }

// The activation's derivative by its value y.
template <class F>
GALLOP_HD F slope_of(Activation activation, F y) {
  if (activation == Activation::kTanh) return fmadd(-y, y, F(1.0f));
  if (activation == Activation::kRelu) return select(y > F(0.0f), F(1.0f), F(0.0f));
  return F(1.0f);
}

// sum[k][v] += A[r + k, :] B[:, c + v * lanes ...]. Of rows and columns of registers, the fewer
// ones are held while the others pass.
template <class F, int R, int V>
GALLOP_HD void multiply_term(const Product& p, const float* a, const float* b, F (&sum)[R][V]) {
  constexpr int kW = kLanesOf<F>;
  const long a_row = p.a_row, a_inner = p.a_inner, b_stride = p.b_stride;
  for (int i = p.inner; i > 0; i--, a += a_inner, b += b_stride) {
    if constexpr (R < V) {
      F x[R];
      GALLOP_UNROLL(4)
      for (int k = 0; k < R; k++) x[k] = F(a[k * a_row]);
      GALLOP_UNROLL(4)
      for (int v = 0; v < V; v++) {
        const F bv = load_lanes(b + v * kW, kW, F());
        GALLOP_UNROLL(4)
        for (int k = 0; k < R; k++) sum[k][v] = fmadd(x[k], bv, sum[k][v]);
      }
    } else {
      F x[V];
      GALLOP_UNROLL(4)
      for (int v = 0; v < V; v++) x[v] = load_lanes(b + v * kW, kW, F());
      GALLOP_UNROLL(16)
      for (int k = 0; k < R; k++) {
        const F ak(a[k * a_row]);
        GALLOP_UNROLL(4)
        for (int v = 0; v < V; v++) sum[k][v] = fmadd(ak, x[v], sum[k][v]);
      }
    }
  }
}

// Eight lines of 64 bytes for 32 multiply-adds of each sum: few enough to wait for none of them.
GALLOP_HD void fetch_ahead(Prefetch& next, int inner) {
#if !GALLOP_ON_DEVICE
  for (int lines = inner / 4 + 1; lines > 0 && next.at < next.end; lines--, next.at += 64) {
    __builtin_prefetch(next.at, 0, 2);
  }
#endif
}

// The epilogue kDot of a block.
template <class F, int R, int V>
GALLOP_HD void add_dot_terms(const Product& p, int r, int c, const F (&sum)[R][V]) {
  constexpr int kW = kLanesOf<F>, kParts = kColumnPad / kW;
  for (int f = 0; f < p.n_factors; f++) {
    const float* factor = p.factor[f] + r * p.factor_row + c;
    float* dot = p.dot[f] + r * kColumnPad;
    GALLOP_UNROLL(16)
    for (int k = 0; k < R; k++, factor += p.factor_row, dot += kColumnPad) {
      GALLOP_UNROLL(4)
      for (int q = 0; q < V && q < kParts; q++) {
        float* const term = dot + (c + q * kW) % kColumnPad;
        F x = load_lanes(term, kW, F());
        GALLOP_UNROLL(4)
        for (int v = q; v < V; v += kParts) {
          x = fmadd(sum[k][v], load_lanes(factor + v * kW, kW, F()), x);
        }
        store_lanes(term, x, kW);
      }
    }
  }
}

// The activation of all sums of a block, in registers: stored first, they would be waited for.
template <Activation kActivation, class F, int R, int V>
GALLOP_HD void activate_block(F (&sum)[R][V]) {
  GALLOP_UNROLL(16)
  for (int k = 0; k < R; k++) {
    GALLOP_UNROLL(4)
    for (int v = 0; v < V; v++) sum[k][v] = activate(kActivation, sum[k][v]);
  }
}

// Scales the sums of a block by the slope at their values.
template <class F, int R, int V>
GALLOP_HD void scale_block(const Product& p, int r, int c, F (&sum)[R][V]) {
  constexpr int kW = kLanesOf<F>;
  const float* value = p.value + r * p.c_stride + c;
  GALLOP_UNROLL(16)
  for (int k = 0; k < R; k++) {
    GALLOP_UNROLL(4)
    for (int v = 0; v < V; v++) {
      const F y = load_lanes(value + k * p.c_stride + v * kW, kW, F());
      sum[k][v] = sum[k][v] * slope_of(p.activation, y);
    }
  }
}

// R rows and V registers of columns at (r, c).
template <class F, int R, int V>
GALLOP_HD void multiply_block(const Product& p, int r, int c) {
  constexpr int kW = kLanesOf<F>;
  F sum[R][V];
  GALLOP_UNROLL(4)
  for (int v = 0; v < V; v++) {
    const F start = p.start == nullptr ? F(0.0f) : load_lanes(p.start + c + v * kW, kW, F());
    GALLOP_UNROLL(16)
    for (int k = 0; k < R; k++) sum[k][v] = start;
  }
  if (p.next != nullptr) fetch_ahead(*p.next, p.inner);
  multiply_term<F, R, V>(p, p.a + r * p.a_row, p.b + c, sum);
  if (p.a2 != nullptr) multiply_term<F, R, V>(p, p.a2 + r * p.a_row, p.b2 + c, sum);
  if (p.value != nullptr) scale_block<F, R, V>(p, r, c, sum);
  if (p.epilogue == Epilogue::kDot) {
    add_dot_terms<F, R, V>(p, r, c, sum);
    return;
  }
  if (p.epilogue == Epilogue::kActivate) {
    if (p.activation == Activation::kTanh) activate_block<Activation::kTanh>(sum);
    if (p.activation == Activation::kRelu) activate_block<Activation::kRelu>(sum);
  }
  float* to = p.c + r * p.c_stride + c;
  GALLOP_UNROLL(16)
  for (int k = 0; k < R; k++) {
    GALLOP_UNROLL(4)
    for (int v = 0; v < V; v++) store_lanes(to + k * p.c_stride + v * kW, sum[k][v], kW);
  }
  if (p.column_sum == nullptr) return;
  GALLOP_UNROLL(4)
  for (int v = 0; v < V; v++) {
    F total = load_lanes(p.column_sum + c + v * kW, kW, F());
    GALLOP_UNROLL(16)
    for (int k = 0; k < R; k++) total = total + sum[k][v];
    store_lanes(p.column_sum + c + v * kW, total, kW);
  }
}

// Six rows with four registers (24 sums) or two (12 sums) hide the latency of the sums and leave
// registers for the operands, on AVX-512 and AVX2; eight rows where the columns are one register.
// What is left is split so that no block has one row or two, whose sums would wait for each other.
template <class F, int V>
GALLOP_HD void multiply_columns(const Product& p, int c) {
  constexpr int kR = V == 1 ? 8 : 6;
  int r = 0, left = p.rows;
  for (; left > kR + 2 || left == kR; r += kR, left -= kR) multiply_block<F, kR, V>(p, r, c);
  for (; left >= 6 || left == 4; r += 4, left -= 4) multiply_block<F, 4, V>(p, r, c);
  if (left == 5) multiply_block<F, 5, V>(p, r, c);
  if (left == 3) multiply_block<F, 3, V>(p, r, c);
  if (left == 2) multiply_block<F, 2, V>(p, r, c);
  if (left == 1) multiply_block<F, 1, V>(p, r, c);
}

template <class F>
GALLOP_NOINLINE_HD void multiply(const Product& p) {
  constexpr int kW = kLanesOf<F>;
  const int columns = (p.columns + kW - 1) / kW * kW;
  int c = 0;
  if constexpr (kW == 16) {
    for (; c + 4 * kW <= columns; c += 4 * kW) multiply_columns<F, 4>(p, c);
  } else if (p.rows <= 3) {
    for (; c + 4 * kW <= columns; c += 4 * kW) {
      if (p.rows == 3) multiply_block<F, 3, 4>(p, 0, c);
      if (p.rows == 2) multiply_block<F, 2, 4>(p, 0, c);
      if (p.rows == 1) multiply_block<F, 1, 4>(p, 0, c);
    }
  }
  for (; c + 2 * kW <= columns; c += 2 * kW) multiply_columns<F, 2>(p, c);
  for (; c < columns; c += kW) multiply_columns<F, 1>(p, c);
}

}  // namespace gallop::inline GALLOP_ISA
