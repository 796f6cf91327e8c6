// What the commands of measured studies have in common: gallop study outline, gallop study horizon.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <gallop/host/laboratory/comparison.h>
#include <gallop/host/program/command_line.h>
#include <gallop/host/training/run_folder.h>

namespace gallop {

// A study's own flags, then --seed, --threads, --out and --json.
std::vector<Argument> measurement_flags(std::vector<Argument> own);
// --threads, or all processors.
int measurement_threads(const CommandLine& line);
// The list of whole numbers that a flag gives; a value error where it has others, or such as are
// not between 1 and a million.
std::vector<int> whole_numbers(const CommandLine& line, const char* flag);

// Measures under a line of progress, prints what `text` gives, as JSON or not, and writes into a
// folder of that configuration, unless --json was given without --out. Returns the exit code.
int run_measurement(const CommandLine& line, const char* name, const std::string& toml,
                    const std::function<void(const ComparisonProgress&)>& measure,
                    const std::function<std::string(bool json)>& text,
                    const std::function<void(const RunFolder&)>& write);

}  // namespace gallop
