// gallop_gpu_bits [--small | --plant] COMMIT: compares the CPU's bits with a real device's, prints
// CSV, and fails where a row differs. With --small on small shapes; with --plant on those, after
// the device's policies were changed, so that it has to fail.
#include <cstdio>
#include <cstring>
#include <exception>

#include "tests/cuda/bits_table.h"

int main(int argc, char** argv) {
  using namespace gallop;
  using namespace gallop::testing;
  const bool plant = argc > 1 && std::strcmp(argv[1], "--plant") == 0;
  const bool small = plant || (argc > 1 && std::strcmp(argv[1], "--small") == 0);
  const int rest = small ? 2 : 1;
  if (argc != rest + 1) {
    std::fprintf(stderr, "usage: gallop_gpu_bits [--small | --plant] COMMIT\n");
    return 2;
  }
  try {
    std::string why;
    const auto subject = make_cuda_backend(-1, why, nullptr);
    if (subject == nullptr) {
      std::fprintf(stderr, "gallop_gpu_bits: %s\n", why.c_str());
      return 7;
    }
    const auto cpu = make_cpu_backend(0);
    int n_rows = 0, n_different = 0;
    std::printf("%s\n", bits_header().c_str());
    compare_bits(*cpu, *subject, small ? BitsSize::kSmall : BitsSize::kFull, plant,
                 [&](const BitsRow& row) {
                   std::printf("%s\n", bits_line(row, argv[rest]).c_str());
                   std::fflush(stdout);
                   n_rows++;
                   n_different += row.cpu_hash == row.gpu_hash ? 0 : 1;
                 });
    std::fprintf(stderr, "%d rows, %d differ\n", n_rows, n_different);
    return n_rows > 0 && n_different == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gallop_gpu_bits: %s\n", error.what());
    return 1;
  }
}
