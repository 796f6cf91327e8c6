// gallop differences: how well finite differences tell the gradient of a policy's return.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>

#include <gallop/host/clock.h>
#include <gallop/host/error.h>
#include <gallop/host/learning/controller.h>
#include <gallop/host/learning/own_policy.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/options/split.h>
#include <gallop/host/program/advice.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/runs.h>
#include <gallop/host/program/terminal.h>
#include <gallop/host/runtime/processor.h>
#include <gallop/host/runtime/stop.h>
#include <gallop/host/studies/differences.h>
#include <gallop/host/training/session.h>
#include <gallop/host/training/trained_policy.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {
namespace {

constexpr std::size_t kMostValues = 64;        // of a list
constexpr std::size_t kMostParameters = 4096;  // two members each, whose episodes are all played

Command differences_command() {
  return {
      .name = "differences",
      .summary = "how well finite differences tell a gradient: plain, averaged, common numbers",
      .words = {{text_row("target", "", "an environment with a controller, or the folder of a run"),
                 "TARGET", true}},
      .flags = {{text_row("controller", "", "of the environment (its first one)"), "NAME"},
                {text_row("epsilons", "0.0003,0.001,0.003,0.01,0.03",
                          "widths of the difference (0.0003,0.001,0.003,0.01,0.03)"),
                 "LIST"},
                {text_row("samples", "1,4,16", "episodes of each side, N (1,4,16)"), "LIST"},
                {integer_row("episodes", 64, {.min = 2, .max = 1 << 20},
                             "of each side that deviations are taken from (64)"),
                 "N"},
                {seed_row("of the episodes (1)"), "N"},
                {threads_row(), "N"},
                {device_row()},
                plugin_flag(),
                {text_row("out", "", "folder to make (runs/ENVIRONMENT-differences-SEED-TIME)"),
                 "FOLDER"},
                {boolean_row("json", false, "one JSON object for each row; no folder")}},
      .set_help = "a parameter of the environment, as by its own flag",
      .options = parameter_rows()};
}

DifferenceSettings settings_of(const CommandLine& line) {
  DifferenceSettings s;
  s.episodes = int(line.integer("episodes"));
  s.seed = std::uint64_t(line.integer("seed"));
  s.epsilons = parse_numbers(line.text("epsilons"), "--epsilons");
  for (const double n : parse_numbers(line.text("samples"), "--samples")) {
    if (!(n >= 1 && n <= s.episodes) || n != double(std::int64_t(n))) {
      throw value_error(fmt::format(
          "--samples has {}; expected whole numbers from 1 to the {} episodes", n, s.episodes));
    }
    s.samples.push_back(std::int64_t(n));
  }
  for (const double epsilon : s.epsilons) {
    if (epsilon > 0 && epsilon <= 1e6) continue;
    throw value_error(
        fmt::format("--epsilons has {}; expected numbers above 0 and at most 1e6", epsilon));
  }
  if (s.epsilons.empty() || s.samples.empty() || s.epsilons.size() > kMostValues ||
      s.samples.size() > kMostValues) {
    throw value_error(
        fmt::format("--epsilons and --samples have {} and {} numbers; expected 1 to {}",
                    s.epsilons.size(), s.samples.size(), kMostValues));
  }
  const auto tidy = [](auto& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
  };
  tidy(s.epsilons);
  tidy(s.samples);
  return s;
}

std::vector<float> downloaded(Backend& backend, const float* values, std::size_t n) {
  DeviceArray<float> copy(backend, n);
  backend.copy({copy.data(), values, long(n)});
  return copy.download();
}

// Of a policy in the memory of the backend; deviations of actions are left out.
DifferencePoint point_of(Backend& backend, const PolicyView& policy) {
  DifferencePoint point = {};
  point.shape = policy.shape;
  point.normalization = policy.normalization;
  const std::size_t n = std::size_t(parameter_count(policy.shape));
  const std::size_t of_head =
      std::size_t(head_parameters(policy.shape.head, policy.shape.n_actions));
  point.parameters = downloaded(backend, policy.parameters, n);
  for (std::size_t k = 0; k + of_head < n; k++) point.learnt.push_back(long(k));
  return point;
}

void keep_some(DifferencePoint& point, const std::function<bool(long)>& keep) {
  std::erase_if(point.learnt, [&](long k) { return !keep(k); });
}

std::vector<std::string> with_controllers() {
  std::vector<std::string> names;
  for (const EnvironmentEntry* entry : all_environments()) {
    if (spec_of(*entry).n_controllers > 0) names.emplace_back(spec_of(*entry).name);
  }
  return names;
}

int run_command(const CommandLine& line, const std::vector<std::string>& words,
                SignalGuard& signals) {
  const DifferenceSettings settings = settings_of(line);
  const std::string& out = line.text("out");
  if (!out.empty()) RunFolder::refuse_existing(out);
  const std::string& target = line.text("target");
  std::error_code ignored;
  const bool is_run =
      target.find('/') != std::string::npos || std::filesystem::is_directory(target, ignored);
  const std::unique_ptr<Backend> backend =
      make_backend(line.text("device"), int(line.integer("threads")), say);
  const StopScope scope(*backend, [&] { return signals.stop_requested(); });
  std::optional<TrainedPolicy> trained;
  std::optional<Controller> controller;
  std::optional<RunOptions> options;
  DifferencePoint point;
  if (is_run) {
    if (line.given("controller")) {
      throw usage_error("--controller is one of an environment, but a run was named");
    }
    const RunFolder folder = open_run_to_read("differences", target);
    trained = load_policy(*backend, folder, warn);
    options = RunOptions::from_folder(folder);
    apply_options(line, *options, true);
    const PolicyView policy = trained->algorithm->policy();
    point = point_of(*backend, policy);
    if (policy.fixed != nullptr) {
      const LearntPart part = own_part(spec_of(options->environment()), policy.shape);
      keep_some(point, [&](long k) { return part.fixed[std::size_t(k)] == 0; });
    }
    point.policy = trained->checkpoint;
  } else {
    refuse_no_environment("differences", target);
    options.emplace(target, kDefaultAlgorithm);
    apply_options(line, *options, true);
    const EnvironmentSpec& spec = spec_of(options->environment());
    if (spec.n_controllers == 0) {
      throw usage_error(fmt::format(
          "no controller comes with {0}; expected the folder of a run (gallop train {0} --out RUN "
          "makes one, then gallop differences RUN), or an environment that has one: {1}",
          spec.name, fmt::join(with_controllers(), ", ")));
    }
    const std::string first = spec.controllers[0].name;
    const std::string name = line.given("controller") ? line.text("controller") : first;
    controller.emplace(*backend, options->environment(), name, options->configure());
    point = point_of(*backend, controller->view());
    keep_some(point, [&](long k) { return point.parameters[std::size_t(k)] != 0; });
    point.policy = name;
  }
  point.environment = spec_of(options->environment()).name;
  if (point.learnt.empty() || point.learnt.size() > kMostParameters) {
    throw value_error(fmt::format("{} has {} parameters to differentiate by; expected 1 to {}",
                                  point.policy, point.learnt.size(), kMostParameters));
  }
  ProgressLine progress(progress_form("auto", false), write_to_terminal, terminal_columns);
  const auto results = compare_differences(
      *backend, options->environment(), options->configure(), point, settings, [&](double part) {
        if (!progress.is_due(seconds_now())) return;
        progress.show(seconds_now(), [&](int) {
          return std::vector<ProgressPart>{{fmt::format("{:3.0f} %", 100 * part)}};
        });
      });
  progress.clear();
  const bool json = line.flag("json");
  std::fputs(json ? differences_jsonl(results).c_str() : differences_table(results).c_str(),
             stdout);
  if (out.empty() && json) return 0;
  const RunFolder folder =
      out.empty()
          ? RunFolder::create_numbered(automatic_run_path(point.environment, "differences",
                                                          line.integer("seed"), std::time(nullptr)),
                                       options->to_toml())
          : RunFolder::create(out, options->to_toml());
  const int threads = int(line.integer("threads"));
  record_session(folder,
                 provenance_of(*backend, threads > 0 ? threads : available_processors(), words));
  write_differences_report(folder, point, settings, results);
  if (!json) print("\nreport " + folder.file("report.html") + "\n");
  return 0;
}

}  // namespace

int run_differences(const std::vector<std::string>& arguments) {
  const std::optional<CommandLine> line = parse_command_line(differences_command(), arguments);
  if (!line) return 0;
  std::vector<std::string> words = {"gallop", "differences"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run_until_signal([&](SignalGuard& signals) { return run_command(*line, words, signals); });
}

}  // namespace gallop
