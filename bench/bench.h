#pragma once

#include <string>
#include <vector>

namespace gallop {

// Runs the benchmark suite that the arguments name and prints its rows. Returns the exit code.
int run_benchmarks(const std::vector<std::string>& arguments);

// Throws a value error unless a build of that type and with that state of assertions is worth
// measuring.
void check_build(const std::string& build_type, bool assertions);

}  // namespace gallop
