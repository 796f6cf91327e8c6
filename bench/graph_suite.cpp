#include "bench/graph_suite.h"

#include <fmt/format.h>

#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/graphs/examples/example.h>
#include <gallop/host/graphs/graph_estimator.h>
#include <gallop/host/runtime/processor.h>
#include "bench/checksum.h"
#include "bench/timer.h"

namespace gallop {
namespace {

constexpr std::size_t kLeastGradients = 3;

void check(const GraphSuite& suite) {
  if (suite.threads < 0 || suite.threads > 1024) {
    throw value_error(fmt::format("--threads is {}; expected 0 to 1024", suite.threads));
  }
  if (!(suite.seconds > 0 && suite.seconds <= 3600)) {
    throw value_error(fmt::format("--seconds is {}; expected above 0, up to 3600", suite.seconds));
  }
  if (suite.samples < 1 || suite.samples > (1L << 32)) {
    throw value_error(fmt::format("--samples is {}; expected 1 to 2^32", suite.samples));
  }
}

}  // namespace

void run_graph_suite(const GraphSuite& suite, const std::function<void(const BenchRow&)>& show) {
  check(suite);
  std::vector<GraphExample> examples;
  for (const std::string& name :
       suite.examples.empty()
           ? std::vector<std::string>{"row_1", "row_2", "row_3", "row_4", "row_5"}
           : suite.examples) {
    examples.push_back(find_graph_example(name));
  }
  const int wanted = suite.threads > 0 ? suite.threads : available_processors();
  const auto backend = make_backend(suite.device, wanted, [](const std::string&) {});
  const bool on_cpu = backend->name() == "cpu";
  const int threads = on_cpu ? wanted : 1;
  const auto clock = on_cpu && threads == 1 ? thread_seconds : wall_seconds;
  for (const GraphExample& example : examples) {
    Graph graph;
    example.build(graph);
    GraphEstimator estimator(*backend, graph);
    GraphRun run = {.samples = suite.samples};
    BenchRow row;
    row.shape = fmt::format("{}", suite.samples);
    row.name = fmt::format("graph/{}/{}", example.name, row.shape);
    row.scope = "gradient";
    row.backend = on_cpu ? std::string("cpu-") + isa_name(processor_isa()) : backend->name();
    row.threads = threads;
    row.baseline_per_second = row.peak_fraction = std::nan("");
    Checksum sum;  // of the first gradient, which warms up
    sum.add(estimator.gradient(run).gradient);
    row.checksum = sum.text();
    Rates rates;
    while (rates.seconds() < suite.seconds || rates.count() < kLeastGradients) {
      const double start = clock();
      run.stream++;
      estimator.gradient(run);
      rates.add(double(suite.samples), clock() - start);
    }
    row.per_second = rates.median();
    row.spread = rates.spread();
    show(row);
  }
}

}  // namespace gallop
