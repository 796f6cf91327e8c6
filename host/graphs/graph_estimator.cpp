#include <gallop/host/graphs/graph_estimator.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <gallop/host/error.h>

namespace gallop {
namespace {

constexpr long kSumPart = 1L << 22;    // samples that are summed in one operation
constexpr long kRowFloats = 1L << 24;  // outputs of samples that are in memory at once
constexpr long kRowSamples = 1L << 18;

// Outputs that are scaled together in sums: the objective, and each parameter, as long as there are
// segments for all.
Segments segments_of(const CompiledGraph& compiled) {
  Segments segments = {};
  segments.begin[++segments.count] = 1;
  for (std::size_t k = 0; k < compiled.parameters.size(); k++) {
    const GraphVariable& parameter = compiled.parameters[k];
    if (segments.count < kMaxSegments) segments.count++;
    segments.begin[segments.count] = 1 + parameter.first + parameter.shape.size();
  }
  return segments;
}

template <class T>
DeviceArray<T> uploaded(Backend& backend, const std::vector<T>& from) {
  DeviceArray<T> array(backend, from.size());
  array.upload(from);
  return array;
}

// Moments of more samples (Chan, Golub and LeVeque 1979).
void merge(const Moments& more, Moments& all) {
  const double n = double(all.count + more.count), difference = more.mean - all.mean;
  all.mean += difference * double(more.count) / n;
  all.sum_of_squares +=
      more.sum_of_squares + difference * difference * double(all.count) * double(more.count) / n;
  all.count += more.count;
}

GraphMean mean_of(const Moments& m) {
  const double n = double(m.count);
  return {m.mean, n > 1 ? std::sqrt(m.sum_of_squares / (n - 1) / n) : 0.0};
}

// Calls body(part) for parts of a run, each of at most `size` samples.
template <class Body>
void in_parts(const GraphRun& run, long size, const Body& body) {
  for (long done = 0; done < run.samples; done += size) {
    GraphRun part = run;
    part.first_sample = std::uint32_t(run.first_sample + done);
    part.samples = std::min(size, run.samples - done);
    body(part, done);
  }
}

}  // namespace

GraphEstimator::GraphEstimator(Backend& backend, const Graph& graph)
    : backend_(backend),
      compiled_(compile(graph)),
      gradient_(load(compiled_.gradient)),
      values_(load(compiled_.values)),
      device_parameters_(backend, std::size_t(std::max(1, compiled_.n_parameters))),
      sums_(backend, compiled_.gradient.outputs.size()) {
  for (const GraphVariable& parameter : compiled_.parameters) {
    parameters_.insert(parameters_.end(), parameter.values.begin(), parameter.values.end());
  }
  set_all(std::vector<double>(parameters_));
}

GraphEstimator::Loaded GraphEstimator::load(const TapeProgram& program) {
  Loaded loaded = {uploaded(backend_, program.instructions), uploaded(backend_, program.constants),
                   uploaded(backend_, program.outputs), program.view()};
  loaded.view.instruction = loaded.instructions.data();
  loaded.view.constant = loaded.constants.data();
  loaded.view.output = loaded.outputs.data();
  return loaded;
}

void GraphEstimator::set(const std::string& name, const std::vector<double>& values) {
  const GraphVariable& parameter = compiled_.parameter(name);
  if (values.size() != std::size_t(parameter.shape.size())) {
    throw value_error(fmt::format("graph: {} values for parameter '{}', whose shape is {}",
                                  values.size(), name, shape_text(parameter.shape)));
  }
  std::vector<double> all = parameters_;
  std::copy(values.begin(), values.end(), all.begin() + parameter.first);
  set_all(all);
}

void GraphEstimator::set_all(const std::vector<double>& values) {
  if (values.size() != std::size_t(compiled_.n_parameters)) {
    throw value_error(
        fmt::format("graph: {} values for {} parameters", values.size(), compiled_.n_parameters));
  }
  for (const GraphVariable& parameter : compiled_.parameters) {
    for (int k = 0; k < parameter.shape.size(); k++) {
      const double x = values[std::size_t(parameter.first + k)];
      if (std::isfinite(float(x))) continue;
      throw value_error(
          fmt::format("graph: parameter '{}' is {}; expected a finite number", parameter.name, x));
    }
  }
  parameters_ = values;
  const std::vector<float> rounded(values.begin(), values.end());
  device_parameters_.upload(rounded.data(), rounded.size());
}

void GraphEstimator::set_input(const std::string& name, const std::vector<float>& values) {
  const GraphVariable& input = compiled_.input(name);
  const std::size_t size = std::size_t(input.shape.size());
  if (values.empty() || values.size() % size != 0) {
    throw value_error(fmt::format("graph: {} numbers for input '{}'; expected {} for each sample",
                                  values.size(), name, size));
  }
  given_[name] = values;
  inputs_changed_ = true;
}

void GraphEstimator::check(const GraphRun& run) const {
  const auto refuse = [](const std::string& text) { throw value_error("graph: " + text); };
  if (run.samples < 1) refuse(fmt::format("{} samples; expected 1 at least", run.samples));
  if (run.first_sample % kChunkSamples != 0) {
    refuse(fmt::format("the first sample is {}; expected a multiple of {}", run.first_sample,
                       kChunkSamples));
  }
  if (run.samples > (1L << 32) - long(run.first_sample)) {
    refuse(fmt::format("{} samples from number {} on; expected numbers below 2^32", run.samples,
                       run.first_sample));
  }
  if (run.seed > kMaxSeed) refuse(fmt::format("the seed is {}; expected less than 2^56", run.seed));
  for (const GraphVariable& input : compiled_.inputs) {
    const auto found = given_.find(input.name);
    if (found == given_.end()) refuse(fmt::format("the input '{}' was not given", input.name));
    const long n = long(found->second.size()) / input.shape.size();
    if (n == run.samples) continue;
    refuse(fmt::format("the input '{}' has numbers for {} samples; the run has {}", input.name, n,
                       run.samples));
  }
}

// Of a part of a run, which begins `done` samples behind the run's first.
TapeRequest GraphEstimator::request(const Loaded& tape, const GraphRun& run, long done) {
  TapeRequest r = {};
  r.samples = {run.first_sample, run.samples};
  r.tape = tape.view;
  r.seed = run.seed;
  r.stream = run.stream;
  r.parameter = device_parameters_.data();
  if (compiled_.inputs.empty()) return r;
  if (inputs_changed_) {
    std::vector<float> all;
    for (const GraphVariable& input : compiled_.inputs) {
      const std::vector<float>& given = given_[input.name];
      input_samples_ = long(given.size()) / input.shape.size();
      all.insert(all.end(), given.begin(), given.end());
    }
    inputs_ = uploaded(backend_, all);
    inputs_changed_ = false;
  }
  r.input = inputs_.data() + done;
  r.input_stride = input_samples_;
  return r;
}

GraphGradient GraphEstimator::gradient(const GraphRun& run) {
  check(run);
  std::vector<double> total(sums_.size(), 0.0);
  std::vector<float> sums(sums_.size());
  in_parts(run, kSumPart, [&](const GraphRun& part, long done) {
    TapeRequest r = request(gradient_, part, done);
    r.segments = segments_of(compiled_);
    r.sum = sums_.data();
    backend_.run_tape(r);
    sums_.download(sums.data(), sums.size());
    for (std::size_t k = 0; k < sums.size(); k++) total[k] += double(sums[k]);
  });
  for (double& x : total) {
    if (!std::isfinite(x)) refuse_non_finite(run);
    x /= double(run.samples);
  }
  return {total[0], {total.begin() + 1, total.end()}};
}

long GraphEstimator::part_size(const Loaded& tape) const {
  const long most = std::min(kRowSamples, kRowFloats / tape.view.n_outputs);
  return std::max(long(kChunkSamples), most / kChunkSamples * kChunkSamples);
}

GraphEstimate GraphEstimator::estimate(const GraphRun& run) {
  check(run);
  const long size = part_size(gradient_);
  const int n = gradient_.view.n_outputs;
  const DeviceArray<float> rows(backend_, std::size_t(std::min(size, run.samples)) * n);
  std::vector<Moments> all(std::size_t(n), Moments{});
  in_parts(run, size, [&](const GraphRun& part, long done) {
    TapeRequest r = request(gradient_, part, done);
    r.rows = rows.data();
    backend_.run_tape(r);
    const std::vector<Moments> own =
        grouped_moments(backend_, rows.data(), n, part.samples, 1, part.samples, part.samples);
    for (int k = 0; k < n; k++) merge(own[std::size_t(k)], all[std::size_t(k)]);
  });
  GraphEstimate estimate = {run.samples, mean_of(all[0]), {}};
  for (int k = 0; k < n; k++) {
    if (!std::isfinite(all[std::size_t(k)].sum_of_squares)) refuse_non_finite(run);
    if (k > 0) estimate.gradient.push_back(mean_of(all[std::size_t(k)]));
  }
  return estimate;
}

// Outputs first ... first + count - 1 of each sample of a part of a run, which begins `done`
// samples behind the run's first: [count, samples].
std::vector<float> GraphEstimator::rows(const Loaded& tape, const GraphRun& part, long done,
                                        int first, int count) {
  const std::size_t samples = std::size_t(part.samples);
  const DeviceArray<float> device_rows(backend_, samples * std::size_t(tape.view.n_outputs));
  TapeRequest r = request(tape, part, done);
  r.rows = device_rows.data();
  backend_.run_tape(r);
  std::vector<float> rows(samples * std::size_t(count));
  device_rows.download(rows.data(), rows.size(), std::size_t(first) * samples);
  return rows;
}

std::vector<float> GraphEstimator::all_rows(const Loaded& tape, const GraphRun& run, int first,
                                            int count) {
  check(run);
  std::vector<float> all(std::size_t(run.samples) * std::size_t(count));
  in_parts(run, part_size(tape), [&](const GraphRun& part, long done) {
    const std::vector<float> own = rows(tape, part, done, first, count);
    for (int k = 0; k < count; k++) {
      std::copy_n(own.begin() + k * part.samples, part.samples,
                  all.begin() + k * run.samples + done);
    }
  });
  return all;
}

std::vector<float> GraphEstimator::sample_gradients(const GraphRun& run) {
  return all_rows(gradient_, run, 0, gradient_.view.n_outputs);
}
std::vector<float> GraphEstimator::sample_values(const GraphRun& run, const std::string& node) {
  const CompiledGraph::Value& value = compiled_.node(node);
  return all_rows(values_, run, value.first, value.shape.size());
}

void GraphEstimator::refuse_non_finite(const GraphRun& run) {
  const auto refuse = [&](const std::string& what, float value, long sample) {
    throw Error(ExitCode::non_finite,
                fmt::format("graph: {} is {} in sample {} of seed {}, stream {}; expected finite "
                            "numbers",
                            what, value, run.first_sample + sample, run.seed, run.stream));
  };
  // Of the first sample in which a node is not finite, the node that is made first.
  const auto search = [&](const Loaded& tape, const auto& name_of) {
    const int n = tape.view.n_outputs;
    in_parts(run, part_size(tape), [&](const GraphRun& part, long done) {
      const std::vector<float> all = rows(tape, part, done, 0, n);
      for (long s = 0; s < part.samples; s++) {
        for (int k = 0; k < n; k++) {
          const float x = all[std::size_t(k * part.samples + s)];
          if (!std::isfinite(x)) refuse(name_of(k), x, done + s);
        }
      }
    });
  };
  search(values_, [&](int k) {
    const auto after = std::find_if(compiled_.nodes.begin(), compiled_.nodes.end(),
                                    [&](const auto& node) { return node.first > k; });
    return fmt::format("node '{}'", std::prev(after)->label);
  });
  search(gradient_, [&](int k) {
    for (const GraphVariable& parameter : compiled_.parameters) {
      const int first = 1 + parameter.first;
      if (k >= first && k < first + parameter.shape.size()) {
        return fmt::format("the derivative by '{}'", parameter.name);
      }
    }
    return std::string("the objective");
  });
  throw Error(ExitCode::non_finite, "graph: a sum over the samples is beyond what float holds");
}

}  // namespace gallop
