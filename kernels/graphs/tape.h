// A straight-line program over samples: what a stochastic computation graph and the gradient of its
// surrogate loss are compiled to (host/graphs/). Its cells are numbers of one sample; instructions
// write each once and read what was written before, so that a chunk of samples goes through the
// program side by side, an instruction at a time. The gradient is part of the program: there is no
// second pass.
//
// Random numbers are those of (seed, sample, node, component), whatever chunk, thread or device a
// sample is on. A Philox block serves four samples: sample s takes its number s / 32 % 4 from the
// counter
//
//   word 0   32 (s / 128) + s % 32
//   word 1   stream, which the caller counts
//   word 2   node
//   word 3   component of the node
//
// under the purpose kRandomGraph. Normals are of its words 0 and 1 (two of them) and 2 and 3.
#pragma once

#include <gallop/kernels/gradients/over_chunks.h>
#include <gallop/kernels/random/stream.h>

namespace gallop {

// What an instruction writes to its cell, from cells a, b and c where nothing else is said.
enum class TapeOp : std::int32_t {
  kConstant,   // constant[a]
  kParameter,  // parameter[a]
  kInput,      // row a of the inputs
  kNormal,     // a standard normal: node a, component b
  kUniform,    // uniform in [0, 1): node a, component b
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kFma,  // a b + c with one rounding
  kNegate,
  kExp,
  kLog,
  kTanh,
  kSin,
  kCos,
  kSqrt,
  kAbs,
  kSigmoid,   // 1 / (1 + exp(-a))
  kSoftplus,  // log(1 + exp(a))
  kMin,
  kMax,
  kLess,    // 1 where a < b, else 0
  kEqual,   // 1 where a = b, else 0
  kSelect,  // b where a is not 0, else c
  kFloor,   // |a| < 2^22
};

struct TapeInstruction {
  TapeOp op;
  std::int32_t to, a, b, c;
};

// The first n_once instructions are the same for all samples; their cells are written by no later
// one. Arrays are of the backend's memory.
struct Tape {
  const TapeInstruction* instruction;  // [n_once + n_each]
  const double* constant;
  const std::int32_t* output;  // [n_outputs] cells
  std::int32_t n_once, n_each, n_cells, n_outputs;
};

struct TapeSamples {
  std::uint32_t first;  // number of the first one, a multiple of kChunkSamples
  long count;           // first + count <= 2^32
};

// Runs a tape for each sample. Real: float, or double for exact tests.
//
// A value error where `first` is no multiple of kChunkSamples, where samples have numbers from 2^32
// on, or where segments do not end with the outputs. On CUDA an Error (cuda) for more samples than
// 32 bits count. Returns before it is done. Strict: the same bits on every backend and for any
// number of threads; a sample's are those of any request that it is part of. A sum to which a
// number that is not finite belongs is NaN, as are those of its segment. Draws as said above.
template <class Real>
struct TapeRequestOf {
  TapeSamples samples;
  Tape tape;
  std::uint64_t seed;    // below 2^56
  std::uint32_t stream;  // of the random numbers
  const Real* parameter;
  const Real* input;  // [rows, input_stride]
  long input_stride;
  // Sums of the outputs over the samples, order-free: of chunks of kChunkSamples by a fixed tree,
  // then scaled together by segments. [segments.begin[segments.count]] = [n_outputs], or null.
  Segments segments;
  Real* sum;
  Real* rows;  // [n_outputs, count] the outputs of each sample, or null
};
using TapeRequest = TapeRequestOf<float>;

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class Real>
GALLOP_HD const char* refusal(const TapeRequestOf<Real>& r) {
  if (r.samples.first % kChunkSamples != 0) {
    return "run_tape: the first sample's number is no multiple of 128";
  }
  const long most = (1L << 32) - long(r.samples.first), count = r.samples.count;
  if (count < 0 || count > most) {
    return "run_tape: numbers of samples are below 2^32; expected fewer samples";
  }
  if (r.seed > kMaxSeed) return "run_tape: the seed is too large; expected less than 2^56";
  const int n_segments = r.segments.count;
  const bool fits = n_segments >= 1 && n_segments <= kMaxSegments;
  if (r.sum != nullptr && !(fits && r.segments.begin[n_segments] == r.tape.n_outputs)) {
    return "run_tape: the segments of the sums do not end with the tape's outputs";
  }
  return nullptr;
}

template <class F>
GALLOP_HD F sigmoid(F x) {
  const F e = exp(-abs(x));
  const F large = F(1.0f) / (F(1.0f) + e);
  return select(x < F(0.0f), e * large, large);
}
template <class F>
GALLOP_HD F softplus(F x) {
  return max(x, F(0.0f)) + log(F(1.0f) + exp(-abs(x)));
}

// Calls each(f) with the function f(a, b, c) of an operation whose a, b, c are cells.
template <class F, class Each>
GALLOP_HD void with_cell_function(TapeOp op, const Each& each) {
  const auto flag = [](auto mask) GALLOP_INLINE_LAMBDA { return select(mask, F(1.0f), F(0.0f)); };
  switch (op) {
    case TapeOp::kAdd:
      return each([](F a, F b, F) GALLOP_INLINE_LAMBDA { return a + b; });
    case TapeOp::kSubtract:
      return each([](F a, F b, F) GALLOP_INLINE_LAMBDA { return a - b; });
    case TapeOp::kMultiply:
      return each([](F a, F b, F) GALLOP_INLINE_LAMBDA { return a * b; });
    case TapeOp::kDivide:
      return each([](F a, F b, F) GALLOP_INLINE_LAMBDA { return a / b; });
    case TapeOp::kFma:
      return each([](F a, F b, F c) GALLOP_INLINE_LAMBDA { return fmadd(a, b, c); });
    case TapeOp::kNegate:
      return each([](F a, F, F) GALLOP_INLINE_LAMBDA { return -a; });
    case TapeOp::kExp:
      return each([](F a, F, F) GALLOP_INLINE_LAMBDA { return exp(a); });
    case TapeOp::kLog:
      return each([](F a, F, F) GALLOP_INLINE_LAMBDA { return log(a); });
    case TapeOp::kTanh:
      return each([](F a, F, F) GALLOP_INLINE_LAMBDA { return tanh(a); });
    case TapeOp::kSin:
      return each([](F a, F, F) GALLOP_INLINE_LAMBDA { return sin(a); });
    case TapeOp::kCos:
      return each([](F a, F, F) GALLOP_INLINE_LAMBDA { return cos(a); });
    case TapeOp::kSqrt:
      return each([](F a, F, F) GALLOP_INLINE_LAMBDA { return sqrt(a); });
    case TapeOp::kAbs:
      return each([](F a, F, F) GALLOP_INLINE_LAMBDA { return abs(a); });
    case TapeOp::kSigmoid:
      return each([](F a, F, F) GALLOP_INLINE_LAMBDA { return sigmoid(a); });
    case TapeOp::kSoftplus:
      return each([](F a, F, F) GALLOP_INLINE_LAMBDA { return softplus(a); });
    case TapeOp::kMin:
      return each([](F a, F b, F) GALLOP_INLINE_LAMBDA { return min(a, b); });
    case TapeOp::kMax:
      return each([](F a, F b, F) GALLOP_INLINE_LAMBDA { return max(a, b); });
    case TapeOp::kLess:
      return each([flag](F a, F b, F) GALLOP_INLINE_LAMBDA { return flag(a < b); });
    case TapeOp::kEqual:
      return each([flag](F a, F b, F) GALLOP_INLINE_LAMBDA { return flag(a == b); });
    case TapeOp::kSelect:
      return each([](F a, F b, F c) GALLOP_INLINE_LAMBDA { return select(a != F(0.0f), b, c); });
    case TapeOp::kFloor:
      return each([](F a, F, F) GALLOP_INLINE_LAMBDA { return floor(a); });
    default:
      return;  // those that read no cell
  }
}

// The random words of samples that share blocks: `group` is word 0 of the counter.
template <class F, class Real>
GALLOP_HD PhiloxBlock<Word<F>> tape_words(const TapeRequestOf<Real>& r, const TapeInstruction& i,
                                          Word<F> group) {
  return philox<Word<F>>(group, Word<F>(r.stream), Word<F>(std::uint32_t(i.a)),
                         Word<F>(std::uint32_t(i.b)), key_low(r.seed),
                         key_high(r.seed, kRandomGraph));
}
constexpr int kTapeGroups = kChunkSamples / 4;  // blocks of random words for a chunk
template <class Real>
GALLOP_HD std::uint32_t first_group(const TapeRequestOf<Real>& r, int chunk) {
  return (r.samples.first / kChunkSamples + std::uint32_t(chunk)) * std::uint32_t(kTapeGroups);
}

// A chunk on the CPU: cells [n_cells, kChunkSamples].
template <class F, class Real>
struct TapeChunk {
  static constexpr int kW = kLanesOf<F>;

