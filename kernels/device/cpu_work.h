// What an operation works with on the CPU: the threads of its backend, and memory. Plain pointers,
// for operations are compiled once for each instruction set.
#pragma once

#include <gallop/kernels/numerics/scalar.h>

namespace gallop {

// Instances in a block: a multiple of what a cache line of flags holds, so that threads share none.
constexpr long kInstanceGrain = 64;

struct CpuWork {
  int n_threads;
  void* owner;
  // Calls body(context, thread, begin, end) on all threads for blocks of [0, n), a multiple of
  // `grain` long but for the last, and returns when all are done. The bits of an operation depend
  // on neither. The body must not throw.
  void (*run)(void* owner, long n, long grain,
              void (*body)(const void* context, int thread, long begin, long end),
              const void* context);
  // Aligned to 64 bytes, undefined contents; takes back what the call before gave.
  float* (*floats)(void* owner, long count);
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Calls body(thread, begin, end) for blocks of [0, n).
template <class Body>
void split(const CpuWork& on, long n, long grain, const Body& body) {
  on.run(
      on.owner, n, grain,
      [](const void* context, int thread, long begin, long end) {
        (*static_cast<const Body*>(context))(thread, begin, end);
      },
      &body);
}

// Calls body(i, count) for registers of [0, n): elements i to i + count - 1.
template <class F, class Body>
void split_registers(const CpuWork& on, long n, long grain, const Body& body) {
  split(on, n, grain, [&](int, long begin, long end) {
    constexpr int kW = kLanesOf<F>;
    for (long i = begin; i < end; i += kW) body(i, end - i < kW ? int(end - i) : kW);
  });
}

// Floats that take up whole cache lines.
GALLOP_HD long whole_lines(long floats) { return (floats + 15) / 16 * 16; }

}  // namespace gallop::inline GALLOP_ISA
