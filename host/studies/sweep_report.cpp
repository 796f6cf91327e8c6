#include <gallop/host/studies/sweep_report.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/options/option_value.h>
#include <gallop/host/report/report.h>
#include <gallop/host/studies/table_reader.h>

namespace gallop {
namespace {

constexpr std::size_t kBest = 20;  // settings in tables for people
constexpr int kWidth = 984, kHeight = 360, kTop = 44, kBottom = 320, kMargin = 70;

std::string score_text(double score) {
  return std::isfinite(score) ? fmt::format("{}", score) : "";
}

std::string state_of(const SweepSetting& s) {
  return s.failed > 0 ? "not finite" : s.given_up > 0 ? "given up" : "finished";
}

// From the best to the worst, those without a score left out.
std::vector<const SweepSetting*> ranked(const std::vector<SweepSetting>& settings) {
  std::vector<const SweepSetting*> all;
  for (const SweepSetting& s : settings) {
    if (std::isfinite(s.score)) all.push_back(&s);
  }
  std::stable_sort(all.begin(), all.end(), [](const SweepSetting* a, const SweepSetting* b) {
    return a->score > b->score;
  });
  return all;
}

// "learning_rate=0.003 gae_lambda=0.9".
std::string values_text(const OptionSweep& sweep, const SweepSetting& s, const char* between) {
  std::string text;
  for (std::size_t k = 0; k < sweep.axes.size(); k++) {
    text += fmt::format("{}{}={}", text.empty() ? "" : between, sweep.axes[k].option, s.values[k]);
  }
  return text;
}

double x_of(std::size_t axis, std::size_t n_axes) {
  return kMargin + (kWidth - 2.0 * kMargin) * double(axis) / double(n_axes - 1);
}
double y_of(double place) { return kBottom - (kBottom - kTop) * std::clamp(place, 0.0, 1.0); }

std::string label(double x, double y, const std::string& text, const char* kind = "") {
  return fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle"{}>{}</text>)", x, y, kind,
                     escaped(text)) +
         "\n";
}

std::string axis_svg(double x, const std::string& name, const std::string& low,
                     const std::string& high) {
  return fmt::format(R"(<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>)", x, kTop,
                     kBottom) +
         "\n" + label(x, kTop - 24, name, R"( class="legend")") + label(x, kTop - 8, high) +
         label(x, kBottom + 18, low);
}

// What stands in the middle of an axis of values: those between the first and the last.
std::string inner_values(const SweepAxis& axis, double x) {
  std::string svg;
  for (std::size_t k = 1; k + 1 < axis.values.size(); k++) {
    const double y = y_of(double(k) / double(axis.values.size() - 1));
    svg += fmt::format(R"(<text x="{:.1f}" y="{:.1f}">{}</text>)", x + 5, y + 4,
                       escaped(option_text(axis.values[k].value))) +
           "\n";
  }
  return svg;
}

}  // namespace

std::string parallel_coordinates(const OptionSweep& sweep,
                                 const std::vector<SweepSetting>& settings) {
  const std::vector<const SweepSetting*> all = ranked(settings);
  if (all.empty()) return "<p>No setting has a score.</p>\n";
  const double high = all.front()->score, low = all.back()->score;
  const std::size_t n = sweep.axes.size() + 1, n_best = std::max<std::size_t>(1, all.size() / 10);
  std::string svg =
      fmt::format(R"(<svg class="parallel" viewBox="0 0 {} {}" role="img">)", kWidth, kHeight) +
      "\n";
  // The best ones last, above the others.
  for (std::size_t r = all.size(); r-- > 0;) {
    const SweepSetting& s = *all[r];
    std::string path;
    for (std::size_t k = 0; k < n; k++) {
      const double place = k + 1 < n    ? place_of(sweep.axes[k], s.values[k])
                           : high > low ? (s.score - low) / (high - low)
                                        : 0.5;
      path += fmt::format("{}{:.1f} {:.1f}", k == 0 ? "M" : "L", x_of(k, n), y_of(place));
    }
    const char* kind = r < n_best ? "top c1" : s.given_up > 0 ? "given-up c7" : "c0";
    svg += fmt::format(R"(<path class="run {}" d="{}"><title>{}</title></path>)", kind, path,
                       escaped(fmt::format("setting {}, {}: score {:.6g}, {}", s.number,
                                           values_text(sweep, s, ", "), s.score, state_of(s)))) +
           "\n";
  }
  for (std::size_t k = 0; k + 1 < n; k++) {
    const SweepAxis& axis = sweep.axes[k];
    const bool listed = !axis.values.empty();
    svg +=
        axis_svg(x_of(k, n), axis.option + (axis.is_log ? ", log" : ""),
                 listed ? option_text(axis.values.front().value) : fmt::format("{:g}", axis.low),
                 listed ? option_text(axis.values.back().value) : fmt::format("{:g}", axis.high));
    if (listed) svg += inner_values(axis, x_of(k, n));
  }
  svg += axis_svg(x_of(n - 1, n), "score", fmt::format("{:.4g}", low), fmt::format("{:.4g}", high));
  return svg +
         "</svg>\n<p class=\"key c1\">The best tenth of the settings; those that were given up "
         "are grey and dashed. A line under the pointer tells its values.</p>\n";
}

