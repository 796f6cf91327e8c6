#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/files/json_value.h>
#include <gallop/host/report/report.h>
#include <gallop/host/studies/differences.h>

namespace gallop {
namespace {

double deviation(const DifferenceResult& r) { return std::sqrt(r.variance); }
// Of estimates as long as the gradient; not a number where nothing is known of it.
double relative(const DifferenceResult& r) { return deviation(r) / r.gradient_norm; }

const std::vector<std::string> kHeads = {"differences",   "epsilon",   "N",        "estimates",
                                         "gradient norm", "deviation", "relative", "cosine"};

std::vector<std::string> cells(const DifferenceResult& r) {
  return {name_of(r.kind),
          fmt::format("{:.4g}", r.epsilon),
          fmt::format("{}", r.samples),
          fmt::format("{}", r.estimates),
          fmt::format("{:.4g}", r.gradient_norm),
          fmt::format("{:.4g}", deviation(r)),
          fmt::format("{:.4g}", relative(r)),
          fmt::format("{:.4f}", r.cosine)};
}

bool is(const DifferenceResult& r, DifferenceKind kind, std::int64_t samples) {
  return r.kind == kind && r.samples == samples;
}

std::string series_name(DifferenceKind kind, std::int64_t samples) {
  return kind == DifferenceKind::kPlain      ? "plain"
         : kind == DifferenceKind::kAveraged ? fmt::format("averaged over {}", samples)
                                             : fmt::format("common numbers, {}", samples);
}

// `value` of each result of one kind and N over the logarithm of the width.
ChartSeries over_epsilon(const std::vector<DifferenceResult>& results, DifferenceKind kind,
                         std::int64_t samples, double (*value)(const DifferenceResult&)) {
  ChartSeries series = {series_name(kind, samples), {}, {}};
  for (const DifferenceResult& r : results) {
    if (!is(r, kind, samples)) continue;
    series.x.push_back(std::log10(r.epsilon));
    series.y.push_back(value(r));
  }
  return series;
}

double log_deviation(const DifferenceResult& r) { return std::log10(deviation(r)); }
double log_norm(const DifferenceResult& r) { return std::log10(r.gradient_norm); }
double cosine(const DifferenceResult& r) { return r.cosine; }

std::vector<Chart> charts_over_epsilon(const std::vector<DifferenceResult>& results,
                                       const std::vector<std::int64_t>& samples) {
  std::vector<Chart> charts = {
      {"Deviation of an estimate", "log10 of dU/dtheta", "log10 of epsilon", {}, true},
      {"Length of the mean of all estimates", "log10 of dU/dtheta", "log10 of epsilon", {}, true},
      {"Cosine of an estimate's angle to the gradient", "", "log10 of epsilon", {}, true}};
  double (*const values[])(const DifferenceResult&) = {log_deviation, log_norm, cosine};
  for (std::size_t c = 0; c < charts.size(); c++) {
    charts[c].series.push_back(over_epsilon(results, DifferenceKind::kPlain, 1, values[c]));
    for (const DifferenceKind kind : {DifferenceKind::kAveraged, DifferenceKind::kCommon}) {
      for (const std::int64_t n : samples) {
        charts[c].series.push_back(over_epsilon(results, kind, n, values[c]));
      }
    }
  }
  return charts;
}

// At each width: how the deviation falls with N, by averaging and with common numbers.
Chart chart_over_samples(const std::vector<DifferenceResult>& results, double epsilon) {
  Chart chart = {fmt::format("Deviation at epsilon = {:.3g}", epsilon),
                 "log10 of dU/dtheta",
                 "log10 of N, episodes of each side",
                 {},
                 true};
  for (const DifferenceKind kind : {DifferenceKind::kAveraged, DifferenceKind::kCommon}) {
    ChartSeries series = {
        kind == DifferenceKind::kCommon ? "common numbers" : "own numbers", {}, {}};
    for (const DifferenceResult& r : results) {
      if (r.kind != kind || r.epsilon != epsilon) continue;
      series.x.push_back(std::log10(double(r.samples)));
      series.y.push_back(log_deviation(r));
    }
    chart.series.push_back(series);
  }
  return chart;
}

std::string csv(const std::vector<DifferenceResult>& results) {
  std::string text = "kind,epsilon,samples,estimates,gradient_norm,variance,cosine\n";
  for (const DifferenceResult& r : results) {
    text += fmt::format("{},{},{},{},{},{},{}\n", name_of(r.kind), r.epsilon, r.samples,
                        r.estimates, r.gradient_norm, r.variance, r.cosine);
  }
  return text;
}

}  // namespace

std::string differences_jsonl(const std::vector<DifferenceResult>& results) {
  std::string text;
  for (const DifferenceResult& r : results) {
    JsonValue object;
    object["kind"] = name_of(r.kind);
    object["epsilon"] = r.epsilon;
    object["samples"] = r.samples;
    object["estimates"] = r.estimates;
    object["gradient_norm"] = r.gradient_norm;
    object["variance"] = r.variance;
    object["cosine"] = r.cosine;
    text += object.text() + "\n";
  }
  return text;
}

std::string differences_table(const std::vector<DifferenceResult>& results) {
  std::vector<std::vector<std::string>> rows = {kHeads};
  for (const DifferenceResult& r : results) rows.push_back(cells(r));
  std::vector<std::size_t> width(kHeads.size(), 0);
  for (const auto& row : rows) {
    for (std::size_t k = 0; k < row.size(); k++) width[k] = std::max(width[k], row[k].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = fmt::format("{:<{}}", row[0], width[0]);
    for (std::size_t k = 1; k < row.size(); k++) line += fmt::format("  {:>{}}", row[k], width[k]);
    text += line + "\n";
  }
  return text;
}

void write_differences_report(const RunFolder& folder, const DifferencePoint& point,
                              const DifferenceSettings& settings,
                              const std::vector<DifferenceResult>& results) {
  Report report;
  report.title = fmt::format("Finite differences on {}", point.environment);
  report.subtitle = fmt::format(
      "policy {}, {} of {} parameters; {} episodes on each side of a difference, seed {}",
      point.policy, point.learnt.size(), point.parameters.size(), settings.episodes, settings.seed);
  const std::int64_t most = settings.samples.back();
  const auto best = [&](DifferenceKind kind, std::int64_t samples) {
    double least = INFINITY;
    for (const DifferenceResult& r : results) {
      if (is(r, kind, samples)) least = std::min(least, relative(r));
    }
    return fmt::format("{:.3g}", least);
  };
  report.figures = {{"deviation / gradient, plain", best(DifferenceKind::kPlain, 1)},
                    {fmt::format("averaged over {}", most), best(DifferenceKind::kAveraged, most)},
                    {fmt::format("common numbers, {}", most), best(DifferenceKind::kCommon, most)}};
  report.charts = charts_over_epsilon(results, settings.samples);
  for (const double epsilon : settings.epsilons) {
    report.charts.push_back(chart_over_samples(results, epsilon));
  }
  report.table.heads = kHeads;
  for (const DifferenceResult& r : results) report.table.rows.push_back(cells(r));
  folder.write("report.html", render_report(report));
  folder.write("differences.csv", csv(results));
  folder.write("differences.jsonl", differences_jsonl(results));
}

}  // namespace gallop
