// Estimates a graph's objective and its gradient on a backend.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <gallop/host/graphs/compiled_graph.h>
#include <gallop/host/runtime/backend.h>

namespace gallop {

// Which samples: numbers first_sample ... first_sample + samples - 1 of a stream of a seed. A
// sample draws the same numbers in whatever run it is.
struct GraphRun {
  long samples = 10000;            // up to 2^32
  std::uint64_t seed = 1;          // below 2^56
  std::uint32_t stream = 0;        // 0, 1, 2, ... for one gradient after another
  std::uint32_t first_sample = 0;  // a multiple of 128
};

// Means over samples.
struct GraphGradient {
  double objective = 0;
  std::vector<double> gradient;  // [D], all parameters in the order of their declaration
};
struct GraphMean {
  double mean = 0, standard_error = 0;
};
struct GraphEstimate {
  long samples = 0;
  GraphMean objective;
  std::vector<GraphMean> gradient;  // [D]
};

// Runs the tapes of a compiled graph. The backend has to outlive it. One caller at a time. All of
// it has the same bits on every backend and for any number of threads; all methods wait.
class GraphEstimator {
 public:
  // Throws as compile() does.
  GraphEstimator(Backend& backend, const Graph& graph);

  const CompiledGraph& compiled() const { return compiled_; }

  // The parameter's values from here on, by rows. A usage error for a name that is none, a value
  // error for another number of values or one that is not finite.
  void set(const std::string& parameter, const std::vector<double>& values);
  // All parameters [D], in the order of their declaration.
  void set_all(const std::vector<double>& values);
  const std::vector<double>& parameters() const { return parameters_; }
  // Data [size, samples], a component's numbers one after another. Every input has to be given
  // before a run, for as many samples as that has.
  void set_input(const std::string& input, const std::vector<float>& values);

  // The objective's gradient by one pass over the samples, in float. An Error (non_finite) that
  // names node and sample where a number is not finite and reaches the objective or the gradient.
  GraphGradient gradient(const GraphRun& run);
  // The same with standard errors; takes passes over the outputs of each sample besides.
  GraphEstimate estimate(const GraphRun& run);
  // Of each sample: the objective, then the gradient, [1 + D, samples].
  std::vector<float> sample_gradients(const GraphRun& run);
  // Of each sample: a named node's components by rows, [size, samples].
  std::vector<float> sample_values(const GraphRun& run, const std::string& node);

 private:
  struct Loaded {  // a tape in the backend's memory
    DeviceArray<TapeInstruction> instructions;
    DeviceArray<double> constants;
    DeviceArray<std::int32_t> outputs;
    Tape view;
  };
  Loaded load(const TapeProgram& program);
  TapeRequest request(const Loaded& tape, const GraphRun& run, long done);
  void check(const GraphRun& run) const;
  // Samples of a run whose outputs are in memory at once.
  long part_size(const Loaded& tape) const;
  std::vector<float> rows(const Loaded& tape, const GraphRun& part, long done, int first,
                          int count);
  std::vector<float> all_rows(const Loaded& tape, const GraphRun& run, int first, int count);
  [[noreturn]] void refuse_non_finite(const GraphRun& run);

  Backend& backend_;
  CompiledGraph compiled_;
  Loaded gradient_, values_;
  std::vector<double> parameters_;
  DeviceArray<float> device_parameters_, inputs_, sums_;
  std::map<std::string, std::vector<float>> given_;
  bool inputs_changed_ = true;
  long input_samples_ = 0;
};

}  // namespace gallop
