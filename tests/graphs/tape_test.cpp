// kernels/graphs/tape.h: the same bits for every instruction set, split and part of a run; the
// layout of random numbers; sums.
#include <gallop/kernels/graphs/tape.h>

#include <gtest/gtest.h>

#include <cmath>

#include "tests/graphs/every_operation.h"
#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

struct Case {
  TapeProgram program = every_operation();
  long count;
  std::vector<float> input;

  explicit Case(long n) : count(n) {
    Random random(3);
    for (long k = 0; k < n * kTapeInputs; k++) input.push_back(float(random.uniform(-2, 2)));
  }
  TapeRequest request() const {
    TapeRequest r = {};
    r.samples = {0, count};
    r.tape = program.view();
    r.seed = 5, r.stream = 2;
    r.parameter = kTapeParameters.data();
    r.input = input.data(), r.input_stride = count;
    const int n = r.tape.n_outputs;
    r.segments.count = 3;
    r.segments.begin[1] = 1, r.segments.begin[2] = n / 2, r.segments.begin[3] = n;
    return r;
  }
  long outputs() const { return long(program.outputs.size()); }
};

TEST(Tape, BitsDependOnNoInstructionSetAndNoSplit) {
  for (const long n : {0L, 1L, 31L, 127L, 128L, 129L, 1000L}) {
    SCOPED_TRACE(n);
    const Case c(n);
    std::vector<float> sums, rows;
    for (const KernelSet& set : kernel_sets()) {
      for (const long grain : {0L, 1L, 3L}) {
        Floats sum(c.outputs()), row(c.outputs() * n);
        TapeRequest r = c.request();
        r.sum = sum.data(), r.rows = n > 0 ? row.data() : nullptr;
        set.kernels->run_tape(r, TestWork(grain));
        if (sums.empty()) sums = sum.values(), rows = row.values();
        EXPECT_TRUE(same_bits(sums, sum.values())) << set.isa << " " << grain;
        if (n == 0) continue;
        EXPECT_TRUE(same_bits(rows, row.values())) << set.isa << " " << grain;
      }
    }
    for (long k = 0; k < c.outputs(); k++) {
      double expected = 0, magnitude = 0;
      for (long s = 0; s < n; s++) {
        expected += double(rows[std::size_t(k * n + s)]);
        magnitude += std::abs(double(rows[std::size_t(k * n + s)]));
      }
      EXPECT_NEAR(sums[std::size_t(k)], expected, 1e-6 * magnitude) << "output " << k;
    }
  }
}

TEST(Tape, ASampleHasTheBitsOfAnyRequestThatItIsPartOf) {
  const Case c(700);
  const KernelSet& set = kernel_sets().back();
  Floats all(c.outputs() * c.count), part(c.outputs() * 300);
  TapeRequest r = c.request();
  r.rows = all.data();
  set.kernels->run_tape(r, TestWork());
  r.samples = {256, 300};
  r.input += 256;
  r.rows = part.data();
  set.kernels->run_tape(r, TestWork());
  for (long k = 0; k < c.outputs(); k++) {
    EXPECT_TRUE(same_bits(all.data() + k * c.count + 256, part.data() + k * 300, 300)) << k;
  }
}

// Four samples share a block of random words.
TEST(Tape, RandomNumbersAreThoseOfSampleNodeAndComponent) {
  TapeBuilder b;
  const TapeProgram program =
      b.program({b.draw(TapeOp::kUniform, 3, 4), b.draw(TapeOp::kNormal, 6, 0)});
  TapeRequest r = {};
  r.samples = {1280, 256};
  r.tape = program.view();
  r.seed = 77, r.stream = 8;
  Floats rows(2 * 256);
  r.rows = rows.data();
  kernel_sets().back().kernels->run_tape(r, TestWork());
  for (std::uint32_t s = 1280; s < 1536; s++) {
    const std::uint32_t group = 32 * (s / 128) + s % 32, word = s / 32 % 4;
    const std::uint32_t k0 = key_low(77), k1 = key_high(77, kRandomGraph);
    const auto uniform = philox<std::uint32_t>(group, 8, 3, 4, k0, k1);
    EXPECT_EQ(rows[s - 1280], to_uniform<float>(uniform.word[word]));
    const auto normal = philox<std::uint32_t>(group, 8, 6, 0, k0, k1);
    float z[2];
    to_normals<float>(normal.word[word / 2 * 2], normal.word[word / 2 * 2 + 1], z[0], z[1]);
    EXPECT_EQ(rows[256 + s - 1280], z[word % 2]);
  }
}

