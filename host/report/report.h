#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gallop/host/logging/metrics_log.h>
#include <gallop/host/report/bar_chart.h>
#include <gallop/host/report/chart.h>

namespace gallop {

// A table over the whole width: one head for each column.
struct ReportTable {
  std::vector<std::string> heads;
  std::vector<std::vector<std::string>> rows;
};

// What a reader of a report sees, from top to bottom. All texts but the replay's are plain; they
// are escaped here.
struct Report {
  using Rows = std::vector<std::pair<std::string, std::string>>;

  std::string title;        // "PPO on CartPole"
  std::string subtitle;     // "seed 1, cpu, 2 threads"
  std::string notice = {};  // above all figures: what a reader must not miss; may be empty
  Rows figures;             // the few numbers that matter: name, value
  std::string figure_title = {}, figure = {};  // over the whole width, above the charts; as HTML
  std::vector<Chart> charts;                   // the first one over the whole width
  std::vector<BarChart> bars;
  ReportTable table;
  std::string replay = {};  // of an episode, as HTML
  Rows result;              // of a finished run
  Rows configuration;
  std::string configuration_title = "Configuration";
  Rows provenance = {};  // which program computed it, when, where
};

// One HTML page that needs nothing else: inline SVG and CSS, light and dark by the reader's
// setting; scripts tell the numbers under the pointer and play the replay. Equal reports give
// equal bytes.
std::string render_report(const Report& report);

// A chart for each metric over environment steps, the returns first and in one chart; titles and
// units of the metrics that are known by name, the name itself for others.
std::vector<Chart> metric_charts(const MetricsTable& table);

// A long way to name a metric: "steps_per_second" is "Speed" in "steps/s".
struct MetricLabel {
  std::string title;
  std::string unit;
};
MetricLabel metric_label(std::string_view name);

}  // namespace gallop
