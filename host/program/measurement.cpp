#include <gallop/host/program/measurement.h>

#include <fmt/format.h>

#include <cstdio>
#include <ctime>

#include <gallop/host/clock.h>
#include <gallop/host/error.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/program/terminal.h>
#include <gallop/host/runtime/processor.h>
#include <gallop/host/training/signals.h>

namespace gallop {

std::vector<Argument> measurement_flags(std::vector<Argument> own) {
  const Argument more[] = {
      {seed_row("of the random numbers (1)"), "N"},
      {threads_row(), "N"},
      {text_row("out", "", "folder to make (runs/study-NAME-SEED-TIME)"), "FOLDER"},
      {boolean_row("json", false, "one JSON object for each estimate; no folder")}};
  own.insert(own.end(), std::begin(more), std::end(more));
  return own;
}

int measurement_threads(const CommandLine& line) {
  return line.integer("threads") > 0 ? int(line.integer("threads")) : available_processors();
}

std::vector<int> whole_numbers(const CommandLine& line, const char* flag) {
  std::vector<int> numbers;
  for (const double number : parse_numbers(line.text(flag), fmt::format("--{}", flag))) {
    if (!(number >= 1 && number <= 1e6) || number != double(int(number))) {
      throw value_error(
          fmt::format("--{} has {}; expected whole numbers from 1 to 1000", flag, number));
    }
    numbers.push_back(int(number));
  }
  return numbers;
}

int run_measurement(const CommandLine& line, const char* name, const std::string& toml,
                    const std::function<void(const ComparisonProgress&)>& measure,
                    const std::function<std::string(bool json)>& text,
                    const std::function<void(const RunFolder&)>& write) {
  const std::string& out = line.text("out");
  if (!out.empty()) RunFolder::refuse_existing(out);
  leave_at_signals("gallop: stopped; a measurement is whole or not there: nothing was written\n");
  ProgressLine progress(progress_form("auto", false), write_to_terminal, terminal_columns);
  measure([&](double part) {
    if (!progress.is_due(seconds_now())) return;
    progress.show(seconds_now(), [&](int) {
      return std::vector<ProgressPart>{{fmt::format("{:3.0f} %", 100 * part)}};
    });
  });
  progress.clear();
  const bool json = line.flag("json");
  std::fputs(text(json).c_str(), stdout);
  if (out.empty() && json) return 0;
  const std::string automatic =
      automatic_run_path("study", name, line.integer("seed"), std::time(nullptr));
  const RunFolder folder =
      out.empty() ? RunFolder::create_numbered(automatic, toml) : RunFolder::create(out, toml);
  write(folder);
  if (!json) print("\nreport " + folder.file("report.html") + "\n");
  return 0;
}

}  // namespace gallop
