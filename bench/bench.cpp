#include "bench/bench.h"

#include "host/error.h"

namespace gallop {

int run_benchmarks(const std::vector<std::string>& arguments) {
  const std::string suite = arguments.empty() ? "" : arguments.front();
  throw usage_error("unknown benchmark suite '" + suite + "'");
}

}  // namespace gallop