TEST(Tape, ARequestThatIsWrongSaysWhy) {
  const Case c(10);
  float sum[200];
  TapeRequest r = c.request();
  EXPECT_EQ(refusal(r), nullptr);
  r.samples.first = 64;
  EXPECT_NE(refusal(r), nullptr);
  r = c.request();
  r.samples = {128, (1L << 32) - 127};
  EXPECT_NE(refusal(r), nullptr);
  r = c.request();
  r.sum = sum;
  EXPECT_EQ(refusal(r), nullptr);
  r.segments.count = 2;
  EXPECT_NE(refusal(r), nullptr);
  r = c.request();
  r.seed = kMaxSeed + 1;
  EXPECT_NE(refusal(r), nullptr);
}

// Derivatives of every operation against differences, in double.
TEST(TapeBuilder, DerivativesOfEveryOperation) {
  const TapeOp unary[] = {TapeOp::kNegate,  TapeOp::kExp,     TapeOp::kLog,  TapeOp::kTanh,
                          TapeOp::kSin,     TapeOp::kCos,     TapeOp::kSqrt, TapeOp::kAbs,
                          TapeOp::kSigmoid, TapeOp::kSoftplus};
  const TapeOp more[] = {TapeOp::kAdd, TapeOp::kSubtract, TapeOp::kMultiply, TapeOp::kDivide,
                         TapeOp::kFma, TapeOp::kMin,      TapeOp::kMax,      TapeOp::kSelect};
  std::vector<TapeOp> all(std::begin(unary), std::end(unary));
  all.insert(all.end(), std::begin(more), std::end(more));
  for (const TapeOp op : all) {
    TapeBuilder b;
    const int x[] = {b.read(TapeOp::kParameter, 0), b.read(TapeOp::kParameter, 1),
                     b.read(TapeOp::kParameter, 2)};
    // Read twice, so that derivatives are added.
    const int f = b.add(b.apply(op, x[0], x[1], x[2]), b.multiply(x[0], x[0]));
    std::vector<int> outputs = {f};
    for (const int by : b.gradient(f, {x[0], x[1], x[2]})) outputs.push_back(by);
    const TapeProgram program = b.program(outputs);
    const auto at = [&](std::vector<double> p) {
      TapeRequestOf<double> r = {};
      r.samples = {0, 1};
      r.tape = program.view();
      r.parameter = p.data();
      std::vector<double> cells(std::size_t(program.n_cells) * kChunkSamples);
      const TapeChunk<double, double> chunk{r, cells.data()};
      chunk.run_once();
      chunk.run_each(0, 1);
      std::vector<double> values;
      for (const int k : program.outputs) values.push_back(cells[std::size_t(k) * kChunkSamples]);
      return values;
    };
    const std::vector<double> point = {0.8, 1.7, -0.6};
    const std::vector<double> found = at(point);
    for (int d = 0; d < 3; d++) {
      std::vector<double> above = point, below = point;
      above[std::size_t(d)] += 1e-5, below[std::size_t(d)] -= 1e-5;
      EXPECT_NEAR(found[std::size_t(1 + d)], (at(above)[0] - at(below)[0]) / 2e-5, 1e-8)
          << "operation " << int(op) << " by " << d;
    }
  }
}

TEST(TapeBuilder, EqualExpressionsAreOneAndWhatNoOutputNeedsIsLeftOut) {
  TapeBuilder b;
  const int p = b.read(TapeOp::kParameter, 0), z = b.draw(TapeOp::kNormal, 0, 0);
  EXPECT_EQ(b.multiply(p, z), b.multiply(p, z));
  EXPECT_EQ(b.multiply(z, b.constant(1)), z);
  EXPECT_EQ(b.add(b.constant(2), b.constant(3)), b.constant(5));
  b.apply(TapeOp::kExp, z);  // for nobody
  const TapeProgram program = b.program({b.add(b.multiply(p, p), b.held(z))});
  EXPECT_EQ(program.n_once, 2);                // p and p p
  EXPECT_EQ(program.instructions.size(), 4u);  // and z, and the sum
}

}  // namespace
}  // namespace gallop::testing
