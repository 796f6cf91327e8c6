// gallop bench: the suites, their flags, and where their rows go.
#include "bench/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/options/split.h>
#include <gallop/host/program/command_line.h>
#include <gallop/host/registry/generated.h>
#include <gallop/host/registry/registry.h>
#include "bench/fisher_suite.h"
#include "bench/gae_suite.h"
#include "bench/graph_suite.h"
#include "bench/population_suite.h"
#include "bench/rollout_suite.h"
#include "bench/tetris_suite.h"
#include "bench/training_suite.h"

namespace gallop {
namespace {

constexpr const char* kUsage = R"(gallop bench SUITE: measures this machine

  rollout    steps a second of simulation (S) and simulation with policy (S+P)
  fisher     samples a second of Fisher-vector products, beside the same in Eigen
  gae        elements a second of advantages and returns, by both kernels
  trpo, ppo, bptt  samples a second of whole iterations (S+P+L); of trpo and bptt with phases
  black-box  steps a second of whole generations of populations (S+P+L)
  graph      samples a second of gradients of stochastic computation graphs
  tetris     walls a second that controllers of tetris look at

'gallop bench SUITE --help' explains its flags.
)";

// The rows as they come, to standard output and, where asked, to a file.
class Report {
 public:
  Report(bool json, const std::string& csv) : json_(json), csv_path_(csv) {
    if (csv.empty()) return;
    csv_.open(csv);
    if (!csv_) throw io_error("write", csv, errno);
    csv_ << csv_header() << '\n';
  }
  void add(const BenchRow& row) {
    if (!json_ && rows_ == 0) std::puts(table_header().c_str());
    std::puts((json_ ? to_json(row) : to_table(row)).c_str());
    std::fflush(stdout);
    if (csv_.is_open()) csv_ << to_csv(row) << '\n';
    rows_++;
  }
  void finish() {
    if (rows_ == 0) {
      throw usage_error(
          "no environment of the suite has the policies asked for, in this mode on this device");
    }
    if (csv_.is_open() && !csv_.flush()) throw io_error("write", csv_path_, errno);
  }

