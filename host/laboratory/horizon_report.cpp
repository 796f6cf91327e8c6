// The study of the horizon as text, numbers and page.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/files/json_value.h>
#include <gallop/host/laboratory/horizon.h>
#include <gallop/host/report/report.h>

namespace gallop {
namespace {

std::string decay_title(double decay) { return fmt::format("a - b k = {:g}", decay); }

// The names of the estimators, in their order.
std::vector<std::string> labels_of(const std::vector<HorizonResult>& results) {
  std::vector<std::string> labels;
  for (const HorizonResult& r : results) {
    if (std::find(labels.begin(), labels.end(), r.label) == labels.end()) labels.push_back(r.label);
  }
  return labels;
}

const HorizonResult& plain_of(const std::vector<HorizonResult>& results, const HorizonResult& r) {
  return *std::find_if(results.begin(), results.end(), [&](const HorizonResult& other) {
    return other.decay == r.decay && other.horizon == r.horizon && other.label == kPlainPathwise;
  });
}

// A line for each estimator over the horizon: `value` of a result, with that of the plain pathwise
// derivative beside it.
template <class Value>
Chart chart_of(const std::vector<HorizonResult>& results, double decay, const char* what,
               const char* unit, const Value& value) {
  Chart chart = {
      fmt::format("{}, {}", what, decay_title(decay)), unit, "log10 of the horizon", {}, true};
  for (const std::string& label : labels_of(results)) {
    ChartSeries series = {label, {}, {}};
    for (const HorizonResult& r : results) {
      if (r.decay != decay || r.label != label) continue;
      series.x.push_back(std::log10(r.horizon));
      series.y.push_back(value(r, plain_of(results, r)));
    }
    const bool drawn =
        std::any_of(series.y.begin(), series.y.end(), [](double y) { return std::isfinite(y); });
    if (drawn) chart.series.push_back(series);
  }
  return chart;
}

const std::vector<std::string> kHeads = {"a - b k", "horizon",  "estimator", "mean",
                                         "exact",   "bias/se",  "variance",  "deviation/|exact|",
                                         "note",    "ns/sample"};
std::vector<std::string> cells_of(const HorizonResult& r) {
  return {fmt::format("{:g}", r.decay),
          fmt::format("{}", r.horizon),
          r.label,
          fmt::format("{:.5g}", r.mean),
          fmt::format("{:.5g}", r.exact),
          fmt::format("{:+.2f}", r.standard_error > 0 ? (r.mean - r.exact) / r.standard_error : 0),
          fmt::format("{:.4g}", r.variance),
          r.exact != 0 ? fmt::format("{:.3g}", r.relative_deviation()) : "-",
          r.biased ? "biased" : "",
          fmt::format("{:.3g}", 1e9 * r.seconds / double(r.samples))};
}

std::string csv(const std::vector<HorizonResult>& results) {
  std::string text =
      "decay,horizon,estimator,biased,exact,mean,standard_error,variance,samples,seconds\n";
  for (const HorizonResult& r : results) {
    text += fmt::format("{},{},\"{}\",{},{},{},{},{},{},{}\n", r.decay, r.horizon, r.label,
                        int(r.biased), r.exact, r.mean, r.standard_error, r.variance, r.samples,
                        r.seconds);
  }
  return text;
}

}  // namespace

std::string horizon_text(const HorizonSettings& s, const std::vector<HorizonResult>& results) {
  std::string text = "variance of one sample of dU/dk\n";
  for (const double decay : s.decays) {
    text += fmt::format("\n{}\n{:<21}", decay_title(decay), "horizon");
    for (const int horizon : s.horizons) text += fmt::format(" {:>8}", horizon);
    text += "\n";
    for (const std::string& label : labels_of(results)) {
      text += fmt::format("{:<21}", label);
      bool biased = false;
      for (const HorizonResult& r : results) {
        if (r.decay != decay || r.label != label) continue;
        text += fmt::format(" {:>8.3g}", r.variance);
        biased = r.biased;
      }
      text += biased ? "  biased\n" : "\n";
    }
  }
  return text;
}

std::string horizon_jsonl(const std::vector<HorizonResult>& results) {
  std::string text;
  for (const HorizonResult& r : results) {
    JsonValue object;
    object["decay"] = r.decay;
    object["horizon"] = r.horizon;
    object["estimator"] = r.label;
    object["biased"] = r.biased;
    object["exact"] = r.exact;
    object["mean"] = r.mean;
    object["standard_error"] = r.standard_error;
    object["variance"] = r.variance;
    object["samples"] = r.samples;
    object["seconds"] = r.seconds;
    text += object.text() + "\n";
  }
  return text;
}

std::string horizon_toml(const HorizonSettings& s) {
  return fmt::format(
      "horizon = [{}]\ndecay = [{}]\ngamma = [{}]\ntail = [{}]\npolicy_noise = {}\n"
      "dynamics_noise = {}\nsamples = {}\nseed = {}\n",
      fmt::join(s.horizons, ", "), fmt::join(s.decays, ", "), fmt::join(s.gammas, ", "),
      fmt::join(s.tails, ", "), s.policy_noise, s.dynamics_noise, s.samples, s.seed);
}

void write_horizon_report(const RunFolder& folder, const HorizonSettings& s,
                          const std::vector<HorizonResult>& results) {
  Report report;
  report.title = "Pathwise derivatives over the horizon";
  report.subtitle = fmt::format("{} samples of each estimator, seed {}", s.samples, s.seed);
  const std::string about = fmt::format(
      "dU/dk of the scalar linear-quadratic system s' = 0.95 s + 0.5 u + {:g} eps' under u = -k s "
      "+ "
      "{:g} eps. A step leaves a - b k of a state, and of a derivative by it, so that variances "
      "grow "
      "with the horizon. Discounting what a derivative says of later rewards lowers them, and is "
      "biased. An exact value function behind some steps, or an exact Q function, takes what later "
      "noise adds, without bias; what is left comes from the states that are visited.",
      s.dynamics_noise, s.policy_noise);
  report.figure_title = "What is measured";
  report.figure = fmt::format("<p>{}</p>", escaped(about));
  for (const double decay : s.decays) {
    report.charts.push_back(
        chart_of(results, decay, "Variance", "log10, of one sample of dU/dk",
                 [](const auto& r, const auto&) { return std::log10(r.variance); }));
  }
  for (const double decay : s.decays) {
    report.charts.push_back(chart_of(results, decay, "Variance beside pathwise", "",
                                     [](const auto& r, const auto& plain) {
                                       const bool score = r.label == kLikelihoodRatio;
                                       return score ? NAN : r.variance / plain.variance;
                                     }));
  }
  for (const double decay : s.decays) {
    report.charts.push_back(
        chart_of(results, decay, "Distance of the mean", "log10, beside |dU/dk|",
                 [](const auto& r, const auto&) { return std::log10(r.relative_bias()); }));
  }
  report.table.heads = kHeads;
  for (const HorizonResult& r : results) report.table.rows.push_back(cells_of(r));
  folder.write("report.html", render_report(report));
  folder.write("horizon.csv", csv(results));
  folder.write("horizon.jsonl", horizon_jsonl(results));
}

}  // namespace gallop
