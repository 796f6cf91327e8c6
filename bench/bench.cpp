// gallop bench: the suites, their flags, and where their rows go.
#include "bench/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "bench/fisher_suite.h"
#include "bench/gae_suite.h"
#include "bench/rollout_suite.h"
#include "bench/training_suite.h"
#include "host/error.h"
#include "host/options/nearest.h"
#include "host/program/command_line.h"
#include "host/registry/generated.h"

namespace gallop {
namespace {

constexpr const char* kUsage = R"(gallop bench SUITE: measures this machine

  rollout    steps a second of simulation (S) and simulation with policy (S+P)
  fisher     samples a second of Fisher-vector products, beside the same in Eigen
  gae        elements a second of advantages and returns, by both kernels
  trpo, ppo  samples a second of whole iterations (S+P+L); of trpo with its phases

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

int run_rollout(const std::vector<std::string>& arguments) {
  RolloutSuite suite;
  std::string stored = "both", mode = "strict", csv;
  bool json = false;
  CLI::App app("Steps a second of fused rollouts, beside plain code in the same run.",
               "bench rollout");
  app.add_option("--environment", suite.environments, "names, separated by commas; default all")
      ->delimiter(',');
  app.add_option("--policy", suite.policies,
                 "random, linear, 64-64 or 256-256, separated by commas; default all")
      ->delimiter(',');
  app.add_option("--device", suite.device, "cpu, cuda or auto");
  app.add_option("--threads", suite.threads, "threads of the CPU backend; 0 for all");
  app.add_option("--instances", suite.instances, "instances of the environment; 0 for the default");
  app.add_option("--stored", stored, "record the trajectory: 0, 1 or both");
  app.add_option("--mode", mode, "strict, or fast for what a device does in other arithmetic");
  app.add_option("--seconds", suite.seconds, "time for each side of a row");
  app.add_option("--csv", csv, "also write the rows to this file");
  app.add_flag("--json", json, "one JSON object a row");
  if (!parse_command_line(app, arguments)) return 0;
  if (stored == "0") {
    suite.stored = {false};
  } else if (stored == "1") {
    suite.stored = {true};
  } else if (stored != "both") {
    throw value_error(fmt::format("--stored is '{}'; expected 0, 1 or both", stored));
  }
  if (mode == "fast") {
    suite.arithmetic = Arithmetic::kFast;
  } else if (mode != "strict") {
    throw value_error(fmt::format("--mode is '{}'; expected strict or fast", mode));
  }
  Report report(json, csv);
  run_rollout_suite(suite, [&](const BenchRow& row) { report.add(row); });
  report.finish();
  return 0;
}

int run_fisher(const std::vector<std::string>& arguments) {
  FisherSuite suite;
  std::string csv;
  bool json = false;
  CLI::App app(
      "Samples a second of Fisher-vector products, beside the same in Eigen in the same "
      "run.",
      "bench fisher");
  app.add_option("--environment", suite.environments, "names, separated by commas")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--policy", suite.policies, "64-64 or 256-256, separated by commas")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--device", suite.device, "cpu, cuda or auto");
  app.add_option("--threads", suite.threads, "threads of the CPU backend; 0 for all");
  app.add_option("--samples", suite.samples, "of a product")->capture_default_str();
  app.add_option("--seconds", suite.seconds, "time for each side of a row");
  app.add_option("--csv", csv, "also write the rows to this file");
  app.add_flag("--json", json, "one JSON object a row");
  if (!parse_command_line(app, arguments)) return 0;
  Report report(json, csv);
  run_fisher_suite(suite, [&](const BenchRow& row) { report.add(row); });
  report.finish();
  return 0;
}

int run_gae(const std::vector<std::string>& arguments) {
  GaeSuite suite;
  std::string csv;
  bool json = false;
  CLI::App app(
      "Elements a second of generalised advantage estimation by the sequential kernel and by the "
      "scan, beside a plain loop in the same run.",
      "bench gae");
  app.add_option("--shape", suite.shapes,
                 "instances x steps such as 8192x128, separated by commas; default all")
      ->delimiter(',');
  app.add_option("--device", suite.device, "cpu, cuda or auto");
  app.add_option("--threads", suite.threads, "threads of the CPU backend; 0 for all");
  app.add_option("--seconds", suite.seconds, "time for each side of a row");
  app.add_option("--csv", csv, "also write the rows to this file");
  app.add_flag("--json", json, "one JSON object a row");
  if (!parse_command_line(app, arguments)) return 0;
  Report report(json, csv);
  run_gae_suite(suite, [&](const BenchRow& row) { report.add(row); });
  report.finish();
  return 0;
}

int run_training(const std::string& algorithm, const std::vector<std::string>& arguments) {
  TrainingSuite suite;
  suite.algorithm = algorithm;
  std::string csv;
  bool json = false;
  CLI::App app(
      "Samples a second of whole iterations: 64 x 782 steps, hidden layers [64, 64] and "
      "the algorithm's defaults.",
      "bench " + algorithm);
  app.add_option("--environment", suite.environment, "name")->capture_default_str();
  app.add_option("--set", suite.assignments, "KEY=VALUE, an option of the algorithm");
  app.add_option("--device", suite.device, "cpu, cuda or auto");
  app.add_option("--threads", suite.threads, "threads of the CPU backend; 0 for all");
  app.add_option("--seconds", suite.seconds, "time for the iterations");
  app.add_option("--csv", csv, "also write the rows to this file");
  app.add_flag("--json", json, "one JSON object a row");
  if (!parse_command_line(app, arguments)) return 0;
  Report report(json, csv);
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
  const std::string suite = arguments.empty() ? "--help" : arguments.front();
  if (suite == "--help" || suite == "-h") {
    std::fputs(kUsage, stdout);
    return arguments.empty() ? int(ExitCode::usage) : 0;
  }
  const std::vector<std::string> suites = {"rollout", "fisher", "gae", "trpo", "ppo"};
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
  return run_training(suite, rest);
}

}  // namespace gallop
