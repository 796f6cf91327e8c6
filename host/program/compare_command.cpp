// gallop compare: the curves, results and differing options of several runs on one page.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include <gallop/host/error.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/files/printable.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/program/command_line.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/runs.h>
#include <gallop/host/program/terminal.h>
#include <gallop/host/report/comparison_page.h>

namespace gallop {
namespace {

constexpr std::size_t kMostRuns = 50;  // that a reader can tell apart by colour, dashes and marks

Command compare_command() {
  return {.name = "compare",
          .summary = "draws the curves of several runs on one page",
          .words = {{text_row("run", "", "the folder of a run, finished or not"), "RUN", true}},
          .repeats_last_word = true,
          .flags = {{text_row("out", "compare.html", "the page, over one that is there"), "FILE"},
                    plugin_flag(),
                    {boolean_row("json", false, "print one JSON object for each run")}}};
}

JsonValue json_of(const ComparedRun& run, const RunFolder& folder) {
  JsonValue object;
  object["run"] = utf8_text(folder.path());
  object["environment"] = run.environment;
  object["algorithm"] = run.algorithm;
  object["seed"] = run.seed;
  object["steps"] = run.steps;
  object["finished"] = run.finished;
  object["train_seconds"] = run.seconds;
  object["eval_return_mean"] = run.mean;
  object["eval_return_std"] = run.std;
  object["best_eval_return"] = run.best;
  return object;
}

std::string line_of(const ComparedRun& run, std::size_t width) {
  const std::string result = run.finished
                                 ? fmt::format("return {:.2f} +- {:.2f}", run.mean, run.std)
                                 : std::string("not finished");
  return fmt::format("{:<{}}  {} on {}, seed {}: {}, {} steps\n", run.label, width, run.algorithm,
                     run.environment, run.seed, result, run.steps);
}

}  // namespace

int run_compare(const std::vector<std::string>& arguments) {
  const std::optional<CommandLine> line = parse_command_line(compare_command(), arguments);
  if (!line) return 0;
  leave_at_signals("gallop: stopped; no page was written\n");
  const std::vector<std::string>& paths = line->words();
  if (paths.size() > kMostRuns) {
    throw usage_error(
        fmt::format("{} runs to compare; expected at most {}", paths.size(), kMostRuns));
  }
  const std::vector<std::string> labels = labels_of(paths);
  std::vector<RunFolder> folders;
  folders.reserve(paths.size());
  std::vector<const RunFolder*> addresses;
  std::vector<ComparedRun> runs;
  std::size_t width = 0;
  for (std::size_t k = 0; k < paths.size(); k++) {
    addresses.push_back(&folders.emplace_back(open_run_to_read("compare", paths[k])));
    runs.push_back(compared_run(folders.back(), labels[k]));
    width = std::max(width, labels[k].size());
  }
  const std::string& out = line->text("out");
  atomic_write_file(out, comparison_page(addresses, runs));
  for (std::size_t k = 0; k < runs.size(); k++) {
    print(line->flag("json") ? json_of(runs[k], folders[k]).text() + "\n"
                             : line_of(runs[k], width));
  }
  if (!line->flag("json")) print(fmt::format("page {}\n", out));
  return 0;
}

}  // namespace gallop
