// gallop train: begins or resumes a run, shows its progress, prints its final object.
#include <fmt/format.h>

#include <cstdio>
#include <ctime>

#include <gallop/host/clock.h>
#include <gallop/host/error.h>
#include <gallop/host/files/durable_file.h>
#include <gallop/host/files/printable.h>
#include <gallop/host/logging/progress.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/runs.h>
#include <gallop/host/program/terminal.h>
#include <gallop/host/program/train_options.h>
#include <gallop/host/report/run_report.h>
#include <gallop/host/runtime/processor.h>
#include <gallop/host/training/session.h>
#include <gallop/host/training/signals.h>
#include <gallop/host/training/train.h>

namespace gallop {
namespace {

constexpr double kPatience = 0.5;  // seconds until an iteration is given up

int print_config(const RunOptions& options) {
  options.problem();  // refuses what the run would refuse
  std::fputs(options.to_toml().c_str(), stdout);
  return 0;
}

void print_finished(const std::string& json, bool as_json) {
  std::printf("%s%s\n", as_json ? "" : "finished before: ", json.c_str());
}

void print_summary(const RunOptions& options, const RunFolder& folder, const TrainResult& r) {
  std::printf("%s on %s, seed %lu: return %.1f +- %.1f over %zu episodes, %lu steps in %.2f s\n",
              options.algorithm().name, spec_of(options.environment()).name,
              (unsigned long)options.seed(), r.evaluation.mean, r.evaluation.std,
              r.evaluation.returns.size(), (unsigned long)r.steps, r.train_seconds);
  if (r.nonfinite_instances > 0 || r.evaluation.nonfinite > 0) {
    print(
        fmt::format("numbers that are not finite: {} instances reset, {} evaluation episodes left "
                    "out\n",
                    r.nonfinite_instances, r.evaluation.nonfinite));
  }
  print(fmt::format("bits {}\nrun folder {} (report.html shows the learning curves)\n", r.bits,
                    folder.path()));
}

TrainCallbacks callbacks(SignalGuard& signals, Progress& progress) {
  TrainCallbacks c;
  c.stop_requested = [&signals] { return signals.stop_requested(); };
  c.stop_overdue = [&signals] { return signals.stop_is_overdue(kPatience); };
  c.checkpoint_requested = [&signals] { return signals.take_checkpoint_request(); };
  c.progress = [&progress](std::uint64_t step, double mean_return, double seconds) {
    progress.update(step, mean_return, seconds);
  };
  c.warn = [&progress](const std::string& text) {
    progress.clear();
    warn(text);
  };
  return c;
}

std::unique_ptr<Backend> backend_of(const RunOptions& options) {
  return make_backend(options.values().text("device"), int(options.values().integer("threads")),
                      say);
}

Provenance provenance_of(const RunOptions& options, const Backend& backend,
                         const std::vector<std::string>& words) {
  const int asked = int(options.values().integer("threads"));
  return provenance_of(backend, asked > 0 ? asked : available_processors(), words);
}

// What the folder will say has to be what this run does, or nobody can go on with it.
void refuse_unreadable(const RunOptions& options) {
  const RunOptions read = RunOptions::from_toml(options.to_toml(), "the configuration of this run");
  if (read.to_toml() == options.to_toml()) return;
  throw internal_error("the configuration of this run does not come back from its text");
}

// Runs of earlier versions have no copy of the file that describes their problem.
void keep_problem(const RunFolder& folder, const RunOptions& options) {
  const std::optional<std::string> problem = options.problem_text();
  if (problem && !folder.problem()) folder.write("problem.mdp", *problem);
}

void refuse_existing(const std::string& path) {
  if (!exists(*posix_file_system(), path)) return;
  throw value_error(
      fmt::format("'{}' exists already; choose another --out, or go on with a run that is there: "
                  "gallop train --resume {}",
                  path, shell_quoted(path)));
}

RunFolder new_folder(const RunOptions& options, const std::string& out,
                     const Provenance& provenance, const RunInputs& inputs) {
  const std::shared_ptr<FileSystem> files = posix_file_system();
  const std::string toml = provenance_comment(provenance) + options.to_toml();
  if (!out.empty()) return RunFolder::create(out, toml, files, inputs);
  const std::string path =
      automatic_run_path(spec_of(options.environment()).name, options.algorithm().name,
                         std::int64_t(options.seed()), std::time(nullptr));
  return RunFolder::create_numbered(path, toml, files, inputs);
}

int train(const RunOptions& options, Backend& backend, Training& training, RunFolder& folder,
          bool resumed, const CommandLine& line, const Provenance& provenance,
          double process_start) {
  const ProgressForm form = progress_form(line.text("progress"), line.flag("quiet"));
  SignalGuard signals(stopping_words(form));
  record_session(folder, provenance);
  Progress progress(form, write_to_terminal, terminal_columns,
                    std::uint64_t(options.values().integer("steps")), training.algorithm().steps());
  const double startup_seconds = seconds_now() - process_start;
  const TrainResult result = run_with_report(training, options, folder, resumed,
                                             callbacks(signals, progress), backend, provenance);
  keep_problem(folder, options);
  progress.finish(result.steps, result.finished ? result.evaluation.mean : __builtin_nan(""),
                  result.train_seconds);
  const std::string json = result_json(options, provenance, folder.path(), result, startup_seconds,
                                       seconds_now() - process_start);
  if (result.reached_time_limit) {
    say(
        fmt::format("stopped at its time limit after {} steps, checkpoint written; continue with: "
                    "gallop train --resume {}",
                    result.steps, shell_quoted(folder.path())));
    if (line.flag("json")) std::printf("%s\n", json.c_str());
    return 0;
  }
  if (!result.finished) {
    throw Error(signals.stop_code(),
                fmt::format("stopped after {} steps{}; continue with: gallop train --resume {}",
                            result.steps, result.steps > 0 ? ", checkpoint written" : "",
                            shell_quoted(folder.path())));
  }
  // Before the report: whatever becomes of that, the run is finished.
  folder.write_result(json);
  write_run_report(folder, options, {result, {}, provenance}, training, backend);
  if (line.flag("json"))
    std::printf("%s\n", json.c_str());
  else
    print_summary(options, folder, result);
  return 0;
}

int resume(const CommandLine& line, const std::vector<std::string>& words, double process_start) {
  if (line.given("out")) throw usage_error("--out and --resume exclude each other");
  RunFolder folder = open_run("train --resume", line.text("resume"));
  const RunOptions stored = RunOptions::from_folder(folder);
  const RunOptions options = resumed_options(stored, line);
  if (line.flag("print_config")) return print_config(options);
  if (const std::optional<std::string> finished = finished_result(folder, options, warn)) {
    print_finished(*finished, line.flag("json"));
    return 0;
  }
  const std::unique_ptr<Backend> backend = backend_of(options);
  const Provenance provenance = provenance_of(options, *backend, words);
  Training training(options, *backend, &folder);
  if (stored.is_extended_by(options)) say(extend_run(folder, stored, options, provenance));
  return train(options, *backend, training, folder, true, line, provenance, process_start);
}

}  // namespace

int run_train(const std::vector<std::string>& arguments, double process_start) {
  const std::optional<CommandLine> parsed = parse_command_line(train_command(), arguments);
  if (!parsed) return 0;
  const CommandLine& line = *parsed;
  // A wrong value is refused before anything is done.
  progress_form(line.text("progress"), line.flag("quiet"));
  std::vector<std::string> words = {"gallop", "train"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  if (line.given("resume")) return resume(line, words, process_start);
  RunOptions options = asked_options(line);
  if (line.flag("print_config")) return print_config(options);
  // What is refused is refused before a folder is made.
  refuse_unreadable(options);
  const std::string& out = line.text("out");
  if (!out.empty()) refuse_existing(out);
  const std::optional<std::string> problem = options.problem_text();
  if (problem) options.set_problem_text(*problem);
  const std::unique_ptr<Backend> backend = backend_of(options);
  Training training(options, *backend);
  const Provenance provenance = provenance_of(options, *backend, words);
  RunFolder folder = new_folder(options, out, provenance, {problem, training.initial()});
  return train(options, *backend, training, folder, false, line, provenance, process_start);
}

}  // namespace gallop
