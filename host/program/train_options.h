// The command line of gallop train, and the options of the run that it asks for.
#pragma once

#include <gallop/host/program/command_line.h>
#include <gallop/host/training/run_folder.h>
#include <gallop/host/training/run_options.h>

namespace gallop {

Command train_command();

// Of a run that is to begin.
RunOptions asked_options(const CommandLine& line);

// Of the run in the folder; what is asked for again must be equal, device and threads may differ.
RunOptions resumed_options(const RunFolder& folder, const CommandLine& line);

}  // namespace gallop
