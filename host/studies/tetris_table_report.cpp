#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/learning/sample_mean.h>
#include <gallop/host/report/report.h>
#include <gallop/host/studies/tetris_table.h>

namespace gallop {
namespace {

const char* const kScheduleNames[] = {"cross-entropy method", "cross-entropy, constant noise",
                                      "cross-entropy, decreasing noise"};

// What others reported of the game, on ten columns and twenty rows.
struct Quoted {
  const char* method;
  double lines;
  const char* source;
};
constexpr Quoted kQuoted[] = {
    {"least-squares policy iteration", 3000, "Lagoudakis, Parr and Littman 2002 (below)"},
    {"policy iteration", 3183, "Bertsekas and Ioffe 1996"},
    {"linear programming", 4274, "Farias and van Roy 2006"},
    {"natural policy gradient", 6800, "Kakade 2001 (about)"},
    {"relational reinforcement learning", 50, "Ramon and Driessens 2004 (about)"},
    {"genetic algorithm", 586103, "Boehm, Kokai and Mandl 2004"},
    {"hand-coded, another game", 631167, "Dellacherie (Fahey 2003)"},
    {"cross-entropy method", 21252, "Szita and Lorincz 2006, one run"},
    {"cross-entropy, constant noise", 72705, "Szita and Lorincz 2006, one run"},
    {"cross-entropy, decreasing noise", 348895, "Szita and Lorincz 2006, one run"}};

std::string number(double lines) { return fmt::format("{:.0f}", lines); }

std::vector<double> lines_of(const std::vector<TetrisReport>& reports) {
  std::vector<double> lines;
  for (const TetrisReport& r : reports) lines.push_back(r.lines);
  return lines;
}

double deviation(const SampleMean& m) {
  return m.count > 1 ? std::sqrt(m.sum_of_squares / double(m.count - 1)) : 0;
}

using Table = std::vector<std::vector<std::string>>;

Table table_rows(const TetrisTable& table, const Options& options) {
  Table rows;
  for (int s = 0; s < kNumTetrisSchedules; s++) {
    const std::vector<double> lines = lines_of(table.last_reports(s));
    if (lines.empty()) continue;
    const SampleMean m = sample_mean(lines);
    rows.push_back({kScheduleNames[s], number(m.mean), "learnt here",
                    fmt::format("mean of {} runs at iteration {}, deviation {:.0f}", m.count,
                                options.integer("iterations"), deviation(m))});
  }
  if (!table.played().lines.empty()) {
    const SampleMean m =
        sample_mean(std::vector<double>(table.played().lines.begin(), table.played().lines.end()));
    rows.push_back({"hand-coded (Dellacherie)", number(m.mean), "played here",
                    fmt::format("{} games, standard error {:.0f}", m.count,
                                deviation(m) / std::sqrt(double(m.count)))});
  }
  for (const Quoted& q : kQuoted) rows.push_back({q.method, number(q.lines), "quoted", q.source});
  return rows;
}

const std::vector<std::string> kHeads = {"method", "lines", "", "how"};

// Mean over the runs of log10 of what was reported, and the least and the greatest.
ChartSeries series_of(const TetrisTable& table, int schedule) {
  ChartSeries series = {kScheduleNames[schedule], {}, {}};
  series.band = "least and greatest run";
  for (const TetrisReport& at : table.reports()) {
    const double x = at.iteration;
    if (at.schedule != schedule ||
        std::find(series.x.begin(), series.x.end(), x) != series.x.end()) {
      continue;
    }
    std::vector<double> logs;
    for (const TetrisReport& r : table.reports()) {
      if (r.schedule == schedule && r.iteration == at.iteration) {
        logs.push_back(std::log10(std::max(r.lines, 0.01)));
      }
    }
    series.x.push_back(x);
    series.y.push_back(sample_mean(logs).mean);
    series.low.push_back(*std::min_element(logs.begin(), logs.end()));
    series.high.push_back(*std::max_element(logs.begin(), logs.end()));
  }
  return series;
}

std::string controller_toml(const TetrisWeights& w) {
  std::vector<std::string> features;
  for (const std::string& f : w.features) features.push_back("\"" + f + "\"");
  return fmt::format("features = [{}]\nweights = [{}]\n", fmt::join(features, ", "),
                     fmt::join(w.weights, ", "));
}

}  // namespace

std::string tetris_table_text(const TetrisTable& table, const Options& options) {
  Table rows = {kHeads};
  for (const auto& row : table_rows(table, options)) rows.push_back(row);
  std::vector<std::size_t> width(kHeads.size(), 0);
  for (const auto& row : rows) {
    for (std::size_t k = 0; k < row.size(); k++) width[k] = std::max(width[k], row[k].size());
  }
  std::string text;
  for (const auto& row : rows) {
    text += fmt::format("{:<{}}  {:>{}}  {:<{}}  {}\n", row[0], width[0], row[1], width[1], row[2],
                        width[2], row[3]);
  }
  return text;
}

void write_tetris_table(const RunFolder& folder, const TetrisTable& table, const Options& options) {
  Report report;
  report.title = "Tetris, learnt and played";
  report.subtitle =
      fmt::format("{} runs of {} iterations, {} members of one game each; {} rows; seed {}",
                  options.integer("runs"), options.integer("iterations"),
                  options.integer("population"), options.integer("rows"), options.integer("seed"));
  Chart chart = {"Lines of the mean", "log10 of lines", "iteration", {}, true};
  for (int s = 0; s < kNumTetrisSchedules; s++) chart.series.push_back(series_of(table, s));
  report.charts.push_back(std::move(chart));
  report.table.heads = kHeads;
  report.table.rows = table_rows(table, options);
  for (const std::string& name : options.names()) {
    report.configuration.emplace_back(name, options.value_text(name));
  }
  folder.write("report.html", render_report(report));
  std::string csv = "schedule,run,iteration,lines,standard_error,afterstates\n";
  for (const TetrisReport& r : table.reports()) {
    csv += fmt::format("{},{},{},{},{},{}\n", kTetrisSchedules[r.schedule], r.run, r.iteration,
                       r.lines, r.standard_error, r.scored);
  }
  folder.write("reports.csv", csv);
  csv = "method,lines,kind,how\n";
  for (const auto& row : table_rows(table, options)) {
    csv += fmt::format("\"{}\",{},{},\"{}\"\n", row[0], row[1], row[2], row[3]);
  }
  folder.write("table.csv", csv);
  for (int s = 0; s < kNumTetrisSchedules; s++) {
    for (int run = 0; run < int(table.last_reports(s).size()); run++) {
      folder.write(fmt::format("{}_{}.toml", kTetrisSchedules[s], run + 1),
                   controller_toml(table.learnt(s, run)));
    }
  }
}

}  // namespace gallop
