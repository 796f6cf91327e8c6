// Tapes on the subject, against the CPU bit for bit: counts around a chunk, poisoned outputs, every
// order of threads, cells in shared memory and in scratch.
#include <gallop/kernels/graphs/tape.h>

#include <gallop/host/graphs/examples/example.h>
#include <gallop/host/graphs/graph_estimator.h>
#include "tests/cuda/subject.h"
#include "tests/graphs/every_operation.h"

namespace gallop::testing {
namespace {

struct Result {
  std::vector<float> sum, rows;
};

// Each output has a few poisoned numbers behind it.
Result run(Backend& backend, const TapeProgram& program, long count) {
  Numbers numbers(17);
  const auto instructions = uploaded(backend, program.instructions);
  const auto constants = uploaded(backend, program.constants);
  const auto outputs = uploaded(backend, program.outputs);
  const auto parameters = uploaded(backend, kTapeParameters);
  const auto input =
      uploaded(backend, numbers.many(std::size_t(kTapeInputs) * std::size_t(count), -2, 2));
  const std::size_t n = program.outputs.size();
  const auto sum = poisoned<float>(backend, n + 3);
  const auto rows = poisoned<float>(backend, n * std::size_t(count) + 3);
  TapeRequest r = {};
  r.samples = {384, count};
  r.tape = program.view();
  r.tape.instruction = instructions.data();
  r.tape.constant = constants.data();
  r.tape.output = outputs.data();
  r.seed = 3, r.stream = 4;
  r.parameter = parameters.data();
  r.input = input.data(), r.input_stride = count;
  r.segments.count = 2;
  r.segments.begin[1] = 1, r.segments.begin[2] = int(n);
  r.sum = sum.data(), r.rows = rows.data();
  backend.run_tape(r);
  return {sum.download(), rows.download()};
}

void expect_equal(const TapeProgram& program, long count) {
  SCOPED_TRACE(::testing::Message() << count << " samples, " << program.n_cells << " cells");
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  const Result expected = run(*cpu, program, count);
  in_every_order([&] {
    const Result found = run(*subject, program, count);
    EXPECT_TRUE(same_bits(expected.sum, found.sum));
    EXPECT_TRUE(same_bits(expected.rows, found.rows));
  });
  EXPECT_FALSE(untouched(expected.sum));
}

TEST(Tape, EveryOperationAndCountAroundAChunk) {
  const TapeProgram program = every_operation();
  for (const long count : {1L, 31L, 127L, 128L, 129L, 300L}) expect_equal(program, count);
}

TEST(Tape, CellsThatDoNotFitSharedMemoryStandInScratch) {
  const TapeProgram program = every_operation(16);
  ASSERT_GT(program.n_cells * kChunkSamples * sizeof(float), 227u * 1024);
  expect_equal(program, 200);
}

TEST(Tape, GradientsOfExamples) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  for (const char* name : {"row_5", "gpomdp", "gpomdp_mdp", "mixed"}) {
    Graph graph;
    find_graph_example(name).build(graph);
    GraphEstimator expected(*cpu, graph), found(*subject, graph);
    const GraphRun run = {.samples = 400, .seed = 2};
    EXPECT_EQ(expected.gradient(run).gradient, found.gradient(run).gradient) << name;
    EXPECT_TRUE(same_bits(expected.sample_gradients(run), found.sample_gradients(run))) << name;
  }
}

}  // namespace
}  // namespace gallop::testing
