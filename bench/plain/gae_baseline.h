// Advantages and returns as they are commonly written: what the gae suite measures Gallop against.
// Plain data only crosses to the units of one instruction set.
#pragma once

#include <gallop/kernels/estimators/gae.h>

namespace gallop {

enum class GaeKernel : int { kSequential, kScan, kReturns, kNStep };

constexpr int kBenchNStep = 5;

// All instances; `following` [N] is overwritten. Returns begin with the last row of values and are
// written to `advantage`.
using GaeBaseline = void(const GaeRequest&, GaeKernel, float* following);

}  // namespace gallop
