// Tapes in double, one sample at a time: what exact tests compare with.
#pragma once

#include <cstddef>
#include <vector>

#include <gallop/host/graphs/graph_estimator.h>
#include <gallop/kernels/graphs/tape.h>

namespace gallop::testing {

// The outputs of each sample, [n_outputs, samples], of a tape without inputs.
inline std::vector<double> double_rows(const TapeProgram& program,
                                       const std::vector<double>& parameters, const GraphRun& run) {
  TapeRequestOf<double> r = {};
  r.samples = {run.first_sample, run.samples};
  r.tape = program.view();
  r.seed = run.seed;
  r.stream = run.stream;
  r.parameter = parameters.data();
  std::vector<double> rows(program.outputs.size() * std::size_t(run.samples));
  r.rows = rows.data();
  std::vector<double> cells(std::size_t(program.n_cells) * kChunkSamples);
  const TapeChunk<double, double> on{r, cells.data()};
  on.run_once();
  for (int c = 0; c < chunk_count(run.samples); c++) {
    const int n = chunk_size(r.samples, c);
    on.run_each(c, n);
    on.store_rows(c, n);
  }
  return rows;
}

inline std::vector<double> parameters_of(const CompiledGraph& graph) {
  std::vector<double> all;
  for (const GraphVariable& parameter : graph.parameters) {
    all.insert(all.end(), parameter.values.begin(), parameter.values.end());
  }
  return all;
}

// The gradient [D] and values of nodes of each sample, in double.
class DoubleSamples {
 public:
  DoubleSamples(const Graph& graph, const GraphRun& run)
      : samples_(std::size_t(run.samples)), compiled_(compile(graph)) {
    const std::vector<double> parameters = parameters_of(compiled_);
    gradient_ = double_rows(compiled_.gradient, parameters, run);
    values_ = double_rows(compiled_.values, parameters, run);
  }
  const CompiledGraph& compiled() const { return compiled_; }
  double gradient(int d, std::size_t sample) const {
    return gradient_[std::size_t(1 + d) * samples_ + sample];
  }
  double value(const std::string& node, std::size_t sample, int component = 0) const {
    return values_[std::size_t(compiled_.node(node).first + component) * samples_ + sample];
  }

 private:
  std::size_t samples_;
  CompiledGraph compiled_;
  std::vector<double> gradient_, values_;
};

}  // namespace gallop::testing
