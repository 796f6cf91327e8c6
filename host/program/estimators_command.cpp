// gallop estimators: compares gradient estimators on a problem whose gradient is known.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

#include "host/error.h"
#include "host/laboratory/comparison.h"
#include "host/laboratory/report.h"
#include "host/program/command_line.h"
#include "host/training/run_folder.h"

namespace gallop {
namespace {

struct EstimatorsArguments {
  std::string problem, out;
  std::vector<std::string> assignments;
  std::int64_t samples = 0, seed = 1, threads = 0;
  bool json = false;
};

void describe(CLI::App& app, EstimatorsArguments& a) {
  std::vector<std::string> names;
  for (const LaboratoryDescriptor& problem : laboratory_problems()) names.push_back(problem.name);
  app.add_option("problem", a.problem, fmt::format("{}", fmt::join(names, ", ")))->required();
  app.add_option("--set", a.assignments, "key=value of the problem or the estimators")
      ->allow_extra_args(false);
  app.add_option("--samples", a.samples, "of each estimator (1000000)")
      ->check(CLI::Range(std::int64_t(2), std::int64_t(1) << 31));
  app.add_option("--seed", a.seed, "of the random numbers (1)")
      ->check(CLI::Range(std::int64_t(0), std::int64_t(1) << 53));
  app.add_option("--threads", a.threads, "0 for all processors")
      ->check(CLI::Range(std::int64_t(0), std::int64_t(4096)));
  app.add_option("--out", a.out, "folder to make (runs/PROBLEM-estimators-SEED-TIME)");
  app.add_flag("--json", a.json, "one JSON object for each estimator and parameter; no folder");
  std::string footer;
  for (const LaboratoryDescriptor& problem : laboratory_problems()) {
    footer += fmt::format("{}: {}\n{}\n", problem.name, problem.summary,
                          laboratory_options(problem).help_text());
  }
  app.footer(footer);
}

void show_progress(double part) {
  static int shown = -1;
  const int percent = int(100 * part);
  if (percent == shown) return;
  shown = percent;
  std::fprintf(stderr, "\r%3d %%", percent);
}

}  // namespace

int run_estimators(const std::vector<std::string>& arguments) {
  EstimatorsArguments a;
  a.samples = 1000000;
  CLI::App app("Compares gradient estimators on a problem whose gradient is known.", "estimators");
  describe(app, a);
  if (!parse_command_line(app, arguments)) return 0;
  const LaboratoryDescriptor& descriptor = find_laboratory_problem(a.problem);
  Options options = laboratory_options(descriptor);
  for (const std::string& assignment : a.assignments) options.set_assignment(assignment, "--set");
  const std::unique_ptr<LaboratoryProblem> problem = make_laboratory_problem(descriptor, options);

  ComparisonSettings settings;
  settings.samples = a.samples;
  settings.seed = std::uint64_t(a.seed);
  settings.threads = a.threads > 0 ? int(a.threads) : available_processors();
  settings.pilot = int(options.integer("pilot"));
  std::string out = a.out;
  if (out.empty() && !a.json) {
    out = automatic_run_path(descriptor.name, "estimators", a.seed, std::time(nullptr));
  }
  if (!out.empty()) RunFolder::refuse_existing(out);
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const std::vector<EstimatorResult> results = compare_estimators(
      descriptor, *problem, settings, terminal ? ComparisonProgress(show_progress) : nullptr);
  if (terminal) std::fprintf(stderr, "\r      \r");

  if (a.json) {
    std::fputs(estimators_jsonl(results).c_str(), stdout);
  } else {
    std::fputs(estimators_table(*problem, results).c_str(), stdout);
  }
  if (out.empty()) return 0;
  // Made when there is something to put into it: an interrupted comparison leaves nothing behind.
  const RunFolder folder = RunFolder::create(out, options.to_toml());
  write_estimators_report(folder, descriptor, *problem, options, settings, results);
  if (!a.json) std::printf("\nreport %s\n", folder.file("report.html").c_str());
  return 0;
}

}  // namespace gallop
