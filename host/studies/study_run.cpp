#include <gallop/host/studies/study_run.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include <gallop/host/error.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/learning/sample_mean.h>
#include <gallop/host/logging/metrics_log.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/report/run_report.h>
#include <gallop/host/runtime/processor.h>
#include <gallop/host/training/session.h>
#include <gallop/host/training/train.h>

namespace gallop {
namespace {

constexpr std::size_t kFinalPart = 10;  // the last tenth of the iterations

RunFolder run_folder_of(const RunFolder& study, const std::string& path, const RunOptions& options,
                        bool& resumed) {
  resumed = exists(*study.files(), path);
  if (!resumed) {
    return RunFolder::create(path, options.to_toml(), study.files(),
                             {.problem = options.problem_text()});
  }
  RunFolder folder = RunFolder::open(path, study.files());
  RunOptions::from_folder(folder).refuse_difference(options);
  return folder;
}

// The mean of the finite ones of some numbers, which are given one after the other.
struct RunningMean {
  double sum = 0;
  std::int64_t n = 0;
  void add(double value) {
    if (!std::isfinite(value)) return;
    sum += value;
    n++;
  }
  double mean() const { return n == 0 ? kNoNumber : sum / double(n); }
};

// Calls back with number, step and return of each iteration in a run's metrics. Returns how many
// damaged lines were left out.
std::uint64_t for_each_return(
    const RunFolder& folder,
    const std::function<void(std::uint64_t, std::uint64_t, double)>& take) {
  const File file = File::to_read(*folder.files(), folder.file("metrics.csv"));
  MetricsReader reader(file);
  const std::size_t k = reader.index_of("return");
  std::uint64_t row = 0, n_damaged = 0;
  using Next = MetricsReader::Next;
  for (Next next = reader.next(); next != Next::kEnd; next = reader.next()) {
    if (next == Next::kDamaged) {
      n_damaged++;
    } else {
      take(row++, reader.step(), k < reader.names().size() ? reader.values()[k] : kNoNumber);
    }
  }
  return n_damaged;
}

// The numbers of a run, from its metrics alone: a run that was finished earlier gives the same
// ones. Returns how many damaged lines were left out.
std::uint64_t read_metrics(StudyRun& run, const RunFolder& folder,
                           std::optional<double> threshold) {
  std::uint64_t last_finite = 0;
  RunningMean all, final_part;
  const std::uint64_t n_damaged =
      for_each_return(folder, [&](std::uint64_t row, std::uint64_t step, double value) {
        run.iterations = row + 1;
        run.steps = step;
        if (std::isfinite(value)) last_finite = row;
        all.add(value);
        if (threshold && value >= *threshold && std::isnan(run.steps_to_threshold)) {
          run.steps_to_threshold = double(step);
          run.iterations_to_threshold = double(row + 1);
        }
      });
  const std::uint64_t n = run.iterations;
  const std::uint64_t part =
      n - std::min<std::uint64_t>(n, std::max<std::uint64_t>(1, n / kFinalPart));
  const std::uint64_t first = std::min(part, last_finite);
  for_each_return(folder, [&](std::uint64_t row, std::uint64_t, double value) {
    if (row >= first) final_part.add(value);
  });
  run.final_return = final_part.mean();
  run.average_return = all.mean();

  const MetricsTable table = summarise_metrics_csv(folder.file("metrics.csv"), folder.files());
  run.returns = table.column("return");
  run.episodes = table.column("episodes");
  run.seconds = table.column("seconds");
  run.x.assign(table.steps.begin(), table.steps.end());
  run.iterations_each = table.iterations_each;
  if (run.returns.size() != run.x.size()) run.returns.assign(run.x.size(), kNoNumber);
  return n_damaged;
}

void read_result(StudyRun& run, const std::string& json, const std::string& path) {
  const std::optional<JsonValue> result = JsonValue::read(json);
  const JsonValue* mean = result ? result->find("eval_return_mean") : nullptr;
  const JsonValue* bits = result ? result->find("bits") : nullptr;
  if (mean == nullptr || !mean->number() || bits == nullptr || bits->string() == nullptr) {
    throw value_error(
        fmt::format("'{}' is not the result of a run: expected an object with the number "
                    "eval_return_mean and the text bits",
                    path));
  }
  run.evaluation_return = *mean->number();
  run.bits = *bits->string();
}

int threads_of(const RunOptions& options) {
  const int threads = int(options.values().integer("threads"));
  return threads > 0 ? threads : available_processors();
}

class Runner {
 public:
  Runner(const Study& study, const std::vector<StudyCell>& cells, const RunFolder& folder,
         Backend& backend, const StudyCallbacks& callbacks)
      : study_(study), cells_(cells), folder_(folder), backend_(backend), callbacks_(callbacks) {}

  std::vector<StudyRun> all() {
    std::vector<StudyRun> runs;
    for (std::size_t c = 0; c < cells_.size(); c++) {
      for (std::int64_t seed = 1; seed <= study_.seeds; seed++) {
        if (callbacks_.stop_requested && callbacks_.stop_requested()) {
          throw Error(ExitCode::interrupted, "stopped between two runs");
        }
        runs.push_back(one(c, seed));
        finished_++;
      }
    }
    return runs;
  }

