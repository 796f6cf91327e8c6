// Vector operations of a team of threads that work on one step together. The arithmetic of a step
// is a template on the team, written once: here one thread is the team, on a device one block is
// (kernels/device/block_team.cuh). Every number is owned by one thread, always the same, so that
// `each` and `dot` may follow each other without a barrier.
#pragma once

#include <gallop/kernels/numerics/scalar.h>

namespace gallop::inline GALLOP_ISA {

// The order of a dot product, the same for every team: partial sum k takes the elements k, k +
// 1024, k + 2048 ... in one chain of fused multiply-adds in double; then the upper half of the
// partial sums is added to the lower half until one is left. A power of two, wide enough that one
// block reads memory at the speed of its multiprocessor and registers of any width hold several
// sums.
constexpr int kDotSums = 1024;

struct OneThread {
  // Calls body(i) for i in [0, n); the calls do not depend on each other.
  template <class Body>
  GALLOP_TEAM void each(long n, const Body& body) const {
    for (long i = 0; i < n; i++) body(i);
  }
  GALLOP_TEAM double dot(const float* x, const float* y, long n) const {
    double sum[kDotSums];
    for (int k = 0; k < kDotSums; k++) sum[k] = 0.0;
    for (long i = 0; i < n; i += kDotSums) {
      const int left = n - i < kDotSums ? int(n - i) : kDotSums;
      for (int k = 0; k < left; k++) {
        sum[k] = fmadd(double(x[i + k]), double(y[i + k]), sum[k]);
      }
    }
    for (int half = kDotSums / 2; half > 0; half /= 2) {
      for (int k = 0; k < half; k++) sum[k] = sum[k] + sum[k + half];
    }
    return sum[0];
  }
  // Every thread waits for the others.
  GALLOP_TEAM void meet() const {}
  // True for the one thread that writes scalars.
  GALLOP_TEAM bool leads() const { return true; }
};

// The team of an operation on the CPU: hangs on F, so that compilers of device code, for which a
// team is a block, look into it only where it is asked for.
template <class F>
struct CpuTeam : OneThread {};

GALLOP_HD bool is_finite(double x) { return x - x == 0.0; }

}  // namespace gallop::inline GALLOP_ISA
