// The command line of gallop train, and the options of the run that it asks for.
#pragma once

#include <gallop/host/program/command_line.h>
#include <gallop/host/training/run_folder.h>
#include <gallop/host/training/run_options.h>

namespace gallop {

Command train_command();

// Of a run that is to begin.
RunOptions asked_options(const CommandLine& line);

// Of a run that is resumed, with the options that it has: what is asked for again must be equal,
// but that it may have more steps, and what changes no bit (RunOptions::refuse_difference).
RunOptions resumed_options(const RunOptions& stored, const CommandLine& line);

}  // namespace gallop
