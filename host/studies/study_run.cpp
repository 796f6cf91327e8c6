#include "host/studies/study_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "host/error.h"
#include "host/logging/metrics_log.h"
#include "host/runtime/processor.h"
#include "host/training/train.h"

namespace gallop {
namespace {

constexpr std::size_t kFinalPart = 10;  // the last tenth of the iterations

RunFolder run_folder_of(const std::string& path, const RunOptions& options, bool& resumed) {
  resumed = std::filesystem::exists(path);
  if (!resumed) return RunFolder::create(path, options.to_toml());
  RunFolder folder = RunFolder::open(path);
  RunOptions::from_toml(folder.config_toml(), folder.file("config.toml"))
      .refuse_difference(options);
  return folder;
}

double mean_of_part(const std::vector<double>& values, std::size_t first) {
  return mean_of({values.begin() + std::ptrdiff_t(first), values.end()}).mean;
}

// The numbers of a run, from its metrics alone: a run that was finished earlier gives the same
// ones.
void read_metrics(StudyRun& run, const RunFolder& folder, std::optional<double> threshold) {
  const MetricsTable table = read_metrics_csv(folder.file("metrics.csv"));
  run.returns = table.column("return");
  run.seconds = table.column("seconds");
  run.iterations = table.steps.size();
  run.steps = table.steps.empty() ? 0 : table.steps.back();
  run.x.assign(table.steps.begin(), table.steps.end());
  if (run.returns.size() != run.x.size()) run.returns.assign(run.x.size(), kNoNumber);
  for (std::size_t i = 0; threshold && i < run.returns.size(); i++) {
    if (!(run.returns[i] >= *threshold)) continue;
    run.steps_to_threshold = run.x[i];
    break;
  }
  const std::size_t n = run.returns.size();
  std::size_t first = n - std::min(n, std::max<std::size_t>(1, n / kFinalPart));
  while (first > 0 && std::isnan(mean_of_part(run.returns, first))) first--;
  run.final_return = mean_of_part(run.returns, first);
  run.average_return = mean_of_part(run.returns, 0);
}

void read_result(StudyRun& run, const std::string& json, const std::string& path) {
  try {
    const nlohmann::json result = nlohmann::json::parse(json);
    run.evaluation_return = result.at("eval_return_mean").get<double>();
    run.bits = result.at("bits").get<std::string>();
  } catch (const nlohmann::json::exception& error) {
    throw value_error(fmt::format("'{}' is not the result of a run: {}", path, error.what()));
  }
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
    const RunFolder folder = run_folder_of(study_run_path(folder_, cell, seed), options, resumed);
    std::optional<std::string> result = folder.result();
    if (!result) result = train(run, options, folder, resumed, cell.label);
    read_metrics(run, folder, study_.environments[cell.environment].threshold);
    if (result) {
      read_result(run, *result, folder.file("result.json"));
    } else {
      run.final_return = run.average_return = run.steps_to_threshold = kNoNumber;
    }
    return run;
  }

  // The result of a run that came to its end; none where it met a number that is not finite.
  std::optional<std::string> train(StudyRun& run, const RunOptions& options,
                                   const RunFolder& folder, bool resumed,
                                   const std::string& label) {
    TrainResult result;
    try {
      Training training(options, backend_);
      result = training.run(folder, resumed, training_callbacks(options, label, run.seed));
    } catch (const Error& error) {
      if (error.code() != ExitCode::non_finite) throw;
      run.failure = error.what();
      if (callbacks_.warn)
        callbacks_.warn(fmt::format("{}, seed {}: {}", label, run.seed, error.what()));
      return std::nullopt;
    }
    write_report(folder, options, result, backend_.name());
    if (!result.finished) throw Error(ExitCode::interrupted, "stopped");
    const int threads = int(options.values().integer("threads"));
    const std::string json =
        result_json(options, backend_.name(), threads > 0 ? threads : available_processors(),
                    folder.path(), result, kNoNumber, result.train_seconds);
    folder.write_result(json);
    return json;
  }

  TrainCallbacks training_callbacks(const RunOptions& options, const std::string& label,
                                    std::int64_t seed) {
    TrainCallbacks c;
    c.stop_requested = callbacks_.stop_requested;
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

void check_cells(const std::vector<StudyCell>& cells, Backend& backend) {
  for (const StudyCell& cell : cells) {
    try {
      const Training training(cell.options, backend);
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
  StudyMean m;
  double sum = 0, squares = 0;
  for (const double v : values) {
    if (!std::isfinite(v)) continue;
    m.n++;
    sum += v;
  }
  if (m.n == 0) return m;
  m.mean = sum / double(m.n);
  for (const double v : values) {
    if (std::isfinite(v)) squares += (v - m.mean) * (v - m.mean);
  }
  if (m.n > 1) m.standard_error = std::sqrt(squares / double(m.n - 1) / double(m.n));
  return m;
}

}  // namespace gallop
