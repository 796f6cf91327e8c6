#include "host/logging/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace gallop {
namespace {

constexpr int kWideWidth = 984, kWideHeight = 330;
constexpr int kNarrowWidth = 472, kNarrowHeight = 260;

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --ink: #1b2330; --soft: #5d6878; --rule: #e3e7ec;
  --c0: #2563c9; --c1: #d9620b; --c2: #16855b; --c3: #8a3fb8; }
@media (prefers-color-scheme: dark) {
  :root { --page: #10141a; --card: #181e26; --ink: #e7ebf0; --soft: #98a4b3; --rule: #2a323d;
    --c0: #6ea8ff; --c1: #ffa057; --c2: #4fd19b; --c3: #cc94f2; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 40px 20px 60px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1032px; margin: 0 auto; }
h1 { margin: 0; font-size: 30px; line-height: 1.2; letter-spacing: -0.01em; }
h2 { margin: 0 0 8px; font-size: 15px; font-weight: 600; }
.subtitle { margin: 6px 0 28px; color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr));
  gap: 16px; margin: 0 0 16px; padding: 0; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  padding: 16px 20px; min-width: 0; }
.figures dt { color: var(--soft); font-size: 13px; }
.figures dd { margin: 2px 0 0; font-size: 24px; font-weight: 600; line-height: 1.25;
  font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere; }
.grid2 { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr));
  gap: 16px; margin: 16px 0;
  align-items: start; }
svg { display: block; width: 100%; height: auto; }
.wide { overflow-x: auto; }
.wide svg { min-width: 700px; }
svg text {
  fill: var(--soft); font-family: inherit; font-size: 12px; font-variant-numeric: tabular-nums; }
svg .legend { fill: var(--ink); }
svg .grid { stroke: var(--rule); }
svg .axis { stroke: var(--soft); }
svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
svg .faint { stroke-width: 1; opacity: 0.35; }
svg .point { stroke: none; opacity: 0; }
svg .point:hover { opacity: 1; }
.c0 { stroke: var(--c0); fill: var(--c0); } .c1 { stroke: var(--c1); fill: var(--c1); }
.c2 { stroke: var(--c2); fill: var(--c2); } .c3 { stroke: var(--c3); fill: var(--c3); }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th, td { padding: 6px 0; border-top: 1px solid var(--rule); text-align: left;
  vertical-align: top; font-weight: 400; }
tr:first-child > * { border-top: 0; }
th { color: var(--soft); padding-right: 16px; white-space: nowrap; }
td { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.columns td, .columns th { text-align: left; padding-right: 14px; white-space: nowrap; }
.columns td:last-child { white-space: normal; min-width: 190px; font-size: 13px; }
@media print { body { padding: 0; background: none; } .card { break-inside: avoid; } }
)css";

struct KnownMetric {
  const char* name;
  const char* title;
  const char* unit;
};

// In the order in which a reader looks at them.
constexpr KnownMetric kKnown[] = {
    {"return", "Return", "sum of rewards an episode"},
    {"eval_return", "Evaluation return", "sum of rewards an episode"},
    {"length", "Episode length", "steps"},
    {"episodes", "Episodes ended", "an iteration"},
    {"policy_loss", "Policy loss", ""},
    {"value_loss", "Value loss", ""},
    {"entropy", "Entropy of the policy", "nats"},
    {"kl", "KL divergence of an update", "nats"},
    {"clip_fraction", "Clipped samples", "fraction"},
    {"explained_variance", "Explained variance of the value", "fraction"},
    {"gradient_norm", "Norm of the gradient", ""},
    {"learning_rate", "Learning rate", ""},
    {"steps_per_second", "Speed", "steps/s"},
    {"seconds", "Training time", "s"},
};
constexpr std::string_view kReturn = "return";
constexpr std::string_view kEvaluationReturn = "eval_return";

size_t rank_of(std::string_view name) {
  const auto* found = std::find_if(std::begin(kKnown), std::end(kKnown),
                                   [&](const auto& m) { return name == m.name; });
  return static_cast<size_t>(found - std::begin(kKnown));
}

std::string figures(const Report::Rows& rows) {
  if (rows.empty()) return "";
  std::string html = "<dl class=\"figures\">\n";
  for (const auto& [name, value] : rows) {
    html += fmt::format("<div class=\"card\"><dt>{}</dt><dd>{}</dd></div>\n", escaped(name),
                        escaped(value));
  }
  return html + "</dl>\n";
}

