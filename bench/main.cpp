// gallop-bench, which `gallop bench` becomes: the benchmarks are a program of their own, so that
// nobody who trains has to compile what they measure against.
#include <gallop/host/program/run_main.h>
#include <gallop/host/runtime/processor.h>
#include "bench/bench.h"

int main(int argc, char** argv) {
  return gallop::run_main(argc, argv, [](const std::vector<std::string>& arguments) {
    gallop::processor_isa();  // refuses unsuitable processors before anything else
    return gallop::run_benchmarks(arguments);
  });
}
