#include <gallop/host/report/report.h>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include <gallop/host/report/page.h>

namespace gallop {
namespace {

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
    {"fitness_mean", "Fitness of the members", "mean return, shifted"},
    {"fitness_spread", "Spread of the fitness", "standard deviation"},
    {"constant", "Members all equal", "1 where nothing was learnt"},
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
// Of a population: the mean is drawn with a band from the worst member to the best.
constexpr std::string_view kMean = "fitness_mean", kWorst = "fitness_worst", kBest = "fitness_best";

// Numbers that not every iteration has: those of episodes that ended in it, and of evaluations.
constexpr std::string_view kOfEpisodes[] = {"return", "length"};

size_t rank_of(std::string_view name) {
  const auto* found = std::find_if(std::begin(kKnown), std::end(kKnown),
                                   [&](const auto& m) { return name == m.name; });
  return static_cast<size_t>(found - std::begin(kKnown));
}

bool is_of_episodes(std::string_view name) {
  return std::find(std::begin(kOfEpisodes), std::end(kOfEpisodes), name) != std::end(kOfEpisodes);
}

// The column of a metric as a line. Iterations in which no episode ended, or without an evaluation,
// are no gaps: its line joins those around them, and the moving mean counts episodes.
ChartSeries series_of(const MetricsTable& metrics, const std::string& name) {
  ChartSeries series;
  series.name = metric_label(name).title;
  if (metrics.iterations_each > 1) {
    series.name += fmt::format(", means of {} iterations", metrics.iterations_each);
    series.band = "least to greatest";
  }
  const bool sparse = is_of_episodes(name) || name == kEvaluationReturn;
  const std::vector<double> y = metrics.column(name), low = metrics.column_of(metrics.low, name),
                            high = metrics.column_of(metrics.high, name),
                            episodes = metrics.column("episodes");
  series.over_stretches = is_of_episodes(name);
  for (size_t i = 0; i < y.size(); ++i) {
    if (sparse && std::isnan(y[i])) continue;
    series.x.push_back(static_cast<double>(metrics.steps[i]));
    series.y.push_back(y[i]);
    if (i < low.size()) series.low.push_back(low[i]);
    if (i < high.size()) series.high.push_back(high[i]);
    if (series.over_stretches && i < episodes.size()) series.weights.push_back(episodes[i]);
  }
  return series;
}

// The band of a population in place of that of stretches, which it holds.
void add_members(const MetricsTable& metrics, ChartSeries& series) {
  const bool stretches = metrics.iterations_each > 1;
  series.low = stretches ? metrics.column_of(metrics.low, kWorst) : metrics.column(kWorst);
  series.high = stretches ? metrics.column_of(metrics.high, kBest) : metrics.column(kBest);
  series.band = "worst to best member";
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

std::string charts(const std::vector<Chart>& all) {
  if (all.empty()) return "<section class=\"card\">No metrics yet.</section>\n";
  std::string html = chart_card(all.front(), true);
  if (all.size() == 1) return html;
  html += "<div class=\"grid2\">\n";
  for (size_t i = 1; i < all.size(); ++i) html += chart_card(all[i], false);
  return html + "</div>\n";
}

std::string bars(const std::vector<BarChart>& all) {
  if (all.empty()) return "";
  std::string html = "<div class=\"grid2\">\n";
  for (const BarChart& chart : all) {
    html += card(chart.title, render_bar_chart(chart, kHalfPageWidth), false);
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
  std::string html =
      fmt::format("<section class=\"card\"><h2>{}</h2>\n<table class=\"pairs\">\n", title);
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
  const bool both = std::count(names.begin(), names.end(), kReturn) > 0;
  std::vector<Chart> result;
  const auto has = [&](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const bool of_members = has(kMean) && has(kWorst) && has(kBest);
  for (const std::string& name : names) {
    if (of_members && (name == kWorst || name == kBest)) continue;
    const MetricLabel label = metric_label(name);
    ChartSeries series = series_of(metrics, name);
    if (of_members && name == kMean) add_members(metrics, series);
    if (name == kEvaluationReturn && both) {
      if (!series.x.empty()) result.front().series.push_back(std::move(series));
      continue;
    }
    result.push_back({label.title, label.unit, "environment steps", {std::move(series)}});
  }
  return result;
}

std::string render_report(const Report& report) {
  std::string body;
  if (!report.notice.empty())
    body += fmt::format("<p class=\"notice\" role=\"note\">{}</p>\n", escaped(report.notice));
  body += figures(report.figures);
  if (!report.figure.empty()) body += card(report.figure_title, report.figure, true);
  if (!report.charts.empty() || report.bars.empty()) body += charts(report.charts);
  if (!report.replay.empty()) {
    body += "<div class=\"stack\">\n" + card("An evaluation episode", report.replay, false) +
            "</div>\n";
  }
  body += bars(report.bars) + wide_table(report.table);
  body += "<div class=\"grid2\">\n" + table("Result", report.result) +
          table(report.configuration_title, report.configuration) +
          table("Provenance", report.provenance) + "</div>\n";
  return render_page(report.title, report.subtitle, body);
}

}  // namespace gallop
