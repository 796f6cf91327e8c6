// gallop estimators: compares gradient estimators on a problem whose gradient is known.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <ctime>

#include <gallop/host/clock.h>
#include <gallop/host/error.h>
#include <gallop/host/laboratory/comparison.h>
#include <gallop/host/laboratory/report.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/program/advice.h>
#include <gallop/host/program/command_help.h>
#include <gallop/host/program/command_line.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/terminal.h>
#include <gallop/host/program/text_layout.h>
#include <gallop/host/training/run_folder.h>

namespace gallop {
namespace {

std::vector<std::string> problem_names() {
  std::vector<std::string> names;
  for (const LaboratoryDescriptor& problem : laboratory_problems()) names.push_back(problem.name);
  return names;
}

// The options of all problems, which --set and flags of their own may name.
std::vector<OptionSpec> options_of_problems() {
  std::vector<OptionSpec> rows;
  for (const LaboratoryDescriptor& problem : laboratory_problems()) {
    const std::vector<OptionSpec> own = laboratory_options(problem).rows();
    rows.insert(rows.end(), own.begin(), own.end());
  }
  return rows;
}

std::string estimators_help(const CommandLine& line) {
  std::string text;
  for (const LaboratoryDescriptor& problem : laboratory_problems()) {
    if (line.given("problem") && &find_laboratory_problem(line.text("problem")) != &problem) {
      continue;
    }
    const Options options = laboratory_options(problem);
    const std::string title = fmt::format("Options of {}, {}:", problem.name, problem.summary);
    text += fmt::format("\n{}\n{}", wrapped(title, 0, 0), options_help(options, options.rows()));
  }
  return text;
}

Command estimators_command(const std::string& names) {
  return {.name = "estimators",
          .summary = "compares gradient estimators on a problem whose gradient is known",
          .words = {{text_row("problem", "", names.c_str()), "PROBLEM", true}},
          .flags = {{integer_row("samples", 1000000, {.min = 2, .max = 2147483648.0},
                                 "of each estimator (1000000)"),
                     "N"},
                    {seed_row("of the random numbers (1)"), "N"},
                    {threads_row(), "N"},
                    {text_row("out", "", "folder to make (runs/PROBLEM-estimators-SEED-TIME)"),
                     "FOLDER"},
                    {boolean_row("json", false,
                                 "one JSON object for each estimator and parameter; no folder")}},
          .set_help = "an option of the problem or the estimators, as by its own flag below",
          .options = options_of_problems(),
          .more_help = estimators_help};
}

}  // namespace

int run_estimators(const std::vector<std::string>& arguments) {
  const std::string names = fmt::format("the problem: {}", fmt::join(problem_names(), ", "));
  const std::optional<CommandLine> line = parse_command_line(estimators_command(names), arguments);
  if (!line) return 0;
  refuse_other_name("problem", line->text("problem"), problem_names());
  const LaboratoryDescriptor& descriptor = find_laboratory_problem(line->text("problem"));
  Options options = laboratory_options(descriptor);
  apply_given(line->options(), options,
              [&](const GivenOption& given) { options.set(given.name, given.text, given.origin); });
  const std::unique_ptr<LaboratoryProblem> problem = make_laboratory_problem(descriptor, options);

  ComparisonSettings settings;
  settings.samples = line->integer("samples");
  settings.seed = std::uint64_t(line->integer("seed"));
  settings.threads =
      line->integer("threads") > 0 ? int(line->integer("threads")) : available_processors();
  settings.pilot = int(options.integer("pilot"));
  const bool json = line->flag("json");
  const std::string& out = line->text("out");
  if (!out.empty()) RunFolder::refuse_existing(out);
  leave_at_signals(
      "gallop: stopped; a comparison of estimators is whole or not there: nothing was written\n");
  ProgressLine progress(progress_form("auto", false), write_to_terminal, terminal_columns);
  const std::vector<EstimatorResult> results =
      compare_estimators(descriptor, *problem, settings, [&](double part) {
        if (!progress.is_due(seconds_now())) return;
        progress.show(seconds_now(), [&](int) {
          return std::vector<ProgressPart>{{fmt::format("{:3.0f} %", 100 * part)}};
        });
      });
  progress.clear();

  if (json) {
    std::fputs(estimators_jsonl(results).c_str(), stdout);
  } else {
    std::fputs(estimators_table(*problem, results).c_str(), stdout);
  }
  if (out.empty() && json) return 0;
  // Made when there is something to put into it: an interrupted comparison leaves nothing behind.
  const RunFolder folder = out.empty()
                               ? RunFolder::create_numbered(
                                     automatic_run_path(descriptor.name, "estimators",
                                                        line->integer("seed"), std::time(nullptr)),
                                     options.to_toml())
                               : RunFolder::create(out, options.to_toml());
  write_estimators_report(folder, descriptor, *problem, options, settings, results);
  if (!json) print("\nreport " + folder.file("report.html") + "\n");
  return 0;
}

}  // namespace gallop
