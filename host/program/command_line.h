#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace gallop {

// Parses the arguments of one command with an App made for it. Returns false where help was asked
// for and printed. Throws a usage error for what the command does not know, with the nearest flags.
bool parse_command_line(CLI::App& app, std::vector<std::string> arguments);

// Splits "1,2.5" or "1, 2.5" into numbers; `what` names the text in a value error.
std::vector<double> parse_numbers(const std::string& text, const std::string& what);

// The commands: each takes what follows its name and returns the exit code.
int run_train(const std::vector<std::string>& arguments, double process_start);
int run_eval(const std::vector<std::string>& arguments);
int run_study(const std::vector<std::string>& arguments, double process_start);
int run_trace(const std::vector<std::string>& arguments);
int run_render(const std::vector<std::string>& arguments);
int run_list(const std::vector<std::string>& arguments);
int run_estimators(const std::vector<std::string>& arguments);
int run_bench(const std::vector<std::string>& arguments);

}  // namespace gallop
