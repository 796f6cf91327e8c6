// gallop bench: hands its arguments to the benchmark suites.
#include "bench/bench.h"

#include "host/program/command_line.h"

namespace gallop {

int run_bench(const std::vector<std::string>& arguments) { return run_benchmarks(arguments); }

}  // namespace gallop
