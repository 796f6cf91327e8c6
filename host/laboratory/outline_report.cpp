// The outline's page.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/laboratory/outline_map.h>
#include <gallop/host/report/page.h>

namespace gallop {
namespace {

constexpr auto kSimulator = OutlineAccess::kSimulator, kEpisodes = OutlineAccess::kEpisodes;
constexpr auto kSteps = OutlineCost::kSteps, kSeconds = OutlineCost::kSeconds;
using Cells = std::vector<const OutlineCell*>;

std::string maps_html(const OutlineSettings& s, const std::vector<OutlineCell>& cells,
                      OutlineAccess access, OutlineCost cost, const std::string& title,
                      const std::string& note) {
  std::string html = fmt::format("<h2>{}</h2>\n<p class=\"note\">{}</p>\n<div class=\"grid2\">\n",
                                 escaped(title), escaped(note));
  for (const NoiseMap& panel : noise_maps_of(s, cells)) {
    const RegionMap map = region_map_of(s, panel, access, cost);
    html += card(map.title, render_region_map(map, kHalfPageWidth), false);
  }
  return html + "</div>\n";
}

double log_of(double x) { return x > 0 ? std::log10(x) : NAN; }

// A line for each family over the cells, x by `x_of` and y by `y_of` of its best estimate.
template <class X, class Y>
Chart families_chart(const OutlineSettings& s, const Cells& cells, Chart chart, const X& x_of,
                     const Y& y_of) {
  chart.marked = true;
  for (int f = 0; f < kGradientFamilies; f++) {
    ChartSeries series = {name_of(GradientFamily(f)), {}, {}};
    for (const OutlineCell* cell : cells) {
      series.x.push_back(x_of(*cell));
      series.y.push_back(
          log_of(y_of(*cell, *best_of(*cell, GradientFamily(f), kSimulator, kSteps, s.steps))));
    }
    chart.series.push_back(series);
  }
  return chart;
}

// Bias and deviation of the mean of what the budget allows, over the displacement.
Chart displacement_chart(const OutlineSettings& s, const OutlineCell& cell) {
  Chart chart = {"What a displacement costs: " + width_text(cell.width),
                 "log10 of |error| / |gradient|",
                 "log10 of the displacement",
                 {},
                 true};
  for (const char* name : {"difference_common", "evolution_common"}) {
    ChartSeries bias = {fmt::format("{}: bias", name), {}, {}};
    ChartSeries deviation = {fmt::format("{}: deviation", name), {}, {}};
    for (const OutlineEstimate& e : cell.estimates) {
      if (std::string_view(e.row->name) != name) continue;
      bias.x.push_back(log_of(e.displacement));
      deviation.x.push_back(log_of(e.displacement));
      bias.y.push_back(log_of(std::sqrt(e.squared_bias) / cell.gradient_norm));
      deviation.y.push_back(log_of(std::sqrt(e.variance * e.steps / s.steps) / cell.gradient_norm));
    }
    chart.series.push_back(bias);
    chart.series.push_back(deviation);
  }
  return chart;
}

std::string charts_html(const OutlineSettings& s, const std::vector<OutlineCell>& cells) {
  const std::vector<NoiseMap> panels = noise_maps_of(s, cells);
  const NoiseMap& panel = panels[panels.size() / 2];
  const std::size_t middle = s.horizons.size() / 2;
  const auto error = [&](const OutlineCell& cell, const OutlineEstimate& e) {
    return std::sqrt(e.squared_error(kSteps, s.steps)) / cell.gradient_norm;
  };
  const auto horizon = [](const OutlineCell& cell) { return double(cell.horizon); };
  const std::string at = ", " + noise_text(panel.first());
  std::string html = "<div class=\"grid2\">\n";
  for (std::size_t r : {std::size_t(0), panel.rows.size() - 1}) {
    const Chart chart = {"Error over the horizon, " + width_text(panel.rows[r][0]->width) + at,
                         "log10 of |error| / |gradient|",
                         "horizon, steps",
                         {}};
    html += chart_card(families_chart(s, panel.rows[r], chart, horizon, error), false);
  }
  Cells ramps;  // from the widest to the jump, by their place in the map
  for (const Cells& row : panel.rows) ramps.push_back(row[middle]);
  const auto place = [&](const OutlineCell& cell) {
    return double(std::find(ramps.begin(), ramps.end(), &cell) - ramps.begin());
  };
  html += chart_card(families_chart(s, ramps,
                                    {fmt::format("Error over the rows of the map, horizon {}{}",
                                                 s.horizons[middle], at),
                                     "log10 of |error| / |gradient|",
                                     "row of the map, from the top",
                                     {}},
                                    place, error),
                     false);
  html += chart_card(displacement_chart(s, *panel.rows.front()[middle]), false);
  html += chart_card(displacement_chart(s, *panel.rows.back()[middle]), false);
  return html + "</div>\n";
}

// Heads, then a row for each cell: the best of each family at the same steps.
std::vector<std::vector<std::string>> cell_rows(const OutlineSettings& s,
                                                const std::vector<OutlineCell>& cells) {
  std::vector<std::vector<std::string>> rows = {
      {"reward", "horizon", "policy noise", "dynamics noise", "|gradient|"}};
  for (int f = 0; f < kGradientFamilies; f++) {
    rows[0].push_back(fmt::format("{} error", short_name_of(GradientFamily(f))));
  }
  rows[0].emplace_back("PD bias");
  rows[0].emplace_back("best");
  for (const OutlineCell& cell : cells) {
    rows.push_back({width_text(cell.width), fmt::format("{}", cell.horizon),
                    fmt::format("{:g}", cell.policy_noise),
                    fmt::format("{:g}", cell.dynamics_noise), outline_number(cell.gradient_norm)});
    const OutlineEstimate* e = nullptr;
    for (int f = 0; f < kGradientFamilies; f++) {
      e = best_of(cell, GradientFamily(f), kSimulator, kSteps, s.steps);
      rows.back().push_back(relative_error(std::sqrt(e->squared_error(kSteps, s.steps)), cell));
    }
    rows.back().push_back(relative_error(std::sqrt(e->squared_bias), cell));
    rows.back().emplace_back(name_of(*best_of(cell, kSimulator, kSteps, s.steps).estimate));
  }
  return rows;
}

std::string introduction(const OutlineSettings& s, const std::vector<OutlineCell>& cells) {
  int jumps = 0, best = 0;
  for (const OutlineCell& cell : cells) {
    if (!cell.width || *cell.width > 0) continue;
    jumps++;
    const OutlineEstimate* e = best_of(cell, kSimulator, kSteps, s.steps).estimate;
    best += e->family == GradientFamily::kPathwise;
  }
  return fmt::format(
      "When more than one way to compute a policy's gradient is applicable, which is best? Each "
      "cell is a problem whose gradient by gain and exploration is known exactly: the scalar "
      "linear-quadratic system under u = -k s + sigma eps, with a prize of {:g} for states below a "
      "threshold, which is not there, begins over a ramp, or jumps. In a cell stand the family "
      "with the least error and that error, root of the mean squared error (bias included) over "
      "the length of the gradient, of the mean of as many samples as the cost allows. Each family "
      "is represented by its best estimator there, at its best displacement. A dashed frame: "
      "another family is within {:.0f} %. Where the reward jumps the pathwise derivative sees "
      "nothing of the prize and is biased, however much is sampled: with a simulator and at equal "
      "steps it is best in {} of those {} cells.",
      s.jump, 100 * (kCloseErrors - 1), best, jumps);
}

}  // namespace

void write_outline_report(const RunFolder& folder, const OutlineSettings& s,
                          const std::vector<OutlineCell>& cells) {
  std::string body = fmt::format("<p class=\"note\">{}</p>\n", escaped(introduction(s, cells)));
  body += table_card("Cells in which each family is best, at equal steps",
                     outline_counts(s, cells, kSimulator));
  body += maps_html(s, cells, kSimulator, kSteps,
                    fmt::format("With a simulator, at {:g} environment steps", s.steps),
                    "Random numbers can be held and the step can be differentiated. Differences "
                    "and evolution strategies that move one parameter at a time pay for both of "
                    "them, and would pay D / 2 times as much for D parameters; scores and "
                    "pathwise derivatives are of all parameters at once.");
  body += maps_html(s, cells, kSimulator, kSeconds,
                    fmt::format("With a simulator, at {:g} seconds of one core", s.seconds),
                    "The same by measured time of this machine.");
  body += maps_html(s, cells, kEpisodes, kSteps,
                    fmt::format("From episodes alone, at {:g} environment steps", s.steps),
                    "As on a real machine: no random numbers in common, no derivatives. Pathwise "
                    "derivatives and common random numbers are out.");
  body += charts_html(s, cells);
  body += table_card("Errors at equal steps, with a simulator", cell_rows(s, cells));
  folder.write("report.html",
               render_page("The outline: four ways to a policy's gradient",
                           fmt::format("{} problems, {} samples of each estimator, seed {}",
                                       cells.size(), s.samples, s.seed),
                           body));
  folder.write("outline.csv", outline_csv(s, cells));
  folder.write("outline.jsonl", outline_jsonl(s, cells));
}

}  // namespace gallop
