#pragma once

#include "tests/executor/block.h"

namespace gallop::executor {

// Runs every block of the launch with current_options(). Throws what the failed block with the
// lowest number threw; launches that a device would refuse are faults too.
void run_grid(const GridLaunch& launch);

}  // namespace gallop::executor