 private:
  bool json_;
  std::string csv_path_;
  std::ofstream csv_;
  int rows_ = 0;
};

// Flags that every suite has.
std::vector<Argument> with_common(std::vector<Argument> flags, const char* seconds) {
  flags.push_back({text_row("device", "cpu", "cpu, cuda, cuda:N or auto (cpu)")});
  flags.push_back({integer_row("threads", 1, {.min = 0, .max = 4096},
                               "threads of the CPU backend; 0 for all (1)"),
                   "N"});
  flags.push_back({real_row("seconds", 1, {.min = 1e-6, .max = 1e6}, seconds), "S"});
  flags.push_back({text_row("csv", "", "also write the rows to this file"), "FILE"});
  flags.push_back({boolean_row("json", false, "one JSON object a row")});
  return flags;
}

template <class Suite>
void take_common(const CommandLine& line, Suite& suite) {
  suite.device = line.text("device");
  suite.threads = int(line.integer("threads"));
  if (line.given("seconds")) suite.seconds = line.real("seconds");
}

// Names separated by commas; what the suite has where the flag was not given.
void take_list(const CommandLine& line, const char* flag, std::vector<std::string>& names) {
  if (line.given(flag)) names = split_list(line.text(flag));
}

// Likewise whole numbers.
void take_counts(const CommandLine& line, const char* flag, std::vector<std::int64_t>& counts) {
  if (!line.given(flag)) return;
  counts.clear();
  for (const double x : parse_numbers(line.text(flag), fmt::format("--{}", flag))) {
    if (!(x >= 1 && x <= 1e9) || x != std::floor(x)) {
      throw value_error(
          fmt::format("--{} has {:g}; expected whole numbers from 1 to 1e9", flag, x));
    }
    counts.push_back(std::int64_t(x));
  }
}

int run_rollout(const std::vector<std::string>& arguments) {
  const Command command = {
      .name = "bench rollout",
      .summary = "steps a second of fused rollouts, beside plain code in the same run",
      .flags = with_common(
          {{text_row("environment", "", "names, separated by commas (all)"), "NAMES"},
           {text_row("policy", "", "random, linear, 64-64 or 256-256, separated by commas (all)"),
            "NAMES"},
           {integer_row("instances", 0, {.min = 0, .max = 1 << 24},
                        "instances of the environment; 0 for the default"),
            "N"},
           {choice_row("stored", "both", "0,1,both", "record the trajectory (both)"), "WHICH"},
           {choice_row("mode", "strict", "strict,fast",
                       "strict, or fast for what a device does in other arithmetic (strict)"),
            "MODE"}},
          "time for each side of a row (0.3)")};
  const std::optional<CommandLine> line = parse_command_line(command, arguments);
  if (!line) return 0;
  RolloutSuite suite;
  take_common(*line, suite);
  take_list(*line, "environment", suite.environments);
  take_list(*line, "policy", suite.policies);
  suite.instances = int(line->integer("instances"));
  if (line->text("stored") != "both") suite.stored = {line->text("stored") == "1"};
  if (line->text("mode") == "fast") suite.arithmetic = Arithmetic::kFast;
  Report report(line->flag("json"), line->text("csv"));
  run_rollout_suite(suite, [&](const BenchRow& row) { report.add(row); });
  report.finish();
  return 0;
}

int run_fisher(const std::vector<std::string>& arguments) {
  const Command command = {
      .name = "bench fisher",
      .summary =
          "samples a second of Fisher-vector products, beside the same in Eigen in the same "
          "run",
      .flags = with_common(
          {{text_row("environment", "", "names, separated by commas (cartpole,pendulum)"), "NAMES"},
           {text_row("policy", "", "64-64 or 256-256, separated by commas (64-64)"), "NAMES"},
           {integer_row("samples", 50000, {.min = 1, .max = 1e9}, "of a product (50000)"), "N"}},
          "time for each side of a row (0.3)")};
  const std::optional<CommandLine> line = parse_command_line(command, arguments);
  if (!line) return 0;
  FisherSuite suite;
  take_common(*line, suite);
  take_list(*line, "environment", suite.environments);
  take_list(*line, "policy", suite.policies);
  suite.samples = line->integer("samples");
  Report report(line->flag("json"), line->text("csv"));
  run_fisher_suite(suite, [&](const BenchRow& row) { report.add(row); });
  report.finish();
  return 0;
}

int run_gae(const std::vector<std::string>& arguments) {
  const Command command = {
      .name = "bench gae",
      .summary =
          "elements a second of generalised advantage estimation by the sequential kernel "
          "and by the scan, beside a plain loop in the same run",
      .flags = with_common(
          {{text_row("shape", "", "instances x steps such as 8192x128, separated by commas (all)"),
            "SHAPES"}},
          "time for each side of a row (0.3)")};
  const std::optional<CommandLine> line = parse_command_line(command, arguments);
  if (!line) return 0;
  GaeSuite suite;
  take_common(*line, suite);
  take_list(*line, "shape", suite.shapes);
  Report report(line->flag("json"), line->text("csv"));
  run_gae_suite(suite, [&](const BenchRow& row) { report.add(row); });
  report.finish();
  return 0;
}

int run_population(const std::vector<std::string>& arguments) {
  const Command command = {
      .name = "bench black-box",
      .summary =
          "steps a second of whole generations of evolution strategies: every member of a "
          "population plays, members are ranked, their centre moves",
      .flags = with_common(
          {{text_row("environment", "cartpole", "name (cartpole)"), "NAME"},
           {text_row("policy", "", "linear, 64-64 or 256-256, separated by commas (linear,64-64)"),
            "NAMES"},
           {text_row("population", "", "members, separated by commas (256,4096)"), "P"},
           {text_row("episodes", "", "of each member, separated by commas (1,16)"), "E"},
           {boolean_row("independent", false, "perturbations without mirrored pairs")}},
          "time for each row (1)")};
  const std::optional<CommandLine> line = parse_command_line(command, arguments);
  if (!line) return 0;
  PopulationSuite suite;
  take_common(*line, suite);
  suite.environment = line->text("environment");
  take_list(*line, "policy", suite.policies);
  take_counts(*line, "population", suite.members);
  take_counts(*line, "episodes", suite.episodes);
  suite.mirrored = !line->flag("independent");
  Report report(line->flag("json"), line->text("csv"));
  run_population_suite(suite, [&](const BenchRow& row) { report.add(row); });
  report.finish();
  return 0;
}

int run_graph(const std::vector<std::string>& arguments) {
  const Command command = {
      .name = "bench graph",
      .summary = "samples a second of gradients of stochastic computation graphs",
      .flags = with_common(
          {{text_row("example", "", "names, separated by commas (row_1 to row_5)"), "NAMES"},
           {integer_row("samples", 10000, {.min = 1, .max = 4294967296.0},
                        "of each gradient (10000)"),
            "N"}},
          "time for each row (0.3)")};
  const std::optional<CommandLine> line = parse_command_line(command, arguments);
  if (!line) return 0;
  GraphSuite suite;
  take_common(*line, suite);
  take_list(*line, "example", suite.examples);
  suite.samples = line->integer("samples");
  Report report(line->flag("json"), line->text("csv"));
  run_graph_suite(suite, [&](const BenchRow& row) { report.add(row); });
  report.finish();
  return 0;
}

int run_tetris(const std::vector<std::string>& arguments) {
  const Command command = {
      .name = "bench tetris",
      .summary =
          "walls a second that controllers of tetris look at: a placement, all features, the score",
      .flags = with_common(
          {{text_row("controller", "", "names or .toml files, separated by commas (some)"),
            "NAMES"},
           {text_row("rows", "", "of the board, separated by commas (10,20)"), "ROWS"},
           {integer_row("games", 1, {.min = 1, .max = 1 << 24},
                        "side by side (64; 65536 on a GPU)"),
            "N"}},
          "time for each row (0.3)")};
  const std::optional<CommandLine> line = parse_command_line(command, arguments);
  if (!line) return 0;
  TetrisSuite suite;
  take_common(*line, suite);
  take_list(*line, "controller", suite.controllers);
  std::vector<std::int64_t> rows;
  take_counts(*line, "rows", rows);
  suite.rows.assign(rows.begin(), rows.end());
  if (line->given("games")) suite.games = int(line->integer("games"));
  Report report(line->flag("json"), line->text("csv"));
  run_tetris_suite(suite, [&](const BenchRow& row) { report.add(row); });
  report.finish();
  return 0;
}

int run_training(const std::string& algorithm, const std::vector<std::string>& arguments) {
  const std::span<const OptionSpec> options = find_algorithm(algorithm).options;
  const char* const task = algorithm == "bptt" ? "pendulum" : "cartpole";
  const Command command = {
      .name = "bench " + algorithm,
      .summary =
          "samples a second of whole iterations: 64 x 782 steps, hidden layers [64, 64] and "
          "the algorithm's defaults",
      .flags = with_common(
          {{text_row("environment", task, "name (cartpole; of bptt pendulum)"), "NAME"}},
          "time for the iterations (2)"),
      .set_help = "an option of the algorithm",
      .options = {options.begin(), options.end()}};
  const std::optional<CommandLine> line = parse_command_line(command, arguments);
  if (!line) return 0;
  TrainingSuite suite;
  suite.algorithm = algorithm;
  suite.environment = line->text("environment");
  take_common(*line, suite);
  for (const GivenOption& given : line->options()) {
    suite.assignments.push_back(given.name + "=" + given.text);
  }
  Report report(line->flag("json"), line->text("csv"));
  run_training_suite(suite, [&](const BenchRow& row) { report.add(row); });
  report.finish();
  return 0;
}

}  // namespace

