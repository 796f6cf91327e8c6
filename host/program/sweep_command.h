// gallop study with a file that has a table [sweep].
#pragma once

#include <string>
#include <vector>

#include <gallop/host/program/command_line.h>
#include <gallop/host/studies/sweep.h>

namespace gallop {

// Tries the settings of a sweep, and writes table, numbers and page into its folder. `path` is the
// folder where no --out is given.
int run_sweep_command(OptionSweep sweep, const std::string& path, const CommandLine& line,
                      const std::vector<std::string>& words, double process_start);

}  // namespace gallop
