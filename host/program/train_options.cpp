#include <gallop/host/program/train_options.h>

#include <fmt/format.h>

#include <gallop/host/error.h>
#include <gallop/host/files/durable_file.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/program/advice.h>
#include <gallop/host/program/command_help.h>
#include <gallop/host/program/runs.h>
#include <gallop/host/program/text_layout.h>
#include <gallop/host/training/unknown_option.h>

namespace gallop {
namespace {

constexpr std::uint64_t kLargestConfig = std::uint64_t(1) << 20;  // bytes

std::string read_config(const std::string& path) {
  return read_given_file(*posix_file_system(), path, kLargestConfig);
}

// The layers above the tables and the shipped configuration.
void apply_arguments(RunOptions& options, const CommandLine& line) {
  if (line.given("config"))
    options.apply_config(read_config(line.text("config")), line.text("config"));
  apply_options(line, options, false);
}

// A file that the command names may describe the problem of the run from another place; the
// checkpoint tells whether it is the same problem.
void take_problem(RunOptions& asked, const RunOptions& stored) {
  const char* const name = "parameters.file";
  if (!stored.values().has(name) || stored.values().text(name).empty()) return;
  if (asked.values().origin(name) == stored.values().origin(name)) return;
  if (std::optional<std::string> text = asked.problem_text()) {
    asked.values().set(name, stored.values().text(name), stored.values().origin(name));
    asked.set_problem_text(std::move(*text));
  }
}

// The environment or the algorithm that the command line asks for, by its place or its flag; empty
// where it asks for none. --set can only agree.
std::string named(const CommandLine& line, const char* row) {
  if (std::string_view(row) == "environment" && line.given(row)) return line.text(row);
  for (const GivenOption& option : line.options()) {
    if (option.origin != "--set" && option.name == row) return option.text;
  }
  return "";
}

// Of the run that the flags ask for: the values that it takes from the shipped settings and the
// flags. Without an environment those of the algorithm's table.
std::string train_help(const CommandLine& line) {
  const std::string by = named(line, "algorithm");
  const AlgorithmDescriptor& algorithm = find_algorithm(by.empty() ? kDefaultAlgorithm : by);
  if (!line.given("config") && named(line, "environment").empty()) {
    Options options(run_rows());
    options.add(algorithm.options);
    options.set("environment", "ENVIRONMENT", "help");
    options.set("algorithm", algorithm.name, "help");
    return fmt::format(
        "\nOptions of every run, with their defaults:\n{}\nOptions of {}, with their defaults; "
        "--algorithm NAME --help shows another's:\n{}\n'gallop train ENVIRONMENT --help' shows the "
        "values of a task.\n",
        options_help(options, run_rows()), algorithm.name,
        options_help(options, algorithm.options));
  }
  const RunOptions options = asked_options(line);
  const std::string task = spec_of(options.environment()).name;
  const std::string by_name = options.algorithm().name;
  const std::string source =
      shipped_config(by_name, task).empty()
          ? "."
          : fmt::format(", from the shipped settings configs/{}/{}.toml.", by_name, task);
  return fmt::format("\n{}\n\nOptions of every run:\n{}\nOptions of {}:\n{}\nParameters of {}:\n{}",
                     wrapped("The values below are those of this run" + source, 0, 0),
                     options_help(options.values(), run_rows()), by_name,
                     options_help(options.values(), options.algorithm().options), task,
                     options_help(options.values(), options.parameter_rows()));
}

// A flag that no option has: what it is called in the algorithm that the arguments name.
std::string explain_flag(const std::string& name, const std::vector<std::string>& arguments) {
  const AlgorithmDescriptor* algorithm = nullptr;
  for (std::size_t i = 0; i + 1 < arguments.size(); i++) {
    if (folded_name(arguments[i]) == "__algorithm") algorithm = algorithm_called(arguments[i + 1]);
  }
  if (algorithm == nullptr) algorithm = &find_algorithm(kDefaultAlgorithm);
  Options options(run_rows());
  options.add(algorithm->options);
  return explain_unknown_option(name, options, *algorithm, nullptr);
}

}  // namespace

RunOptions asked_options(const CommandLine& line) {
  const std::string environment = named(line, "environment"), algorithm = named(line, "algorithm");
  if (!line.given("config") && environment.empty()) {
    throw usage_error("gallop train needs an environment; 'gallop list' names all");
  }
  if (!environment.empty()) refuse_no_environment("train", environment);
  RunOptions options =
      line.given("config")
          ? RunOptions::from_config(read_config(line.text("config")), line.text("config"),
                                    environment, algorithm)
          : RunOptions(environment, algorithm.empty() ? kDefaultAlgorithm : algorithm);
  apply_options(line, options, false);
  return options;
}

RunOptions resumed_options(const RunOptions& stored, const CommandLine& line) {
  RunOptions asked = stored;
  const std::string environment = named(line, "environment"), algorithm = named(line, "algorithm");
  if (!environment.empty() || !algorithm.empty()) {
    const RunOptions other(environment.empty() ? stored.values().text("environment") : environment,
                           algorithm.empty() ? stored.values().text("algorithm") : algorithm);
    if (other.values().text("environment") != stored.values().text("environment") ||
        other.values().text("algorithm") != stored.values().text("algorithm")) {
      stored.refuse_difference(other);
    }
  }
  apply_arguments(asked, line);
  take_problem(asked, stored);
  stored.refuse_difference(asked, true);
  return asked;
}

Command train_command() {
  return {
      .name = "train",
      .summary = "trains a policy",
      .words = {{text_row("environment", "", "what to learn on; 'gallop list' names all"),
                 "ENVIRONMENT"}},
      .flags = {{text_row("config", "",
                          "TOML file with options; the config.toml of a run begins it anew"),
                 "FILE"},
                {text_row("out", "", "run folder to make (runs/ENVIRONMENT-ALGORITHM-SEED-TIME)"),
                 "FOLDER"},
                {text_row("resume", "", "run folder to continue"), "FOLDER"},
                {boolean_row("print_config", false,
                             "print the configuration that would run, as TOML, and stop")},
                {boolean_row("json", false, "print the final object as the last line")},
                plugin_flag(),
                progress_flag(),
                {boolean_row("quiet", false, "no progress")}},
      .set_help = "an option by its name in TOML, as by its own flag below",
      .options = run_option_rows(),
      .more_help = train_help,
      .explain = explain_flag};
}

}  // namespace gallop
