// What a run leaves behind for people and programs: its final object and its report.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "host/logging/metrics_log.h"
#include "host/logging/report.h"
#include "host/training/train.h"

namespace gallop {
namespace {

// "ppo on cartpole" as a title.
std::string run_title(const RunOptions& options) {
  std::string algorithm = options.algorithm().name;
  for (char& c : algorithm) c = char(std::toupper(static_cast<unsigned char>(c)));
  return algorithm + " on " + spec_of(options.environment()).name;
}

Report::Rows result_rows(const TrainResult& result) {
  Report::Rows rows = {{"environment steps", fmt::format("{}", result.steps)},
                       {"iterations", fmt::format("{}", result.iterations)},
                       {"training time", fmt::format("{:.3f} s", result.train_seconds)},
                       {"bits", result.bits}};
  if (result.finished) {
    rows.emplace_back("evaluation episodes", fmt::format("{}", result.evaluation.returns.size()));
    rows.emplace_back("evaluation return", fmt::format("{:.2f} ± {:.2f}", result.evaluation.mean,
                                                       result.evaluation.std));
    rows.emplace_back("evaluation length", fmt::format("{:.1f}", result.evaluation.mean_length));
  }
  return rows;
}

}  // namespace

std::string result_json(const RunOptions& options, const std::string& device, int threads,
                        const std::string& folder, const TrainResult& result,
                        double startup_seconds, double wall_seconds) {
  nlohmann::ordered_json json;
  json["environment"] = spec_of(options.environment()).name;
  json["algorithm"] = options.algorithm().name;
  json["seed"] = options.seed();
  json["device"] = device;
  json["threads"] = threads;
  json["mode"] = options.values().text("mode");
  json["steps"] = result.steps;
  json["iterations"] = result.iterations;
  json["reached_stop_return"] = result.reached_stop_return;
  json["startup_seconds"] = startup_seconds;
  json["train_seconds"] = result.train_seconds;
  json["wall_seconds"] = wall_seconds;
  json["eval_episodes"] = result.evaluation.returns.size();
  json["eval_return_mean"] = result.evaluation.mean;
  json["eval_return_std"] = result.evaluation.std;
  json["bits"] = result.bits;
  json["run"] = folder;
  return json.dump();
}

void write_report(const RunFolder& folder, const RunOptions& options,
                  const std::optional<TrainResult>& result, const std::string& device) {
  Report report;
  report.title = run_title(options);
  report.subtitle = fmt::format("seed {}, {}", options.seed(), device);
  report.charts = metric_charts(read_metrics_csv(folder.file("metrics.csv")));
  if (result) {
    report.result = result_rows(*result);
    report.replay = result->replay;
    if (result->finished) {
      report.figures.emplace_back("evaluation return",
                                  fmt::format("{:.1f}", result->evaluation.mean));
    }
    report.figures.emplace_back("training time", fmt::format("{:.2f} s", result->train_seconds));
    report.figures.emplace_back("environment steps", fmt::format("{}", result->steps));
  }
  for (const std::string& name : options.values().names()) {
    report.configuration.emplace_back(name, options.values().value_text(name));
  }
  atomic_write_file(folder.file("report.html"), render_report(report));
}

}  // namespace gallop
