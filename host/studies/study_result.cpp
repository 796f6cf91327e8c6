#include <gallop/host/studies/study_result.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/logging/progress.h>

namespace gallop {
namespace {

std::string variant_name(const StudyResult& r, const StudyCell& cell) {
  return cell.variant ? r.study.variants[*cell.variant].name : "grid";
}

bool has_threshold(const Study& study) {
  return std::any_of(study.environments.begin(), study.environments.end(),
                     [](const StudyEnvironment& e) { return e.threshold.has_value(); });
}

std::string environment_name(const StudyCell& cell) {
  return spec_of(cell.options.environment()).name;
}

std::string csv_number(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }

JsonValue json_mean(const StudyMean& m) {
  JsonValue json;
  json["mean"] = m.mean;
  json["standard_error"] = m.standard_error;
  json["n"] = m.n;
  return json;
}

std::string threshold_text(const StudyRow& row) {
  if (row.steps_to_threshold.n == 0) return fmt::format("never (0/{})", row.seeds);
  return fmt::format("{} ({}/{})", short_count(row.steps_to_threshold.mean),
                     row.steps_to_threshold.n, row.seeds);
}

// Characters, not bytes.
std::size_t width_of(const std::string& utf8) {
  std::size_t n = 0;
  for (const char c : utf8) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}

// Mean of the returns within the last tenth of the first so many seconds; of the stretch that ends
// there where none ends within.
double return_at(const StudyRun& run, double seconds) {
  double sum = 0, last = kNoNumber;
  std::int64_t n = 0;
  for (std::size_t i = 0; i < run.seconds.size() && i < run.returns.size(); i++) {
    if (run.seconds[i] > seconds) break;
    if (!std::isfinite(run.returns[i])) continue;
    last = run.returns[i];
    if (run.seconds[i] < 0.9 * seconds) continue;
    sum += last;
    n++;
  }
  return n > 0 ? sum / double(n) : last;
}

}  // namespace

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

double equal_time(const std::vector<StudyCell>& cells, const std::vector<StudyRun>& runs,
                  std::size_t environment) {
  double least = kNoNumber;
  for (std::size_t c = 0; c < cells.size(); c++) {
    if (cells[c].environment != environment) continue;
    std::vector<double> seconds;
    for (const StudyRun& run : runs) {
      if (run.cell == c && run.failure.empty() && !run.seconds.empty()) {
        seconds.push_back(run.seconds.back());
      }
    }
    const double mean = mean_of(seconds).mean;
    if (!std::isnan(mean) && !(mean >= least)) least = mean;
  }
  return least;
}

StudyResult summarise(const Study& study, const std::vector<StudyCell>& cells,
                      std::vector<StudyRun> runs) {
  StudyResult result = {study, cells, std::move(runs), {}};
  for (std::size_t c = 0; c < cells.size(); c++) {
    StudyRow row = {};
    row.cell = c;
    std::vector<double> final_returns, averages, evaluations, steps, at_equal_time;
    const bool has_time = study.has_x_axis("seconds");
    const double seconds =
        has_time ? equal_time(cells, result.runs, cells[c].environment) : kNoNumber;
    for (const StudyRun& run : result.runs) {
      if (run.cell != c) continue;
      row.seeds++;
      row.failed += !run.failure.empty();
      final_returns.push_back(run.final_return);
      averages.push_back(run.average_return);
      evaluations.push_back(run.evaluation_return);
      steps.push_back(run.steps_to_threshold);
      if (has_time && run.failure.empty()) at_equal_time.push_back(return_at(run, seconds));
    }
    row.equal_time_return = mean_of(at_equal_time);
    row.final_return = mean_of(final_returns);
    row.average_return = mean_of(averages);
    row.evaluation_return = mean_of(evaluations);
    row.steps_to_threshold = mean_of(steps);
    result.rows.push_back(row);
  }
  return result;
}

const StudyRow* best_row(const StudyResult& result, std::size_t environment) {
  const StudyRow* best = nullptr;
  for (const StudyRow& row : result.rows) {
    if (result.cells[row.cell].environment != environment) continue;
    const double score = row.score(result.study.score).mean;
    if (std::isnan(score)) continue;
    if (best == nullptr || score > best->score(result.study.score).mean) best = &row;
  }
  return best;
}

std::string score_text(const std::string& score) {
  return score == "average"      ? "average return"
         : score == "evaluation" ? "evaluation return"
                                 : "final return";
}

std::string mean_text(const StudyMean& m) {
  if (m.n == 0) return "-";
  const double size = std::fabs(m.mean);
  const int digits = size >= 10 ? 1 : size >= 1 ? 2 : 4;
  const std::string mean = fmt::format("{:.{}f}", m.mean, digits);
  return m.n > 1 ? fmt::format("{} ± {:.{}f}", mean, m.standard_error, digits) : mean;
}

std::vector<std::vector<std::string>> study_table(const StudyResult& result) {
  const bool several = result.study.environments.size() > 1;
  const bool threshold = has_threshold(result.study);
  const bool failed = std::any_of(result.rows.begin(), result.rows.end(),
                                  [](const StudyRow& row) { return row.failed > 0; });
  std::vector<std::vector<std::string>> table = {{"variant"}};
  if (several) table[0].insert(table[0].begin(), "environment");
  for (const char* column : {"final return", "average return", "evaluation return"})
    table[0].emplace_back(column);
  const bool equal_times = result.study.has_x_axis("seconds");
  if (equal_times) table[0].emplace_back("return at equal time");
  if (threshold) table[0].emplace_back("steps to threshold");
  if (failed) table[0].emplace_back("not finite");
  for (const StudyRow& row : result.rows) {
    const StudyCell& cell = result.cells[row.cell];
    std::vector<std::string> line = {cell.label};
    if (several) line.insert(line.begin(), environment_name(cell));
    for (const StudyMean* m : {&row.final_return, &row.average_return, &row.evaluation_return})
      line.push_back(mean_text(*m));
    if (equal_times) line.push_back(mean_text(row.equal_time_return));
    if (threshold) {
      line.push_back(result.study.environments[cell.environment].threshold ? threshold_text(row)
                                                                           : "-");
    }
    if (failed) line.push_back(fmt::format("{}/{}", row.failed, row.seeds));
    table.push_back(std::move(line));
  }
  return table;
}

std::string study_text(const StudyResult& result) {
  const std::vector<std::vector<std::string>> table = study_table(result);
  const std::size_t n_names = result.study.environments.size() > 1 ? 2 : 1;
  std::vector<std::size_t> widths(table[0].size(), 0);
  for (const std::vector<std::string>& line : table) {
    for (std::size_t k = 0; k < line.size(); k++)
      widths[k] = std::max(widths[k], width_of(line[k]));
  }
  std::string text;
  for (const std::vector<std::string>& line : table) {
    std::string row;
    for (std::size_t k = 0; k < line.size(); k++) {
      const std::string space(widths[k] - width_of(line[k]), ' ');
      row += (k == 0 ? "" : "  ") + (k < n_names ? line[k] + space : space + line[k]);
    }
    text += row + "\n";
  }
  for (std::size_t e = 0; e < result.study.environments.size(); e++) {
    const StudyRow* best = best_row(result, e);
    if (best == nullptr) continue;
    text += fmt::format("greatest {} on {}: {} with {}\n", score_text(result.study.score),
                        environment_name(result.cells[best->cell]),
                        mean_text(best->score(result.study.score)), result.cells[best->cell].label);
  }
  for (const std::string& remark : study_remarks(result)) text += remark + "\n";
  return text;
}

std::vector<std::string> study_remarks(const StudyResult& result) {
  std::vector<std::string> remarks;
  for (std::size_t c = 0; c < result.cells.size(); c++) {
    const StudyRun* longest = nullptr;
    for (const StudyRun& run : result.runs) {
      if (run.cell == c && (longest == nullptr || run.iterations > longest->iterations))
        longest = &run;
    }
    if (longest == nullptr || longest->iterations != 1) continue;
    const std::int64_t asked = result.cells[c].options.values().integer("steps");
    if (longest->steps <= std::uint64_t(std::max<std::int64_t>(asked, 0))) continue;
    remarks.push_back(fmt::format(
        "{} on {}: {} steps were asked for and one iteration takes {}, so its line is "
        "the return before anything was learned; --steps takes more",
        result.cells[c].label, environment_name(result.cells[c]), asked, longest->steps));
  }
  return remarks;
}

std::string study_csv(const StudyResult& result) {
  std::string csv = "environment,variant";
  for (const StudyAxis& axis : result.study.axes) csv += "," + csv_field(axis.option);
  csv +=
      ",algorithm,seed,steps,iterations,final_return,average_return,evaluation_return,"
      "steps_to_threshold,bits,failure\n";
  for (const StudyRun& run : result.runs) {
    const StudyCell& cell = result.cells[run.cell];
    csv += environment_name(cell) + "," + csv_field(variant_name(result, cell));
    for (const StudyAxis& axis : result.study.axes)
      csv += "," + csv_field(cell_value(cell, axis.option));
    csv += fmt::format(",{},{},{},{},{},{},{},{},{},{}\n", cell.options.algorithm().name, run.seed,
                       run.steps, run.iterations, csv_number(run.final_return),
                       csv_number(run.average_return), csv_number(run.evaluation_return),
                       csv_number(run.steps_to_threshold), run.bits, csv_field(run.failure));
  }
  return csv;
}

JsonValue study_json(const StudyResult& result) {
  JsonValue json;
  json["title"] = result.study.title;
  json["seeds"] = result.study.seeds;
  json["steps"] = result.study.steps;
  json["score"] = result.study.score;
  json["runs"] = result.runs.size();
  json["variants"] = JsonValue::array();
  for (const StudyRow& row : result.rows) {
    const StudyCell& cell = result.cells[row.cell];
    JsonValue one;
    one["environment"] = environment_name(cell);
    one["variant"] = variant_name(result, cell);
    one["label"] = cell.label;
    one["algorithm"] = cell.options.algorithm().name;
    for (const StudyAxis& axis : result.study.axes)
      one["grid"][axis.option] = cell_value(cell, axis.option);
    one["folder"] = cell.folder;
    one["parameters"] = cell.parameters;
    one["final_return"] = json_mean(row.final_return);
    one["average_return"] = json_mean(row.average_return);
    one["evaluation_return"] = json_mean(row.evaluation_return);
    one["steps_to_threshold"] = json_mean(row.steps_to_threshold);
    one["failed"] = row.failed;
    json["variants"].push_back(one);
  }
  json["best"] = JsonValue::object();
  for (std::size_t e = 0; e < result.study.environments.size(); e++) {
    const StudyRow* best = best_row(result, e);
    if (best != nullptr)
      json["best"][environment_name(result.cells[best->cell])] = result.cells[best->cell].label;
  }
  return json;
}

}  // namespace gallop