  const TapeRequestOf<Real>& r;
  Real* cells;

  GALLOP_HD Real* cell(std::int32_t k) const { return cells + long(k) * kChunkSamples; }

  GALLOP_HD void fill(Real* to, F x) const {
    for (int s = 0; s < kChunkSamples; s += kW) store_lanes(to + s, x, kW);
  }
  // Samples from n on are 0.
  GALLOP_HD void load_input(Real* to, std::int32_t row, long first, int n) const {
    const Real* const from = r.input + row * r.input_stride + first;
    for (int s = 0; s < n; s += kW) store_lanes(to + s, load_lanes(from + s, n - s, F()), kW);
    for (int s = (n + kW - 1) / kW * kW; s < kChunkSamples; s += kW) {
      store_lanes(to + s, F(0.0f), kW);
    }
  }
  void draw(const TapeInstruction& i, Real* to, int chunk) const {
    const std::uint32_t first = first_group(r, chunk);
    for (int g = 0; g < kTapeGroups; g += kW) {
      const auto words = tape_words<F>(r, i, consecutive_words<F>(first + std::uint32_t(g)));
      F x[4];
      if (i.op == TapeOp::kNormal) {
        to_normals<F>(words.word[0], words.word[1], x[0], x[1]);
        to_normals<F>(words.word[2], words.word[3], x[2], x[3]);
      } else {
        for (int k = 0; k < 4; k++) x[k] = to_uniform<F>(words.word[k]);
      }
      for (int k = 0; k < 4; k++) store_lanes(to + k * kTapeGroups + g, x[k], kW);
    }
  }
  void run(const TapeInstruction& i, int chunk, int n) const {
    Real* const to = cell(i.to);
    switch (i.op) {
      case TapeOp::kConstant:
        return fill(to, real<F>(r.tape.constant[i.a]));
      case TapeOp::kParameter:
        return fill(to, F(r.parameter[i.a]));
      case TapeOp::kInput:
        return load_input(to, i.a, long(chunk) * kChunkSamples, n);
      case TapeOp::kNormal:
      case TapeOp::kUniform:
        return draw(i, to, chunk);
      default:
        break;
    }
    const Real *const a = cell(i.a), *const b = cell(i.b), *const c = cell(i.c);
    with_cell_function<F>(i.op, [&](const auto& f) GALLOP_INLINE_LAMBDA {
      GALLOP_UNROLL(4)
      for (int s = 0; s < kChunkSamples; s += kW) {
        store_lanes(
            to + s,
            f(load_lanes(a + s, kW, F()), load_lanes(b + s, kW, F()), load_lanes(c + s, kW, F())),
            kW);
      }
    });
  }
  void run_once() const {
    for (int k = 0; k < r.tape.n_once; k++) run(r.tape.instruction[k], 0, kChunkSamples);
  }
  void run_each(int chunk, int n) const {
    const TapeInstruction* const from = r.tape.instruction + r.tape.n_once;
    for (int k = 0; k < r.tape.n_each; k++) run(from[k], chunk, n);
  }

