#pragma once

#include <gallop/host/program/command_line.h>
#include <gallop/host/training/signals.h>

namespace gallop {

// What `gallop eval ENVIRONMENT --controller NAME` does; the exit code.
int evaluate_controller(const CommandLine& line, SignalGuard& signals);

}  // namespace gallop
