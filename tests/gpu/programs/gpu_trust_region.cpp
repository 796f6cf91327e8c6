// gallop_gpu_trust_region [--cpu] COMMIT: times Fisher products over 50 000 and over a million
// samples, by the fused kernel and by cuBLAS, and TRPO's update of the policy in both modes on a
// real device, and prints CSV; with --cpu those over 50 000 on the processor. What the device says
// of its libraries goes to standard error.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <cstring>
#include <exception>

#include "tests/cuda/trust_region_bench.h"

namespace {

// Fused multiply-adds in float at the greatest clock: 128 a cycle of each multiprocessor of compute
// capability 9.0. 0 where the device does not tell.
double multiply_adds_per_second() {
  int multiprocessors = 0, kilohertz = 0;
  if (cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, 0) != cudaSuccess ||
      cudaDeviceGetAttribute(&kilohertz, cudaDevAttrClockRate, 0) != cudaSuccess) {
    return 0;
  }
  return 128.0 * multiprocessors * kilohertz * 1e3;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace gallop;
  using namespace gallop::testing;
  const bool on_cpu = argc > 1 && std::strcmp(argv[1], "--cpu") == 0;
  const int rest = on_cpu ? 2 : 1;
  if (argc != rest + 1) {
    std::fprintf(stderr, "usage: gallop_gpu_trust_region [--cpu] COMMIT\n");
    return 2;
  }
  const auto say = [](const std::string& text) {
    std::fprintf(stderr, "gallop_gpu_trust_region: %s\n", text.c_str());
  };
  try {
    std::string why;
    const auto backend = on_cpu ? make_cpu_backend(0) : make_cuda_backend(-1, why, say);
    if (backend == nullptr) {
      say(why);
      return 7;
    }
    const double bound = on_cpu ? 0 : multiply_adds_per_second();
    std::printf("%s\n", trust_region_header().c_str());
    const auto report = [&](const TrustRegionTime& row) {
      std::printf("%s\n", trust_region_line(row, bound, argv[rest]).c_str());
      std::fflush(stdout);
    };
    if (on_cpu) {
      bench_trust_region(*backend, 1000, 50, 2, 3, report);
      return 0;
    }
    bench_trust_region(*backend, 1000, 50, 100, 21, report);
    bench_trust_region(*backend, 10000, 100, 20, 11, report);
    return 0;
  } catch (const std::exception& error) {
    say(error.what());
    return 1;
  }
}