  // The sum of the first n of a chunk: x[s] + x[s + 64], those 32 apart, then 16, 8, 4, 2 and 1.
  Real sum(const Real* x, int n) const {
    const auto at = [&](int s) GALLOP_INLINE_LAMBDA {
      return s < n ? load_lanes(x + s, n - s, F()) : F(0.0f);
    };
    Real folded[32];
    for (int s = 0; s < 32; s += kW) {
      store_lanes(folded + s, (at(s) + at(s + 64)) + (at(s + 32) + at(s + 96)), kW);
    }
    GALLOP_UNROLL(5)
    for (int half = 16; half > 0; half /= 2) {
      for (int s = 0; s < half; s++) folded[s] += folded[s + half];
    }
    return folded[0];
  }
  void store_rows(int chunk, int n) const {
    for (int k = 0; k < r.tape.n_outputs; k++) {
      __builtin_memcpy(r.rows + k * r.samples.count + long(chunk) * kChunkSamples,
                       cell(r.tape.output[k]), sizeof(Real) * std::size_t(n));
    }
  }
};

GALLOP_HD int chunk_size(const TapeSamples& samples, int chunk) {
  const long left = samples.count - long(chunk) * kChunkSamples;
  return left < kChunkSamples ? int(left) : kChunkSamples;
}
inline long tape_scratch(const Tape& tape) { return long(tape.n_cells) * kChunkSamples; }

template <class F>
void tape_chunks(const OverChunks<TapeRequest>& r) {
  const TapeChunk<F, float> on{r, r.scratch};
  on.run_once();
  for (int c = r.begin; c < r.end; c++) {
    const int n = chunk_size(r.samples, c);
    on.run_each(c, n);
    if (r.rows != nullptr) on.store_rows(c, n);
    if (r.sum == nullptr) continue;
    float* const partial = r.partial + long(c) * r.stride;
    for (int k = 0; k < r.tape.n_outputs; k++) partial[k] = on.sum(on.cell(r.tape.output[k]), n);
    float* const greatest = r.greatest + long(c) * kMaxSegments;
    for (int s = 0; s < r.segments.count; s++) {
      const int begin = r.segments.begin[s];
      greatest[s] = greatest_magnitude<F>(partial + begin, r.segments.begin[s + 1] - begin);
    }
  }
}

template <class F>
void run_tape(const TapeRequest& r, const CpuWork& on) {
  const long scratch = tape_scratch(r.tape);
  if (r.sum == nullptr) return over_chunks(r, scratch, on, tape_chunks<F>);
  sum_over_chunks<F>(r, r.segments, r.sum, scratch, on, tape_chunks<F>);
}

}  // namespace gallop::inline GALLOP_ISA
