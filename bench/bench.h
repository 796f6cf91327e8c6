#pragma once

#include <string>
#include <vector>

namespace gallop {

// Runs the benchmark suite that the arguments name and prints its rows. Returns the exit code.
int run_benchmarks(const std::vector<std::string>& arguments);

}  // namespace gallop
