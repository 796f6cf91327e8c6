#pragma once

#include <algorithm>

#include "bench/peak.h"
#include "bench/timer.h"

namespace gallop {

constexpr std::size_t kLeastSamples = 5;

// Rates of two sides that are measured in turns, A B A B, so that both, and the peak of fused
// multiply-adds between them, meet the same neighbours and clock rates. A side has `run()` and
// `work()`, the units that one run does.
struct Turns {
  double seconds;  // for each side
  int threads;     // of ours; the baseline has one
  bool on_cpu;     // of ours

  Rates ours = {}, baseline = {}, copy = {}, fma = {};

  struct NoSide {
    void run() {}
    double work() const { return 0; }
  };
  template <class Ours, class Baseline, class Copy = NoSide>
  void take(Ours& our_side, Baseline* their_side, Copy* copying_side = nullptr) {
    const auto our_clock = on_cpu && threads == 1 ? thread_seconds : wall_seconds;
    while (ours.seconds() < seconds || ours.count() < kLeastSamples) {
      time(ours, our_clock, our_side);
      if (their_side != nullptr) time(baseline, thread_seconds, *their_side);
      if (copying_side != nullptr) time(copy, thread_seconds, *copying_side);
      if (on_cpu) fma.add(measure_fma_rate(processor_isa(), 0.001) * threads, 1.0);
    }
  }

 private:
  // A sample lasts long enough for the clock and for what disturbs it to average out.
  template <class Side>
  void time(Rates& rates, double (*clock)(), Side& side) const {
    const double start = clock();
    const double least = std::min(0.01, seconds / kLeastSamples);
    double work = 0, passed = 0;
    do {
      side.run();
      work += side.work();
      passed = clock() - start;
    } while (passed < least);
    rates.add(work, passed);
  }
};

}  // namespace gallop