 private:
  StudyRun one(std::size_t index, std::int64_t seed) {
    const StudyCell& cell = cells_[index];
    RunOptions options = cell.options;
    options.values().set("seed", std::to_string(seed), "study");
    StudyRun run = {};
    run.cell = index;
    run.seed = seed;
    bool resumed = false;
    const RunFolder folder =
        run_folder_of(folder_, study_run_path(folder_, cell, seed), options, resumed);
    std::optional<std::string> result = finished_result(folder, options, callbacks_.warn);
    if (!result) result = train(run, options, folder, resumed, cell.label);
    const std::uint64_t n_damaged =
        read_metrics(run, folder, study_.environments[cell.environment].threshold);
    if (n_damaged > 0 && callbacks_.warn) {
      callbacks_.warn(fmt::format("{} damaged lines of '{}' were left out", n_damaged,
                                  folder.file("metrics.csv")));
    }
    if (result) {
      read_result(run, *result, folder.file("result.json"));
    } else {
      run.final_return = run.average_return = kNoNumber;
      run.steps_to_threshold = run.iterations_to_threshold = kNoNumber;
    }
    return run;
  }

  // The result of a run that came to its end; none where it met a number that is not finite.
  std::optional<std::string> train(StudyRun& run, const RunOptions& options,
                                   const RunFolder& folder, bool resumed,
                                   const std::string& label) {
    std::optional<Training> training;
    TrainResult result;
    const Provenance provenance = provenance_of(backend_, threads_of(options), callbacks_.command);
    try {
      training.emplace(options, backend_);
      record_session(folder, provenance);
      result = run_with_report(*training, options, folder, resumed,
                               training_callbacks(options, label, run.seed), backend_, provenance);
    } catch (const Error& error) {
      if (error.code() != ExitCode::non_finite) throw;
      run.failure = error.what();
      if (callbacks_.warn)
        callbacks_.warn(fmt::format("{}, seed {}: {}", label, run.seed, error.what()));
      return std::nullopt;
    }
    if (!result.finished) throw Error(ExitCode::interrupted, "stopped");
    const std::string json =
        result_json(options, provenance, folder.path(), result, kNoNumber, result.train_seconds);
    folder.write_result(json);
    write_run_report(folder, options, {result, {}, provenance}, *training, backend_);
    return json;
  }

  TrainCallbacks training_callbacks(const RunOptions& options, const std::string& label,
                                    std::int64_t seed) {
    TrainCallbacks c;
    c.stop_requested = callbacks_.stop_requested;
    c.stop_overdue = callbacks_.stop_overdue;
    c.checkpoint_requested = callbacks_.checkpoint_requested;
    c.warn = callbacks_.warn;
    const double total = double(options.values().integer("steps"));
    const std::int64_t n_runs = std::int64_t(cells_.size()) * study_.seeds;
    if (callbacks_.progress) {
      c.progress = [this, total, n_runs, label, seed](std::uint64_t step, double, double) {
        callbacks_.progress(finished_, n_runs, label, seed, std::min(1.0, double(step) / total));
      };
    }
    return c;
  }

  const Study& study_;
  const std::vector<StudyCell>& cells_;
  const RunFolder& folder_;
  Backend& backend_;
  const StudyCallbacks& callbacks_;
  std::int64_t finished_ = 0;
};

}  // namespace

std::string study_run_path(const RunFolder& folder, const StudyCell& cell, std::int64_t seed) {
  return fmt::format("{}/{}/seed-{}", folder.path(), cell.folder, seed);
}

void check_cells(std::vector<StudyCell>& cells, Backend& backend) {
  for (StudyCell& cell : cells) {
    if (!cell.options.values().text("init_from").empty()) {
      throw value_error(
          fmt::format("'{}': init_from is {}; the runs of a study begin with policies of their own",
                      cell.label, in_quotes(cell.options.values().text("init_from"))));
    }
    try {
      const Training training(cell.options, backend);
      cell.parameters = parameter_count(training.algorithm().policy().shape);
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("'{}': {}", cell.label, error.what()));
    }
  }
}

std::vector<StudyRun> run_cells(const Study& study, const std::vector<StudyCell>& cells,
                                const RunFolder& folder, Backend& backend,
                                const StudyCallbacks& callbacks) {
  return Runner(study, cells, folder, backend, callbacks).all();
}

StudyMean mean_of(const std::vector<double>& values) {
  std::vector<double> finite;
  std::copy_if(values.begin(), values.end(), std::back_inserter(finite),
               [](double v) { return std::isfinite(v); });
  StudyMean m;
  if (finite.empty()) return m;
  const SampleMean sample = sample_mean(finite);
  m.n = sample.count;
  m.mean = sample.mean;
  if (m.n > 1) m.standard_error = std::sqrt(sample.sum_of_squares / double(m.n - 1) / double(m.n));
  return m;
}

}  // namespace gallop
