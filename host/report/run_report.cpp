#include <gallop/host/report/run_report.h>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>

#include <gallop/host/error.h>
#include <gallop/host/logging/metrics_log.h>
#include <gallop/host/report/policy_replay.h>
#include <gallop/host/report/report.h>

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
                       {"training time", fmt::format("{:.3f} s", result.train_seconds)}};
  if (!result.bits.empty()) rows.emplace_back("bits", result.bits);
  if (result.finished) {
    rows.emplace_back("evaluation episodes", fmt::format("{}", result.evaluation.returns.size()));
    rows.emplace_back("evaluation return", fmt::format("{:.2f} ± {:.2f}", result.evaluation.mean,
                                                       result.evaluation.std));
    rows.emplace_back("evaluation length", fmt::format("{:.1f}", result.evaluation.mean_length));
  }
  if (result.best) {
    rows.emplace_back("best evaluation during training",
                      fmt::format("{:.2f} at step {}", result.best->mean, result.best->step));
  }
  if (!result.extended.empty()) rows.emplace_back("extended", result.extended);
  if (result.nonfinite_instances > 0) {
    rows.emplace_back("instances reset, not finite", fmt::format("{}", result.nonfinite_instances));
  }
  if (result.evaluation.nonfinite > 0) {
    rows.emplace_back("episodes left out, not finite",
                      fmt::format("{}", result.evaluation.nonfinite));
  }
  return rows;
}

Report::Rows provenance_rows(const Provenance& p) {
  return {{"date", p.date},
          {"program", fmt::format("gallop {}, commit {}", p.version, p.commit)},
          {"compiler", fmt::format("{}, {}", p.compiler, p.build_type)},
          {"device", fmt::format("{}, {} threads", p.device, p.threads)},
          {"processor", fmt::format("{}, {}", p.processor, p.instructions)},
          {"system", fmt::format("{}, {}", p.host, p.system)},
          {"command", command_text(p)}};
}

}  // namespace

std::string run_notice(const RunOptions& options, const RunEnd& end, std::uint64_t steps) {
  const std::int64_t asked = options.values().integer("steps");
  const std::string done =
      fmt::format("{} of {} steps ({:.0f} %)", steps, asked,
                  std::floor(100.0 * double(steps) / double(std::max<std::int64_t>(asked, 1))));
  if (!end.result) return fmt::format("An error ended this run at {}: {}", done, end.error);
  if (end.result->reached_time_limit) {
    return fmt::format(
        "This run reached its time limit of {} s after {}. Its checkpoint is written; gallop train "
        "--resume with this folder goes on from there.",
        options.values().value_text("time_limit"), done);
  }
  if (!end.result->finished) {
    return fmt::format(
        "This run was interrupted after {}. Its checkpoint is written; gallop train --resume with "
        "this "
        "folder goes on from there.",
        done);
  }
  if (!end.result->reached_stop_return) return "";
  return fmt::format("This run ended early, after {}: an evaluation reached the mean return {}.",
                     done, options.values().value_text("stop_return"));
}

void write_run_report(const RunFolder& folder, const RunOptions& options, const RunEnd& end,
                      const Training& training, Backend& backend) {
  Report report;
  report.title = run_title(options);
  report.subtitle = fmt::format("seed {}, {}", options.seed(), backend.name());
  report.notice =
      run_notice(options, end, end.result ? end.result->steps : training.algorithm().steps());
  report.charts = metric_charts(summarise_metrics_csv(folder.file("metrics.csv"), folder.files()));
  if (end.result) {
    const TrainResult& result = *end.result;
    report.result = result_rows(result);
    if (result.finished) {
      report.replay = policy_replay(backend, options, training.algorithm().policy());
      report.figures.emplace_back("evaluation return",
                                  fmt::format("{:.1f}", result.evaluation.mean));
    }
    report.figures.emplace_back("training time", fmt::format("{:.2f} s", result.train_seconds));
    report.figures.emplace_back("environment steps", fmt::format("{}", result.steps));
  }
  for (const std::string& name : options.values().names()) {
    report.configuration.emplace_back(name, options.values().value_text(name));
  }
  report.provenance = provenance_rows(end.provenance);
  folder.write("report.html", render_report(report));
}

TrainResult run_with_report(Training& training, const RunOptions& options, const RunFolder& folder,
                            bool resumed, const TrainCallbacks& callbacks, Backend& backend,
                            const Provenance& provenance) {
  try {
    TrainResult result = training.run(folder, resumed, callbacks);
    if (!result.finished)
      write_run_report(folder, options, {result, {}, provenance}, training, backend);
    return result;
  } catch (const Error& error) {
    // A run that was not resumed after all keeps the report that it has.
    if (resumed && training.algorithm().steps() == 0) throw;
    try {
      write_run_report(folder, options, {std::nullopt, error.what(), provenance}, training,
                       backend);
    } catch (const Error&) {
      // What ended the run, a full disk for example, is what the caller has to hear of.
    }
    throw;
  }
}

}  // namespace gallop
