#include <gallop/host/report/comparison_page.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include <gallop/host/error.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/logging/metrics_log.h>
#include <gallop/host/report/report.h>
#include <gallop/host/training/train.h>

namespace gallop {
namespace {

double number_in(const JsonValue& json, const char* name) {
  const JsonValue* value = json.find(name);
  return value != nullptr ? value->number().value_or(std::nan("")) : std::nan("");
}

std::string shown(double value, const char* unit = "") {
  return std::isfinite(value) ? fmt::format("{:.2f}{}", value, unit) : "";
}

MetricsTable metrics_of(const RunFolder& folder) {
  const std::string path = folder.file("metrics.csv");
  return exists(*folder.files(), path) ? summarise_metrics_csv(path, folder.files())
                                       : MetricsTable{};
}

// The last `n` parts of a path.
std::string end_of(const std::string& path, std::size_t n) {
  std::size_t at = path.size();
  for (std::size_t k = 0; k < n && at != std::string::npos && at > 0; k++) {
    at = path.rfind('/', at - 1);
  }
  return at == std::string::npos || at == 0 ? path : path.substr(at + 1);
}

// A line of one run in the chart of its metric, which is made where there is none.
void add_line(std::vector<Chart>& charts, const Chart& from, ChartSeries series,
              const std::string& title, const std::string& label) {
  auto chart =
      std::find_if(charts.begin(), charts.end(), [&](const Chart& c) { return c.title == title; });
  if (chart == charts.end()) {
    charts.push_back({title, from.unit, from.x_label, {}});
    chart = charts.end() - 1;
  }
  series.name = label;
  chart->marked = true;
  chart->series.push_back(std::move(series));
}

// A chart for each metric: what metric_charts draws into one, the returns of episodes and of
// evaluations, stands apart here.
std::vector<Chart> charts_of(const std::vector<const RunFolder*>& folders,
                             const std::vector<ComparedRun>& runs) {
  std::vector<Chart> charts;
  for (std::size_t r = 0; r < runs.size(); r++) {
    for (const Chart& of_run : metric_charts(metrics_of(*folders[r]))) {
      for (std::size_t k = 0; k < of_run.series.size(); k++) {
        const std::string title = k == 0 ? of_run.title : metric_label("eval_return").title;
        add_line(charts, of_run, of_run.series[k], title, runs[r].label);
      }
    }
  }
  return charts;
}

// Options in which the runs differ, with the value of each run.
Report::Rows differing_options(const std::vector<ComparedRun>& runs) {
  std::vector<std::string> names;
  for (const ComparedRun& run : runs) {
    for (const std::string& name : run.options.values().names()) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  Report::Rows rows;
  for (const std::string& name : names) {
    std::set<std::string> different;
    std::string all;
    for (const ComparedRun& run : runs) {
      const bool has = run.options.values().has(name);
      const std::string value = has ? run.options.values().value_text(name) : "none";
      different.insert(value);
      all += fmt::format("{}{}: {}", all.empty() ? "" : "; ", run.label,
                         value.empty() ? "empty" : value);
    }
    if (different.size() > 1) rows.emplace_back(name, all);
  }
  return rows;
}

}  // namespace

std::vector<std::string> labels_of(const std::vector<std::string>& paths) {
  std::vector<std::string> whole;
  for (std::string path : paths) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    whole.push_back(path);
  }
  constexpr std::size_t kDeepest = 64;
  for (std::size_t n = 1; n < kDeepest; n++) {
    std::vector<std::string> labels;
    for (const std::string& path : whole) labels.push_back(end_of(path, n));
    if (std::set<std::string>(labels.begin(), labels.end()).size() == labels.size()) return labels;
  }
  return whole;
}

ComparedRun compared_run(const RunFolder& folder, const std::string& label) {
  const double none = std::nan("");
  ComparedRun run = {.label = label,
                     .options = RunOptions::from_folder(folder),
                     .seconds = none,
                     .mean = none,
                     .std = none,
                     .best = none};
  run.environment = spec_of(run.options.environment()).name;
  run.algorithm = run.options.algorithm().name;
  run.seed = run.options.seed();
  const MetricsTable metrics = metrics_of(folder);
  if (!metrics.steps.empty()) run.steps = metrics.steps.back();
  const std::vector<double> seconds = metrics.column("seconds");
  if (!seconds.empty()) run.seconds = seconds.back();
  const std::optional<std::string> result = finished_result(folder, run.options, {});
  const std::optional<JsonValue> json = result ? JsonValue::read(*result) : std::nullopt;
  if (!json) return run;
  run.finished = true;
  run.mean = number_in(*json, "eval_return_mean");
  run.std = number_in(*json, "eval_return_std");
  run.best = number_in(*json, "best_eval_return");
  run.seconds = number_in(*json, "train_seconds");
  return run;
}

std::string comparison_page(const std::vector<const RunFolder*>& folders,
                            const std::vector<ComparedRun>& runs) {
  Report report;
  report.title = fmt::format("{} runs", runs.size());
  std::string unfinished;
  report.table.heads = {"run",    "task",        "algorithm", "seed", "steps",
                        "return", "best return", "time",      "state"};
  for (const ComparedRun& run : runs) {
    if (!run.finished) unfinished += (unfinished.empty() ? "" : ", ") + run.label;
    report.table.rows.push_back(
        {run.label, run.environment, run.algorithm, fmt::format("{}", run.seed),
         fmt::format("{}", run.steps),
         run.finished ? fmt::format("{:.2f} ± {:.2f}", run.mean, run.std) : "", shown(run.best),
         shown(run.seconds, " s"), run.finished ? "finished" : "not finished"});
  }
  if (!unfinished.empty()) report.notice = "Not finished: " + unfinished + ".";
  std::set<std::string> tasks;
  for (const ComparedRun& run : runs) tasks.insert(run.environment);
  report.subtitle = fmt::format("on {}", fmt::join(tasks, ", "));
  report.charts = charts_of(folders, runs);
  report.configuration = differing_options(runs);
  report.configuration_title = "Options that differ";
  return render_report(report);
}

}  // namespace gallop