void check_build(const std::string& build_type, bool assertions) {
  if (!assertions && (build_type == "Release" || build_type == "RelWithDebInfo")) return;
  throw value_error(fmt::format(
      "this is a {} build{}; a benchmark of it would mislead. Configure with "
      "-DCMAKE_BUILD_TYPE=Release",
      build_type.empty() ? "nameless" : build_type, assertions ? " with assertions" : ""));
}

int run_benchmarks(const std::vector<std::string>& arguments) {
  const std::string suite = arguments.empty() ? "--help" : folded_name(arguments.front());
  if (suite == "--help" || suite == "__help" || suite == "_h") {
    std::fputs(kUsage, stdout);
    return arguments.empty() ? int(ExitCode::usage) : 0;
  }
  const std::vector<std::string> suites = {"rollout", "fisher",    "gae",   "trpo",  "ppo",
                                           "bptt",    "black_box", "graph", "tetris"};
  if (std::find(suites.begin(), suites.end(), suite) == suites.end()) {
    throw usage_error(fmt::format("unknown benchmark suite '{}'{}. 'gallop bench --help' names all",
                                  suite, did_you_mean(suite, suites)));
  }
#ifdef NDEBUG
  check_build(kBuildInfo.build_type, false);
#else
  check_build(kBuildInfo.build_type, true);
#endif
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (suite == "rollout") return run_rollout(rest);
  if (suite == "fisher") return run_fisher(rest);
  if (suite == "gae") return run_gae(rest);
  if (suite == "black_box") return run_population(rest);
  if (suite == "graph") return run_graph(rest);
  if (suite == "tetris") return run_tetris(rest);
  return run_training(suite, rest);
}

}  // namespace gallop
