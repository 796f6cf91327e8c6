// gallop_gpu_trust_region COMMIT: times a Fisher product over 50 000 samples and TRPO's update of
// the policy over a million on a real device, and prints CSV.
#include <cstdio>
#include <exception>

#include "tests/cuda/trust_region_bench.h"

int main(int argc, char** argv) {
  using namespace gallop;
  using namespace gallop::testing;
  if (argc != 2) {
    std::fprintf(stderr, "usage: gallop_gpu_trust_region COMMIT\n");
    return 2;
  }
  try {
    std::string why;
    const auto backend = make_cuda_backend(why, nullptr);
    if (backend == nullptr) {
      std::fprintf(stderr, "gallop_gpu_trust_region: %s\n", why.c_str());
      return 7;
    }
    std::printf("%s\n", trust_region_header().c_str());
    const auto report = [&](const TrustRegionTime& row) {
      std::printf("%s\n", trust_region_line(row, argv[1]).c_str());
      std::fflush(stdout);
    };
    bench_trust_region(*backend, 1000, 50, 100, 21, report);
    bench_trust_region(*backend, 10000, 100, 20, 11, report);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gallop_gpu_trust_region: %s\n", error.what());
    return 1;
  }
}
