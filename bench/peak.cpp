#include "bench/peak.h"

#include <immintrin.h>

#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include <gallop/host/error.h>
#include <gallop/kernels/numerics/platform.h>
#include "bench/timer.h"

namespace gallop {
namespace {

// Enough sums in flight to hide a latency of four cycles on two units.
constexpr int kSums = 12;
constexpr long kRounds = 20000;

__attribute__((target("avx512f"))) void fma_rounds_v4() {
  __m512 sum[kSums], x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(0.001f);
  GALLOP_UNROLL(12)
  for (int i = 0; i < kSums; i++) sum[i] = y;
  for (long k = 0; k < kRounds; k++) {
    GALLOP_UNROLL(12)
    for (int i = 0; i < kSums; i++) {
      sum[i] = _mm512_fmadd_ps(sum[i], x, y);
      asm volatile("" : "+v"(sum[i]));
    }
  }
}

__attribute__((target("avx2,fma"))) void fma_rounds_v3() {
  __m256 sum[kSums], x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(0.001f);
  GALLOP_UNROLL(12)
  for (int i = 0; i < kSums; i++) sum[i] = y;
  for (long k = 0; k < kRounds; k++) {
    GALLOP_UNROLL(12)
    for (int i = 0; i < kSums; i++) {
      sum[i] = _mm256_fmadd_ps(sum[i], x, y);
      asm volatile("" : "+x"(sum[i]));
    }
  }
}

// Larger than a last-level cache, so that every line goes to memory.
constexpr std::size_t kBytes = std::size_t(64) << 20, kDeviceBytes = std::size_t(512) << 20;
constexpr int kCopies = 16;  // before the host waits

}  // namespace

double measure_fma_rate(Isa isa, double seconds) {
  const double flops = 2.0 * kSums * kRounds * (isa == Isa::v4 ? 16 : 8);
  Rates rates;
  while (rates.seconds() < seconds || rates.count() < 5) {
    const double start = thread_seconds();
    isa == Isa::v4 ? fma_rounds_v4() : fma_rounds_v3();
    rates.add(flops, thread_seconds() - start);
  }
  return rates.median();  // the best of short samples is the clock's error, not the processor's
}

double measure_store_bandwidth(int threads, double seconds) {
  std::vector<char*> buffers(threads);
  for (char*& buffer : buffers) {
    buffer = static_cast<char*>(std::aligned_alloc(64, kBytes));
    if (buffer == nullptr) throw internal_error("out of memory for the bandwidth benchmark");
    std::memset(buffer, 1, kBytes);
  }
  Rates rates;
  while (rates.seconds() < seconds || rates.count() < 5) {
    const double start = threads == 1 ? thread_seconds() : wall_seconds();
    std::vector<std::thread> others;
    for (int t = 1; t < threads; t++) {
      others.emplace_back([&, t] { std::memset(buffers[t], int(rates.count()), kBytes); });
    }
    std::memset(buffers[0], int(rates.count()), kBytes);
    for (std::thread& other : others) other.join();
    rates.add(double(kBytes) * threads, (threads == 1 ? thread_seconds() : wall_seconds()) - start);
  }
  for (char* buffer : buffers) std::free(buffer);
  return rates.best();
}

double measure_copy_bandwidth(Backend& backend, std::size_t bytes, double seconds) {
  const auto from = DeviceArray<char>::zeroed(backend, bytes);
  const auto to = DeviceArray<char>::zeroed(backend, bytes);
  char done;
  Rates rates;
  while (rates.seconds() < seconds || rates.count() < 5) {
    to.download(&done, 1);
    const double start = wall_seconds();
    for (int k = 0; k < kCopies; k++) backend.copy_bytes(to.data(), from.data(), bytes);
    to.download(&done, 1);  // waits for the device
    rates.add(2.0 * kCopies * double(bytes), wall_seconds() - start);
  }
  return rates.best();
}

double measure_memory_rate(Backend& backend, int threads, double seconds) {
  return backend.name() == "cpu" ? measure_store_bandwidth(threads, seconds)
                                 : measure_copy_bandwidth(backend, kDeviceBytes, seconds);
}

}  // namespace gallop