std::string figure(const Chart& chart, std::string_view css_class, int width, int height) {
  return fmt::format("<section class=\"{}\"><h2>{}</h2>\n{}</section>\n", css_class,
                     escaped(chart.title), render_chart(chart, width, height));
}

std::string charts(const std::vector<Chart>& all) {
  if (all.empty()) return "<section class=\"card\">No metrics yet.</section>\n";
  std::string html = figure(all.front(), "card wide", kWideWidth, kWideHeight);
  if (all.size() == 1) return html;
  html += "<div class=\"grid2\">\n";
  for (size_t i = 1; i < all.size(); ++i)
    html += figure(all[i], "card", kNarrowWidth, kNarrowHeight);
  return html + "</div>\n";
}

std::string bars(const std::vector<BarChart>& all) {
  if (all.empty()) return "";
  std::string html = "<div class=\"grid2\">\n";
  for (const BarChart& chart : all) {
    html += fmt::format("<section class=\"card\"><h2>{}</h2>\n{}</section>\n", escaped(chart.title),
                        render_bar_chart(chart, kNarrowWidth));
  }
  return html + "</div>\n";
}

std::string wide_table(const ReportTable& table) {
  if (table.rows.empty()) return "";
  std::string html = "<section class=\"card wide\"><table class=\"columns\">\n<tr>";
  for (const std::string& head : table.heads) {
    html += fmt::format("<th scope=\"col\">{}</th>", escaped(head));
  }
  html += "</tr>\n";
  for (const std::vector<std::string>& row : table.rows) {
    html += "<tr>";
    for (const std::string& cell : row) html += fmt::format("<td>{}</td>", escaped(cell));
    html += "</tr>\n";
  }
  return html + "</table></section>\n";
}

std::string table(std::string_view title, const Report::Rows& rows) {
  if (rows.empty()) return "";
  std::string html = fmt::format("<section class=\"card\"><h2>{}</h2>\n<table>\n", title);
  for (const auto& [name, value] : rows) {
    html += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", escaped(name),
                        escaped(value));
  }
  return html + "</table></section>\n";
}

}  // namespace

MetricLabel metric_label(std::string_view name) {
  const size_t rank = rank_of(name);
  if (rank < std::size(kKnown)) return {kKnown[rank].title, kKnown[rank].unit};
  std::string title(name);
  std::replace(title.begin(), title.end(), '_', ' ');
  if (!title.empty())
    title[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(title[0])));
  return {title, ""};
}

std::vector<Chart> metric_charts(const MetricsTable& metrics) {
  std::vector<std::string> names = metrics.names;
  std::stable_sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return rank_of(a) < rank_of(b);
  });
  const std::vector<double> steps(metrics.steps.begin(), metrics.steps.end());
  const bool both = std::count(names.begin(), names.end(), kReturn) > 0;
  std::vector<Chart> result;
  for (const std::string& name : names) {
    const MetricLabel label = metric_label(name);
    ChartSeries series{label.title, steps, metrics.column(name)};
    if (name == kEvaluationReturn && both) {
      // Evaluations are rare: their points are joined over the rows between them.
      ChartSeries dense{label.title, {}, {}};
      for (size_t i = 0; i < steps.size(); ++i) {
        if (series.y[i] != series.y[i]) continue;
        dense.x.push_back(steps[i]);
        dense.y.push_back(series.y[i]);
      }
      if (!dense.x.empty()) result.front().series.push_back(std::move(dense));
      continue;
    }
    result.push_back({label.title, label.unit, "environment steps", {std::move(series)}});
  }
  return result;
}

std::string render_report(const Report& report) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  html += fmt::format("<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n",
                      escaped(report.title), kStyle);
  html += fmt::format("<h1>{}</h1>\n<p class=\"subtitle\">{}</p>\n", escaped(report.title),
                      escaped(report.subtitle));
  html += figures(report.figures);
  if (!report.charts.empty() || report.bars.empty()) html += charts(report.charts);
  html += bars(report.bars) + wide_table(report.table);
  html += "<div class=\"grid2\">\n" + table("Result", report.result) +
          table("Configuration", report.configuration) + "</div>\n";
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace gallop
