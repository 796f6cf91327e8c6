#pragma once

#include <span>
#include <string>

#include <gallop/host/options/option.h>
#include <gallop/host/program/command_line.h>

namespace gallop {

// What --help prints of a command: usage, words and flags.
std::string command_help(const Command& command);

// A line "--name VALUE  help; what it may be" for each option of a set, with the values that it has
// there, and beside those that are not the table's the table's. Rows of long matrices are left out
// after the first of each.
std::string options_help(const Options& options, std::span<const OptionSpec> rows);

}  // namespace gallop