std::string sweep_csv(const OptionSweep& sweep, const std::vector<SweepSetting>& settings) {
  std::string csv = "setting,generation";
  for (const SweepAxis& axis : sweep.axes) csv += "," + axis.option;
  csv += ",score,steps,given_up,failed\n";
  for (const SweepSetting& s : settings) {
    csv += fmt::format("{},{}", s.number, s.generation);
    for (const std::string& value : s.values) {
      csv += value.find_first_of(",\"\n") == std::string::npos ? "," + value
                                                               : fmt::format(",\"{}\"", value);
    }
    csv += fmt::format(",{},{},{},{}\n", score_text(s.score), s.steps, s.given_up, s.failed);
  }
  return csv;
}

JsonValue sweep_json(const OptionSweep& sweep, const std::vector<SweepSetting>& settings) {
  const auto object_of = [&](const SweepSetting& s) {
    JsonValue object;
    object["setting"] = s.number;
    object["generation"] = s.generation;
    for (std::size_t k = 0; k < sweep.axes.size(); k++) {
      object["options"][sweep.axes[k].option] = s.values[k];
    }
    object["score"] = s.score;
    object["steps"] = s.steps;
    object["given_up"] = s.given_up;
    object["failed"] = s.failed;
    return object;
  };
  JsonValue json;
  json["title"] = sweep.title;
  json["environment"] = sweep.environment;
  json["algorithm"] = sweep.algorithm;
  json["search"] = sweep.search;
  json["settings"] = JsonValue::array();
  for (const SweepSetting& s : settings) json["settings"].push_back(object_of(s));
  if (const SweepSetting* best = best_of(settings)) json["best"] = object_of(*best);
  return json;
}

std::string sweep_text(const OptionSweep& sweep, const std::vector<SweepSetting>& settings) {
  std::string text;
  const std::vector<const SweepSetting*> all = ranked(settings);
  for (std::size_t r = 0; r < std::min<std::size_t>(5, all.size()); r++) {
    text += fmt::format("{:>10.2f}  setting {:>4}  {}\n", all[r]->score, all[r]->number,
                        values_text(sweep, *all[r], " "));
  }
  return text;
}

std::string sweep_report(const OptionSweep& sweep, const std::vector<SweepSetting>& settings) {
  Report report;
  report.title = sweep.title.empty() ? sweep.algorithm + " on " + sweep.environment : sweep.title;
  report.subtitle = sweep.about.empty()
                        ? fmt::format("{} settings of {} on {}, search {}", settings.size(),
                                      sweep.algorithm, sweep.environment, sweep.search)
                        : sweep.about;
  const std::vector<const SweepSetting*> all = ranked(settings);
  std::int64_t given_up = 0;
  ChartSeries scores = {.name = "score", .x = {}, .y = {}},
              best = {.name = "best so far", .x = {}, .y = {}};
  for (const SweepSetting& s : settings) {
    given_up += s.given_up > 0 ? 1 : 0;
    if (!std::isfinite(s.score)) continue;
    for (ChartSeries* series : {&scores, &best}) series->x.push_back(double(s.number));
    scores.y.push_back(s.score);
    best.y.push_back(best.y.empty() ? s.score : std::max(best.y.back(), s.score));
  }
  report.figures = {{"settings", fmt::format("{}", settings.size())},
                    {"given up early", fmt::format("{}", given_up)}};
  if (!all.empty()) {
    report.figures.emplace_back("best score", fmt::format("{:.2f}", all.front()->score));
  }
  report.figure_title = "All settings";
  report.figure = parallel_coordinates(sweep, settings);
  report.charts.push_back({"Scores", "mean return", "setting", {scores, best}});
  report.table.heads = {"setting", "score", "state"};
  for (const SweepAxis& axis : sweep.axes) report.table.heads.push_back(axis.option);
  for (std::size_t r = 0; r < std::min(kBest, all.size()); r++) {
    const SweepSetting& s = *all[r];
    std::vector<std::string> row = {fmt::format("{}", s.number), fmt::format("{:.2f}", s.score),
                                    state_of(s)};
    row.insert(row.end(), s.values.begin(), s.values.end());
    report.table.rows.push_back(row);
  }
  report.configuration = {{"search", sweep.search},
                          {"settings", fmt::format("{}", sweep.settings)},
                          {"generation", fmt::format("{}", sweep.generation)},
                          {"steps of a run", fmt::format("{}", sweep.steps)},
                          {"seeds", fmt::format("{}", sweep.seeds)},
                          {"early stop", sweep.median_stop ? "median" : "none"}};
  for (const TomlEntry& o : sweep.options) {
    report.configuration.emplace_back(o.name, option_text(o.value));
  }
  return render_report(report);
}

}  // namespace gallop
