#include <gallop/host/laboratory/report.h>

#include <fmt/format.h>

#include <cmath>

#include <gallop/host/files/json_value.h>
#include <gallop/host/report/bar_chart.h>
#include <gallop/host/report/report.h>

namespace gallop {
namespace {

// Six digits without an exponent where they suffice, lest columns widen.
std::string number(double x) { return fmt::format("{:.6g}", x); }
std::string nanoseconds(double seconds) { return fmt::format("{:.3g}", 1e9 * seconds); }
double product(const EstimatorResult& r) { return r.variance * r.cost(); }

std::string bias_text(const EstimatorResult& r) {
  return std::abs(r.bias()) < 1e4 ? fmt::format("{:+.2f}", r.bias())
                                  : fmt::format("{:+.2g}", r.bias());
}

std::vector<std::string> cells(const EstimatorResult& r, const EstimatorResult* best) {
  return {r.row->name,
          r.parameter,
          number(r.mean),
          number(r.exact),
          bias_text(r),
          r.biased     ? "biased"
          : &r == best ? "best"
                       : "",
          fmt::format("{:.4g}", r.variance),
          nanoseconds(r.cost()),
          fmt::format("{:.3g}", 1e6 * product(r)),
          fmt::format("{}", r.samples)};
}
const std::vector<std::string> kHeads = {"estimator", "parameter", "mean",     "exact",
                                         "bias/se",   "note",      "variance", "ns/sample",
                                         "var*us",    "samples"};

JsonValue to_json(const EstimatorResult& r) {
  JsonValue object;
  object["estimator"] = r.row->name;
  object["parameter"] = r.parameter;
  object["mean"] = r.mean;
  object["standard_error"] = r.standard_error;
  object["variance"] = r.variance;
  object["exact"] = r.exact;
  object["biased"] = r.biased;
  object["samples"] = r.samples;
  object["seconds"] = r.seconds;
  object["expected"] = r.expected;  // null where it is NaN
  return object;
}

std::string csv(const std::vector<EstimatorResult>& results) {
  std::string text =
      "estimator,parameter,mean,standard_error,variance,exact,expected,biased,samples,seconds\n";
  for (const EstimatorResult& r : results) {
    text += fmt::format("{},{},{},{},{},{},{},{},{},{}\n", r.row->name, r.parameter, r.mean,
                        r.standard_error, r.variance, r.exact,
                        std::isnan(r.expected) ? "" : fmt::format("{}", r.expected),
                        r.biased ? 1 : 0, r.samples, r.seconds);
  }
  return text;
}

BarChart chart_of(const std::vector<EstimatorResult>& results, const std::string& parameter,
                  bool with_cost) {
  BarChart chart;
  chart.title = with_cost ? fmt::format("Variance × cost of dU/d{}", parameter)
                          : fmt::format("Variance of dU/d{}", parameter);
  chart.unit = with_cost ? "variance × microseconds a sample" : "variance of one sample";
  chart.logarithmic = true;  // variances of estimators lie decades apart
  const EstimatorResult* best = best_estimator(results, parameter);
  for (const EstimatorResult& r : results) {
    if (r.parameter != parameter) continue;
    const double value = with_cost ? 1e6 * product(r) : r.variance;
    chart.bars.push_back({r.row->name, value, r.biased ? 1 : (with_cost && &r == best) ? 2 : 0});
  }
  chart.colours = {"unbiased", "biased by design"};
  if (with_cost) chart.colours.push_back("best unbiased");
  return chart;
}

}  // namespace

std::string estimators_jsonl(const std::vector<EstimatorResult>& results) {
  std::string text;
  for (const EstimatorResult& r : results) text += to_json(r).text() + "\n";
  return text;
}

std::string estimators_table(const LaboratoryProblem& problem,
                             const std::vector<EstimatorResult>& results) {
  std::vector<std::vector<std::string>> rows = {kHeads};
  for (const std::string& parameter : problem.parameters()) {
    const EstimatorResult* best = best_estimator(results, parameter);
    for (const EstimatorResult& r : results) {
      if (r.parameter == parameter) rows.push_back(cells(r, best));
    }
  }
  std::vector<size_t> width(kHeads.size(), 0);
  for (const auto& row : rows) {
    for (size_t k = 0; k < row.size(); k++) width[k] = std::max(width[k], row[k].size());
  }
  std::string text, parameter = kHeads[1];
  for (const auto& row : rows) {
    if (row[1] != parameter) text += "\n";
    parameter = row[1];
    std::string line;
    for (size_t k = 0; k < row.size(); k++) {
      const bool left = k < 2 || kHeads[k] == "note";
      line += left ? fmt::format("{:<{}}  ", row[k], width[k])
                   : fmt::format("{:>{}}  ", row[k], width[k]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  text += "\n";
  for (const std::string& name : problem.parameters()) {
    const EstimatorResult* best = best_estimator(results, name);
    if (best == nullptr) continue;
    text += fmt::format("best for {}: {}, the least variance x cost of the unbiased\n", name,
                        best->row->name);
  }
  if (problem.model().gamma == 1) {
    text += "gamma = 1: the discounted estimators equal gpomdp; --set gamma=0.9 adds them\n";
  }
  return text;
}

void write_estimators_report(const RunFolder& folder, const LaboratoryDescriptor& descriptor,
                             const LaboratoryProblem& problem, const Options& options,
                             const ComparisonSettings& settings,
                             const std::vector<EstimatorResult>& results) {
  Report report;
  report.title = fmt::format("Gradient estimators on {}", descriptor.name);
  report.subtitle = fmt::format("{}; {} samples, seed {}, {} threads", descriptor.summary,
                                settings.samples, settings.seed, settings.threads);
  for (const std::string& parameter : problem.parameters()) {
    const EstimatorResult* best = best_estimator(results, parameter);
    if (best != nullptr && report.figures.size() < 4) {
      report.figures.emplace_back(fmt::format("best for {}", parameter), best->row->name);
    }
    report.bars.push_back(chart_of(results, parameter, true));
    report.bars.push_back(chart_of(results, parameter, false));
  }
  report.table.heads = kHeads;
  for (const std::string& parameter : problem.parameters()) {
    const EstimatorResult* best = best_estimator(results, parameter);
    for (const EstimatorResult& r : results) {
      if (r.parameter != parameter) continue;
      report.table.rows.push_back(cells(r, best));
      report.table.rows.back().push_back(r.row->formula);
    }
  }
  report.table.heads.push_back("formula");
  report.result.emplace_back("expected return",
                             fmt::format("{:.12g}", problem.model().expected_return));
  for (const auto& [name, value] : problem.facts()) {
    report.result.emplace_back(name, fmt::format("{:.12g}", value));
  }
  for (const std::string& name : options.names()) {
    report.configuration.emplace_back(name, options.value_text(name));
  }
  folder.write("report.html", render_report(report));
  folder.write("estimators.csv", csv(results));
  folder.write("estimators.jsonl", estimators_jsonl(results));
}

}  // namespace gallop
