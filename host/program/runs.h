// What commands that work on runs have in common.
#pragma once

#include <string>
#include <string_view>

#include <gallop/host/program/command_line.h>
#include <gallop/host/training/run_folder.h>
#include <gallop/host/training/run_options.h>
#include <gallop/host/training/trained_policy.h>

namespace gallop {

// RunFolder::open and open_to_read; where the word is no run, but an environment or a folder of
// another command, the error says so. "tetris --resume" opens folders of gallop tetris, every other
// command those of gallop train.
RunFolder open_run(const std::string& command, const std::string& word);
RunFolder open_run_to_read(const std::string& command, const std::string& word);

// The policy of a run's newest good checkpoint, or of a checkpoint file (FILE.safetensors).
TrainedPolicy policy_of_word(Backend& backend, const std::string& command, const std::string& word);

// Throws a value error for a folder that is not one of `command` (train, study or tetris), by the
// keys of its configuration, and says what would go on with it.
void require_folder_of(const RunFolder& folder, std::string_view command);

// Rows for Command::options: everything that a run may be given, and the environments' parameters.
std::vector<OptionSpec> run_option_rows();
std::vector<OptionSpec> parameter_rows();

// Sets what was given. `only_parameters`: throws a usage error for an option that is no parameter
// of the environment, which the command would not look at.
void apply_options(const CommandLine& line, RunOptions& options, bool only_parameters);

}  // namespace gallop
