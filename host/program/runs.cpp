#include <gallop/host/program/runs.h>

#include <fmt/format.h>

#include <gallop/host/error.h>
#include <gallop/host/files/printable.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/program/advice.h>
#include <gallop/host/program/terminal.h>

namespace gallop {

namespace {

// What makes folders, the key that only its configuration has, and what goes on with one.
struct FolderMaker {
  std::string_view command, key, what, next;
};
constexpr FolderMaker kMakers[] = {
    {"tetris", "report_games", "a table of tetris", "gallop tetris --resume {}"},
    {"study", "seeds", "a study", "gallop study NAME --out {} --resume"},
    {"train", "algorithm", "a training run", "gallop train --resume {}"}};

bool has_key(std::string_view toml, std::string_view key) {
  const std::string line = fmt::format("{} =", key);
  return toml.starts_with(line) || toml.find("\n" + line) != std::string_view::npos;
}

template <class Open>
RunFolder opened(const std::string& command, const std::string& word, Open open) {
  try {
    RunFolder folder = open(word);
    require_folder_of(folder, command.starts_with("tetris") ? "tetris" : "train");
    return folder;
  } catch (const Error& error) {
    throw Error(error.code(), error.what() + advice_on_run(command, word));
  }
}

}  // namespace

void require_folder_of(const RunFolder& folder, std::string_view command) {
  for (const FolderMaker& maker : kMakers) {
    if (!has_key(folder.config_toml(), maker.key)) continue;
    if (maker.command == command) return;
    throw value_error(
        fmt::format("'{}' is the folder of {}, not of gallop {}: {}", folder.path(), maker.what,
                    command, fmt::format(fmt::runtime(maker.next), shell_quoted(folder.path()))));
  }
}

RunFolder open_run(const std::string& command, const std::string& word) {
  return opened(command, word, [](const std::string& path) { return RunFolder::open(path); });
}

RunFolder open_run_to_read(const std::string& command, const std::string& word) {
  return opened(command, word,
                [](const std::string& path) { return RunFolder::open_to_read(path); });
}

TrainedPolicy policy_of_word(Backend& backend, const std::string& command,
                             const std::string& word) {
  if (word.ends_with(".safetensors")) return load_policy_file(backend, word);
  return load_policy(backend, open_run_to_read(command, word), warn);
}

std::vector<OptionSpec> parameter_rows() {
  std::vector<OptionSpec> rows;
  for (const OptionSpec& row : run_rows()) {
    if (row.type == OptionType::assignments) rows.push_back(row);
  }
  for (const EnvironmentEntry* entry : all_environments()) {
    const EnvironmentSpec& spec = spec_of(*entry);
    for (int k = 0; k < spec.n_parameters; k++) {
      rows.push_back({.name = spec.parameters[k].name, .type = OptionType::real});
    }
    if (spec.table_capacity > 0) rows.push_back({.name = "file", .type = OptionType::text});
  }
  return rows;
}

std::vector<OptionSpec> run_option_rows() {
  std::vector<OptionSpec> rows(run_rows().begin(), run_rows().end());
  for (const AlgorithmDescriptor* algorithm : all_algorithms()) {
    rows.insert(rows.end(), algorithm->options.begin(), algorithm->options.end());
  }
  const std::vector<OptionSpec> parameters = parameter_rows();
  rows.insert(rows.end(), parameters.begin(), parameters.end());
  return rows;
}

void apply_options(const CommandLine& line, RunOptions& options, bool only_parameters) {
  apply_given(line.options(), options.values(), [&](const GivenOption& given) {
    const std::string name = options.values().resolved(given.name).value_or("parameters.");
    const bool fixed = name == "environment" || name == "algorithm";
    if (only_parameters && !fixed && name != "randomize" && !name.starts_with("parameters.")) {
      throw usage_error(fmt::format("{} ({}) is an option of training, expected a parameter of {}",
                                    in_quotes(given.name), given.origin,
                                    spec_of(options.environment()).name));
    }
    options.set(given.name, given.text, given.origin);
  });
}

}  // namespace gallop
