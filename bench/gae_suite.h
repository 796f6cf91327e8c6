#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/row.h"

namespace gallop {

// Advantages of recorded rollouts, by the sequential kernel and by the scan of chunks, whichever of
// them the library takes at that length (kernels/estimators/gae.h), discounted returns, and n-step
// returns.
struct GaeSuite {
  std::vector<std::string> shapes;  // "8192x128", instances x steps; empty for kGaeShapes
  std::string device = "cpu";
  int threads = 1;       // of the CPU backend
  double seconds = 0.3;  // for each side of a row
};

// Long, middling and short rollouts, and lengths about the one from which the scan is taken.
extern const std::vector<std::string> kGaeShapes;

// The two kernels round differently, and the plain loop as the first of them but for fused
// multiply-adds.
constexpr double kGaeTolerance = 1e-5;

// Measures and hands out row after row. Throws a usage or value error before anything is measured.
void run_gae_suite(const GaeSuite& suite, const std::function<void(const BenchRow&)>& show);

}  // namespace gallop
