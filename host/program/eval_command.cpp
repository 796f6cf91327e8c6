// gallop eval: evaluates the policy of a run's newest good checkpoint or of one checkpoint file, or
// a controller that comes with an environment.
#include <fmt/format.h>

#include <cstdio>

#include <gallop/host/error.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/learning/evaluate.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/program/command_line.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/controller_eval.h>
#include <gallop/host/program/runs.h>
#include <gallop/host/program/terminal.h>
#include <gallop/host/program/tetris_command.h>
#include <gallop/host/runtime/stop.h>
#include <gallop/host/tetris/controllers.h>
#include <gallop/host/training/trained_policy.h>

namespace gallop {

namespace {

std::vector<OptionSpec> option_rows_of_eval() {
  std::vector<OptionSpec> rows = parameter_rows();
  rows.push_back(tetris_rows_row());
  return rows;
}

Command eval_command() {
  return {
      .name = "eval",
      .summary = "evaluates the policy of a run, or a controller of an environment",
      .words = {{text_row(
                     "run", "",
                     "the folder of a run, or a .safetensors checkpoint; with --controller, an "
                     "environment"),
                 "RUN", true}},
      .flags =
          {{text_row("controller", "",
                     "a controller to play in place of a run, by the name that it has in its "
                     "environment; one of tetris may be a .toml file"),
            "NAME"},
           {seed_row("of the initial states (the run's, or 1)"), "N"},
           {integer_row("episodes", 1, {.min = 1, .max = 1 << 24}, "how many (the run's, or 100)"),
            "N"},
           {integer_row("games", 1, {.min = 1, .max = 1 << 30}, "of tetris (100)"), "N"},
           {integer_row("max_pieces", 1, {.min = 1, .max = 1e15},
                        "of a game of tetris, which is cut then (no limit)"),
            "N"},
           {threads_row(), "N"},
           {device_row()},
           plugin_flag(),
           {text_row("episodes_csv", "",
                     "CSV file to write, over one that is there: a row with number, return and "
                     "length for each episode"),
            "FILE"},
           {boolean_row("sample", false, "draw actions instead of taking the most probable one")},
           {boolean_row("json", false, "print one JSON object")}},
      .set_help = "a parameter of the environment, other than the run's",
      .options = option_rows_of_eval()};
}

// What is for controllers of tetris alone, and what no controller has.
void require_suitable(const CommandLine& line) {
  const bool tetris = is_tetris(line.text("run")) && line.given("controller");
  for (const char* flag : {"games", "max_pieces"}) {
    if (line.given(flag) && !tetris) {
      throw usage_error(fmt::format("{} is for controllers of tetris", flag_of(flag)));
    }
  }
  if (!line.given("controller")) return;
  if (line.flag("sample")) {
    throw usage_error("--sample draws actions of a run's policy; a controller draws none");
  }
  if (line.given("episodes_csv")) {
    throw usage_error("--episodes-csv is for the policy of a run, not for a controller");
  }
}

std::string episodes_csv(const Evaluation& e) {
  std::string text = "episode,return,length\n";
  for (std::size_t k = 0; k < e.returns.size(); k++) {
    text += fmt::format("{},{},{}\n", k, e.returns[k], e.lengths[k]);
  }
  return text;
}

void print_json(const TrainedPolicy& trained, const RunOptions& options, const Evaluation& e) {
  JsonValue object;
  object["environment"] = spec_of(options.environment()).name;
  object["algorithm"] = options.algorithm().name;
  object["checkpoint"] = trained.checkpoint;
  object["steps"] = trained.algorithm->steps();
  object["eval_episodes"] = e.returns.size();
  object["eval_return_mean"] = e.mean;
  object["eval_return_std"] = e.std;
  object["eval_length_mean"] = e.mean_length;
  if (options.resets_nonfinite()) object["eval_nonfinite_episodes"] = e.nonfinite;
  std::printf("%s\n", object.text().c_str());
}

int evaluate_run(const CommandLine& line, SignalGuard& signals) {
  const std::unique_ptr<Backend> backend =
      make_backend(line.text("device"), int(line.integer("threads")), say);
  const StopScope scope(*backend, [&] { return signals.stop_requested(); });
  const TrainedPolicy trained = policy_of_word(*backend, "eval", line.text("run"));
  RunOptions options = *trained.options;
  apply_options(line, options, true);
  const int count = int(line.given("episodes") ? line.integer("episodes")
                                               : options.values().integer("eval_episodes"));
  const std::uint64_t seed =
      line.given("seed") ? std::uint64_t(line.integer("seed")) : options.seed();
  const Evaluation e = evaluate_policy(*backend, options.environment(), trained.algorithm->policy(),
                                       count, seed, !line.flag("sample"), options.configure(),
                                       kMostEvaluationSteps, options.resets_nonfinite());
  if (line.given("episodes_csv")) atomic_write_file(line.text("episodes_csv"), episodes_csv(e));
  if (line.flag("json")) {
    print_json(trained, options, e);
    return 0;
  }
  std::printf("%s: return %.2f +- %.2f, length %.1f over %d episodes after %lu steps\n",
              spec_of(options.environment()).name, e.mean, e.std, e.mean_length, count,
              (unsigned long)trained.algorithm->steps());
  if (e.nonfinite > 0) {
    std::printf("%ld of them left out: they met a number that is not finite\n", e.nonfinite);
  }
  return 0;
}

}  // namespace

int run_eval(const std::vector<std::string>& arguments) {
  const std::optional<CommandLine> line = parse_command_line(eval_command(), arguments);
  if (!line) return 0;
  require_suitable(*line);

  return run_until_signal([&](SignalGuard& signals) {
    if (line->given("controller")) {
      return is_tetris(line->text("run")) ? evaluate_tetris(*line, signals)
                                          : evaluate_controller(*line, signals);
    }
    return evaluate_run(*line, signals);
  });
}

}  // namespace gallop
