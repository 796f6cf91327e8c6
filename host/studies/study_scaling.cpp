#include <gallop/host/studies/study_scaling.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/clock.h>
#include <gallop/host/error.h>
#include <gallop/host/files/tensor_file.h>
#include <gallop/host/report/page.h>
#include <gallop/host/training/trained_policy.h>

namespace gallop {
namespace {

struct Timed {
  double seconds;
  TensorFile state;  // after all iterations
};

Timed time_iterations(const RunFolder& run, int threads, const StudyCallbacks& callbacks) {
  const std::unique_ptr<Backend> backend = make_cpu_backend(threads);
  const TrainedPolicy trained = load_learner(*backend, run, callbacks.warn);
  Timed timed = {kNoNumber, {}};
  for (int k = 0; k <= kTimedIterations; k++) {
    if (callbacks.stop_requested && callbacks.stop_requested()) {
      throw Error(ExitCode::interrupted, "stopped while iterations were timed");
    }
    const double begin = seconds_now();
    trained.algorithm->iterate();
    const double seconds = seconds_now() - begin;
    if (k > 0 && !(seconds >= timed.seconds)) timed.seconds = seconds;
  }
  trained.algorithm->save(timed.state);
  return timed;
}

void require_equal(const TensorFile& a, const TensorFile& b, const std::string& label,
                   std::int64_t threads) {
  for (const auto& [name, tensor] : a.tensors()) {
    if (b.has(name) && b.tensor(name).bytes == tensor.bytes) continue;
    throw internal_error(
        fmt::format("'{}': tensor '{}' after the timed iterations is another one with {} threads",
                    label, name, threads));
  }
}

const StudyRun* first_to_reach(const StudyResult& result, std::size_t cell) {
  for (const StudyRun& run : result.runs) {
    if (run.cell == cell && !std::isnan(run.iterations_to_threshold)) return &run;
  }
  return nullptr;
}

StudyScaling scaling_of(const StudyResult& result, const StudyRun& run, const RunFolder& folder,
                        const StudyCallbacks& callbacks) {
  StudyScaling scaling = {run.cell, {}, 0, {}};
  std::vector<double> iterations;
  for (const StudyRun& other : result.runs) {
    if (other.cell != run.cell) continue;
    scaling.seeds++;
    iterations.push_back(other.iterations_to_threshold);
  }
  scaling.iterations = mean_of(iterations);
  const StudyCell& cell = result.cells[run.cell];
  const RunFolder at =
      RunFolder::open_to_read(study_run_path(folder, cell, run.seed), folder.files());
  std::optional<TensorFile> first;
  for (const std::int64_t threads : result.study.threads) {
    Timed timed = time_iterations(at, int(threads), callbacks);
    scaling.seconds.push_back(timed.seconds);
    if (first) {
      require_equal(*first, timed.state, cell.label, threads);
    } else {
      first = std::move(timed.state);
    }
  }
  return scaling;
}

std::string environment_of(const StudyCell& cell) {
  return spec_of(cell.options.environment()).name;
}

Chart chart_of(const StudyResult& result, const std::vector<StudyScaling>& scaling,
               std::size_t environment) {
  Chart chart;
  chart.unit = "seconds";
  chart.x_label = "threads";
  chart.marked = true;
  for (const StudyScaling& s : scaling) {
    const StudyCell& cell = result.cells[s.cell];
    if (cell.environment != environment) continue;
    chart.title = fmt::format("Time to a return of {} on {} by threads",
                              result.study.environments[environment].threshold.value_or(0),
                              environment_of(cell));
    std::vector<std::pair<double, double>> points;
    for (std::size_t k = 0; k < s.seconds.size(); k++) {
      points.emplace_back(double(result.study.threads[k]), s.iterations.mean * s.seconds[k]);
    }
    std::sort(points.begin(), points.end());
    ChartSeries series;
    series.name = cell.label;
    for (const auto& [x, y] : points) {
      series.x.push_back(x);
      series.y.push_back(y);
    }
    chart.series.push_back(std::move(series));
  }
  return chart;
}

std::string table_of(const StudyResult& result, const std::vector<StudyScaling>& scaling) {
  std::string html =
      "<table class=\"numbers\">\n<thead><tr><th scope=\"col\">setting</th><th "
      "scope=\"col\">iterations to the threshold</th>";
  for (const std::int64_t threads : result.study.threads) {
    html += fmt::format("<th scope=\"col\">s an iteration, {} thread{}</th>", threads,
                        threads == 1 ? "" : "s");
  }
  html += "</tr></thead>\n<tbody>\n";
  for (const StudyScaling& s : scaling) {
    const StudyCell& cell = result.cells[s.cell];
    html += fmt::format("<tr><th scope=\"row\">{}</th><td>{} ({}/{})</td>",
                        escaped(cell.label + " on " + environment_of(cell)),
                        escaped(mean_text(s.iterations)), s.iterations.n, s.seeds);
    for (const double seconds : s.seconds) html += fmt::format("<td>{:.4g}</td>", seconds);
    html += "</tr>\n";
  }
  return html + "</tbody></table>";
}

}  // namespace

std::vector<StudyScaling> measure_scaling(const StudyResult& result, const RunFolder& folder,
                                          const StudyCallbacks& callbacks) {
  std::vector<StudyScaling> scaling;
  if (result.study.threads.empty()) return scaling;
  for (std::size_t c = 0; c < result.cells.size(); c++) {
    const StudyRun* const run = first_to_reach(result, c);
    if (run != nullptr) scaling.push_back(scaling_of(result, *run, folder, callbacks));
  }
  return scaling;
}

std::string scaling_csv(const StudyResult& result, const std::vector<StudyScaling>& scaling) {
  std::string csv =
      "environment,variant,threads,iterations,seconds_an_iteration,seconds_to_threshold\n";
  for (const StudyScaling& s : scaling) {
    const StudyCell& cell = result.cells[s.cell];
    for (std::size_t k = 0; k < s.seconds.size(); k++) {
      csv += fmt::format("{},{},{},{},{},{}\n", environment_of(cell), csv_field(cell.label),
                         result.study.threads[k], s.iterations.mean, s.seconds[k],
                         s.iterations.mean * s.seconds[k]);
    }
  }
  return csv;
}

std::string scaling_html(const StudyResult& result, const std::vector<StudyScaling>& scaling) {
  std::string html;
  for (std::size_t e = 0; e < result.study.environments.size(); e++) {
    const Chart chart = chart_of(result, scaling, e);
    if (!chart.series.empty()) html += chart_card(chart, true);
  }
  if (html.empty()) return html;
  html += card("Iterations and their time", table_of(result, scaling), true);
  return html + fmt::format(
                    "<p class=\"note\">Time is the number of iterations to the threshold, which "
                    "does not depend on threads, times the seconds of an iteration from the last "
                    "checkpoint of a run, where episodes are as long as they became: the least of "
                    "{} with each number of threads, all of which ended with the same bits.</p>\n",
                    kTimedIterations);
}

}  // namespace gallop
