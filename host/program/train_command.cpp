// gallop train: begins or resumes a run, shows its progress, prints its final object.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>

#include "host/checkpoint/durable_file.h"
#include "host/error.h"
#include "host/logging/progress.h"
#include "host/program/command_line.h"
#include "host/runtime/processor.h"
#include "host/training/signals.h"
#include "host/training/train.h"

namespace gallop {
namespace {

struct TrainArguments {
  std::string environment, algorithm, config, out, resume;
  // Flags that are rows of the options table, by the row's name; empty where not given.
  std::vector<std::pair<std::string, std::string>> rows = {
      {"seed", ""},          {"steps", ""},       {"threads", ""},
      {"device", ""},        {"mode", ""},        {"eval_episodes", ""},
      {"eval_interval", ""}, {"stop_return", ""}, {"checkpoint_interval", ""}};
  std::vector<std::string> assignments;
  bool json = false, quiet = false;
};

std::string flag_of(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return "--" + name;
}

void describe(CLI::App& app, TrainArguments& a) {
  app.add_option("environment", a.environment, "what to learn on; 'gallop list' names all");
  app.add_option("--algorithm", a.algorithm, "what to learn with (ppo)");
  for (auto& [name, value] : a.rows) {
    app.add_option(flag_of(name), value, "option '" + name + "'; see 'gallop list'");
  }
  app.add_option("--config", a.config, "TOML file with options");
  app.add_option("--set", a.assignments, "key=value of the algorithm or the environment")
      ->allow_extra_args(false);
  app.add_option("--out", a.out, "run folder to make (runs/ENVIRONMENT-ALGORITHM-SEED-TIME)");
  app.add_option("--resume", a.resume, "run folder to continue");
  app.add_flag("--json", a.json, "print the final object as the last line");
  app.add_flag("--quiet", a.quiet, "no progress line");
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw io_error("open the configuration", path, errno);
  std::string text;
  char block[4096];
  while (file.read(block, sizeof(block)) || file.gcount() > 0) text.append(block, file.gcount());
  if (file.bad()) throw io_error("read the configuration", path, errno);
  return text;
}

// The layers above the tables and the shipped configuration.
void apply_arguments(RunOptions& options, const TrainArguments& a) {
  if (!a.config.empty()) options.apply_config(read_text(a.config), a.config);
  for (const auto& [name, value] : a.rows) {
    if (!value.empty()) options.values().set(name, value, flag_of(name));
  }
  for (const std::string& assignment : a.assignments) options.set_assignment(assignment, "--set");
}

// The options of the run in the folder; what is asked for again must be equal, device and threads
// may differ.
RunOptions resumed_options(const RunFolder& folder, const TrainArguments& a) {
  const RunOptions stored = RunOptions::from_toml(folder.config_toml(), folder.file("config.toml"));
  RunOptions asked = stored;
  if (!a.environment.empty() || !a.algorithm.empty()) {
    const RunOptions named(
        a.environment.empty() ? stored.values().text("environment") : a.environment,
        a.algorithm.empty() ? stored.values().text("algorithm") : a.algorithm);
    if (named.values().text("environment") != stored.values().text("environment") ||
        named.values().text("algorithm") != stored.values().text("algorithm")) {
      stored.refuse_difference(named);
    }
  }
  apply_arguments(asked, a);
  stored.refuse_difference(asked);
  return asked;
}

void print_finished(const std::string& json, bool as_json) {
  if (as_json)
    std::printf("%s\n", json.c_str());
  else
    std::printf("finished before: %s\n", json.c_str());
}

void print_summary(const RunOptions& options, const RunFolder& folder, const TrainResult& r) {
  std::printf("%s on %s, seed %lu: return %.1f +- %.1f over %zu episodes, %lu steps in %.2f s\n",
              options.algorithm().name, spec_of(options.environment()).name,
              (unsigned long)options.seed(), r.evaluation.mean, r.evaluation.std,
              r.evaluation.returns.size(), (unsigned long)r.steps, r.train_seconds);
  std::printf("bits %s\nrun folder %s (report.html shows the learning curves)\n", r.bits.c_str(),
              folder.path().c_str());
}

TrainCallbacks callbacks(SignalGuard& signals, Progress& progress) {
  TrainCallbacks c;
  c.stop_requested = [&signals] { return signals.stop_requested(); };
  c.checkpoint_requested = [&signals] { return signals.take_checkpoint_request(); };
  c.progress = [&progress](std::uint64_t step, double mean_return, double seconds) {
    progress.update(step, mean_return, seconds);
  };
  c.warn = [](const std::string& text) {
    std::fprintf(stderr, "gallop: warning: %s\n", text.c_str());
  };
  return c;
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::unique_ptr<Backend> backend_of(const RunOptions& options) {
  return make_backend(
      options.values().text("device"), int(options.values().integer("threads")),
      [](const std::string& note) { std::fprintf(stderr, "gallop: %s\n", note.c_str()); });
}

int train(const RunOptions& options, Backend& backend, Training& training, RunFolder& folder,
          bool resumed, const TrainArguments& a, double process_start) {
  const int threads = int(options.values().integer("threads"));
  SignalGuard signals;
  Progress progress([](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); },
                    !a.quiet && isatty(STDERR_FILENO) != 0,
                    std::uint64_t(options.values().integer("steps")), training.algorithm().steps());
  const double startup_seconds = now() - process_start;
  const TrainResult result = training.run(folder, resumed, callbacks(signals, progress));
  progress.finish(result.steps, result.finished ? result.evaluation.mean : __builtin_nan(""),
                  result.train_seconds);
  write_report(folder, options, result, backend.name());
  if (!result.finished) {
    throw Error(
        signals.stop_code(),
        fmt::format("stopped after {} steps, checkpoint written; continue with: gallop train "
                    "--resume {}",
                    result.steps, folder.path()));
  }
  const std::string json =
      result_json(options, backend.name(), threads > 0 ? threads : available_processors(),
                  folder.path(), result, startup_seconds, now() - process_start);
  folder.write_result(json);
  if (a.json)
    std::printf("%s\n", json.c_str());
  else
    print_summary(options, folder, result);
  return 0;
}

}  // namespace

int run_train(const std::vector<std::string>& arguments, double process_start) {
  TrainArguments a;
  CLI::App app("Trains a policy.", "train");
  describe(app, a);
  if (!parse_command_line(app, arguments)) return 0;
  if (!a.resume.empty()) {
    if (!a.out.empty()) throw usage_error("--out and --resume exclude each other");
    RunFolder folder = RunFolder::open(a.resume);
    const RunOptions options = resumed_options(folder, a);
    if (const std::optional<std::string> finished = folder.result()) {
      print_finished(*finished, a.json);
      return 0;
    }
    const std::unique_ptr<Backend> backend = backend_of(options);
    Training training(options, *backend);
    return train(options, *backend, training, folder, true, a, process_start);
  }
  if (a.environment.empty()) {
    throw usage_error("gallop train needs an environment; 'gallop list' names all");
  }
  RunOptions options(a.environment, a.algorithm.empty() ? "ppo" : a.algorithm);
  apply_arguments(options, a);
  const std::string path =
      !a.out.empty()
          ? a.out
          : automatic_run_path(spec_of(options.environment()).name, options.algorithm().name,
                               std::int64_t(options.seed()), std::time(nullptr));
  // What is refused is refused before a folder is made.
  const std::unique_ptr<Backend> backend = backend_of(options);
  Training training(options, *backend);
  RunFolder folder = RunFolder::create(path, options.to_toml());
  return train(options, *backend, training, folder, false, a, process_start);
}

}  // namespace gallop
