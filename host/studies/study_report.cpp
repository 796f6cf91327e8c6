// The figures of a study.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/options/option_value.h>
#include <gallop/host/report/chart_mark.h>
#include <gallop/host/report/heat_map.h>
#include <gallop/host/report/moving_mean.h>
#include <gallop/host/report/page.h>
#include <gallop/host/report/report.h>
#include <gallop/host/studies/study_result.h>
#include <gallop/host/studies/table_reader.h>

namespace gallop {
namespace {

constexpr int kMapWidth = 984, kMapRow = 34, kMapMargin = 52;
// The part of a grid in which some axes stand still: axis and index of the value.
using Slice = std::vector<std::pair<std::size_t, int>>;

constexpr std::size_t kMostCurves = kColours;  // of a chart

std::string x_label(const std::string& x_axis) {
  return x_axis == "seconds"      ? "training time, seconds"
         : x_axis == "iterations" ? "iterations"
                                  : "environment steps";
}

double x_of(const StudyRun& run, const std::string& x_axis, std::size_t i) {
  if (x_axis == "iterations") {
    return double(std::min<std::uint64_t>((i + 1) * run.iterations_each, run.iterations));
  }
  return x_axis == "seconds" ? (i < run.seconds.size() ? run.seconds[i] : kNoNumber) : run.x[i];
}

// The cell's label without the options that all curves of the slice share.
std::string cell_label(const Study& study, const StudyCell& cell, const Slice& slice) {
  StudyCell varying = cell;
  for (const auto& [axis, i] : slice) varying.at[axis] = -1;
  const std::string label = study_label(study, varying);
  return label.empty() ? cell.label : label;
}

// The returns of a run as its curve has them: of many iterations their moving mean over episodes.
std::vector<double> smooth_returns(const StudyRun& run) {
  return run.returns.size() < kSmoothedFrom ? run.returns : moving_mean(run.returns, run.episodes);
}

// Mean and standard error over the seeds, iteration by iteration. Where no episode of a run ended,
// its latest return stands in.
ChartSeries curve_of(const StudyResult& result, const std::string& x_axis, std::size_t cell,
                     const Slice& slice) {
  ChartSeries series;
  series.name = cell_label(result.study, result.cells[cell], slice);
  series.over_stretches = true;
  std::vector<const StudyRun*> runs;
  std::vector<std::vector<double>> returns;
  std::size_t n = 0;
  for (const StudyRun& run : result.runs) {
    if (run.cell != cell) continue;
    runs.push_back(&run);
    returns.push_back(smooth_returns(run));
    n = std::max(n, run.x.size());
  }
  std::vector<double> latest(runs.size(), kNoNumber);
  for (std::size_t i = 0; i < n; i++) {
    std::vector<double> x, y;
    for (std::size_t k = 0; k < runs.size(); k++) {
      if (i >= runs[k]->x.size()) continue;
      if (std::isfinite(returns[k][i])) latest[k] = returns[k][i];
      x.push_back(x_of(*runs[k], x_axis, i));
      y.push_back(latest[k]);
    }
    const StudyMean mean = mean_of(y);
    const double at = mean_of(x).mean;
    if (!series.x.empty() && at <= series.x.back()) break;  // the runs that got furthest have ended
    series.x.push_back(at);
    series.y.push_back(mean.mean);
    if (runs.size() < 2) continue;
    series.band = "standard error";
    series.low.push_back(mean.mean - mean.standard_error);
    series.high.push_back(mean.mean + mean.standard_error);
  }
  return series;
}

Chart curves_of(const StudyResult& result, std::size_t environment, const std::string& title,
                const std::string& x_axis, const std::vector<std::size_t>& cells,
                const Slice& slice) {
  Chart chart;
  chart.title = title;
  chart.unit = "return, " + metric_label("return").unit;
  chart.x_label = x_label(x_axis);
  chart.marked = cells.size() > 1;
  for (const std::size_t cell : cells)
    chart.series.push_back(curve_of(result, x_axis, cell, slice));
  if (const std::optional<double> threshold = result.study.environments[environment].threshold)
    chart.levels.push_back({*threshold, fmt::format("threshold {}", *threshold)});
  return chart;
}

std::string curve_cards(const StudyResult& result, std::size_t environment,
                        const std::string& title, const std::string& x_axis,
                        const std::vector<std::size_t>& cells, const Slice& slice) {
  std::string html;
  const std::size_t n_charts = (cells.size() + kMostCurves - 1) / kMostCurves;
  for (std::size_t k = 0; k < n_charts; k++) {
    const auto first = cells.begin() + std::ptrdiff_t(k * cells.size() / n_charts);
    const auto last = cells.begin() + std::ptrdiff_t((k + 1) * cells.size() / n_charts);
    const std::string part = n_charts > 1 ? fmt::format(" ({} of {})", k + 1, n_charts) : "";
    html += chart_card(curves_of(result, environment, title + part, x_axis, {first, last}, slice),
                       true);
  }
  return html;
}

std::string environment_title(const StudyResult& result, std::size_t environment) {
  for (const StudyCell& cell : result.cells) {
    if (cell.environment == environment) return spec_of(cell.options.environment()).name;
  }
  return "";
}

// The part of the grid that is drawn as curves: as the study says, else the column of the best.
Slice slice_of(const StudyResult& result, std::size_t environment) {
  const Study& study = result.study;
  Slice slice;
  if (!study.has_grid(study.environments[environment])) return slice;
  for (const TomlEntry& at : study.curves_at) {
    for (std::size_t a = 0; a < study.axes.size(); a++) {
      if (study.axes[a].option != at.name) continue;
      for (std::size_t i = 0; i < study.axes[a].values.size(); i++) {
        if (option_text(study.axes[a].values[i].value) == option_text(at.value))
          slice.emplace_back(a, int(i));
      }
    }
  }
  if (!slice.empty() || study.axes.size() < 2) return slice;
  const StudyRow* best = best_row(result, environment);
  const int column = best == nullptr ? 0 : std::max(0, result.cells[best->cell].at[0]);
  return {{0, column}};
}

std::string slice_title(const StudyResult& result, const Slice& slice) {
  std::string title;
  for (const auto& [axis, i] : slice) {
    const TomlEntry& value = result.study.axes[axis].values[std::size_t(i)];
    title += fmt::format("{}{} = {}", title.empty() ? " at " : ", ", value.name,
                         option_text(value.value));
  }
  return title;
}

std::string curves_html(const StudyResult& result, std::size_t environment) {
  const Slice slice = slice_of(result, environment);
  std::vector<std::size_t> cells;
  for (std::size_t c = 0; c < result.cells.size(); c++) {
    const StudyCell& cell = result.cells[c];
    if (cell.environment != environment) continue;
    const bool inside = std::all_of(slice.begin(), slice.end(), [&](const auto& s) {
      return cell.at[s.first] == s.second || (cell.at[s.first] < 0 && cell.variant);
    });
    if (inside) cells.push_back(c);
  }
  std::string html;
  for (const std::string& x_axis : result.study.x_axes) {
    const std::string over = result.study.x_axes.size() > 1 ? " over " + x_axis : "";
    html += curve_cards(result, environment,
                        "Learning curves on " + environment_title(result, environment) +
                            slice_title(result, slice) + over,
                        x_axis, cells, slice);
  }
  return html;
}

// A value on an axis of the grid; of one that makes policies larger, with their parameters.
std::string axis_text(const StudyResult& result, std::size_t environment, std::size_t axis, int i) {
  const StudyAxis& of = result.study.axes[axis];
  const std::string text = option_text(of.values[std::size_t(i)].value);
  if (option_key(of.option) != option_key("hidden")) return text;
  for (const StudyCell& cell : result.cells) {
    if (cell.environment != environment || cell.at[axis] != i) continue;
    return fmt::format("{} ({} parameters)", text.empty() ? "none" : text, cell.parameters);
  }
  return text;
}

// Columns are the first option of the grid, rows the second and those variants that set it
// themselves; `variant` has a map of its own where it is crossed with both.
std::string map_html(const StudyResult& result, std::size_t environment,
                     std::optional<std::size_t> variant) {
  const Study& study = result.study;
  const StudyAxis &x = study.axes[0], &y = study.axes[1];
  HeatMap map;
  map.title =
      fmt::format("{} on {}{}", score_text(study.score), environment_title(result, environment),
                  variant ? ", " + study.variants[*variant].name : "");
  map.title[0] = char(std::toupper(static_cast<unsigned char>(map.title[0])));
  map.unit = score_text(study.score);
  map.x_label = x.option;
  map.y_label = y.option;
  for (std::size_t i = 0; i < x.values.size(); i++) {
    map.columns.push_back(axis_text(result, environment, 0, int(i)));
  }
  for (std::size_t i = 0; i < y.values.size(); i++) {
    map.rows.push_back(axis_text(result, environment, 1, int(i)));
  }
  map.values.assign(map.rows.size(), std::vector<double>(map.columns.size(), kNoNumber));
  for (const StudyRow& row : result.rows) {
    const StudyCell& cell = result.cells[row.cell];
    if (cell.environment != environment || cell.at[0] < 0) continue;
    std::size_t r = std::size_t(std::max(0, cell.at[1]));
    if (cell.at[1] < 0 && !variant) {
      const std::string& name = study.variants[*cell.variant].name;
      r = std::size_t(std::find(map.rows.begin(), map.rows.end(), name) - map.rows.begin());
      if (r == map.rows.size()) {
        map.rows.push_back(name);
        map.values.emplace_back(map.columns.size(), kNoNumber);
      }
    } else if (cell.variant != variant) {
      continue;
    }
    map.values[r][std::size_t(cell.at[0])] = row.score(study.score).mean;
  }
  const int height = kMapMargin + kMapRow * int(map.rows.size());
  return card(map.title, render_heat_map(map, kMapWidth, height), true);
}

std::string maps_html(const StudyResult& result, std::size_t environment) {
  const Study& study = result.study;
  if (study.axes.size() < 2 || !study.has_grid(study.environments[environment])) return "";
  std::string html = map_html(result, environment, std::nullopt);
  for (std::size_t v = 0; v < result.study.variants.size(); v++) {
    const bool crossed = std::any_of(
        result.cells.begin(), result.cells.end(),
        [&](const StudyCell& c) { return c.variant == v && c.at[0] >= 0 && c.at[1] >= 0; });
    if (crossed) html += map_html(result, environment, v);
  }
  return html;
}

std::string explanation(const StudyResult& result) {
  const std::string spread = result.study.seeds > 1
                                 ? fmt::format(
                                       "Lines are means over {} seeds, bands and the numbers "
                                       "behind ± one standard error. ",
                                       result.study.seeds)
                                 : "One seed: there is no spread. ";
  return fmt::format(
      "<p class=\"note\">{}Returns in training are those of the episodes that ended in an "
      "iteration, actions drawn from the policy; curves of {} and more iterations are moving means "
      "over a twentieth of them, weighted by episodes. Final return: their mean over the last "
      "tenth of "
      "the iterations. Average return: over all iterations. Evaluation return: of the last policy "
      "with the most probable actions, over {} episodes.</p>\n",
      spread, kSmoothedFrom, result.cells[0].options.values().value_text("eval_episodes"));
}

}  // namespace

std::string study_report(const StudyResult& result, const std::string& device,
                         const std::vector<StudyReplay>& replays, const std::string& measured) {
  const Study& study = result.study;
  std::string body;
  if (!study.about.empty()) body += fmt::format("<p class=\"note\">{}</p>\n", escaped(study.about));
  for (const std::string& remark : study_remarks(result))
    body += fmt::format("<p class=\"note\">{}</p>\n", escaped(remark));
  body += "<div class=\"stack\">\n";
  for (std::size_t e = 0; e < study.environments.size(); e++) {
    body += maps_html(result, e) + curves_html(result, e);
    if (!replays[e].html.empty()) body += card(replays[e].title, replays[e].html, false);
  }
  body +=
      measured + table_card("All settings", study_table(result)) + "</div>\n" + explanation(result);
  const std::string subtitle =
      fmt::format("{} runs: {} settings, {} seed{} each, {}", result.runs.size(),
                  result.cells.size(), study.seeds, study.seeds == 1 ? "" : "s", device);
  return render_page(study.title.empty() ? "Study" : study.title, subtitle, body);
}

}  // namespace gallop
