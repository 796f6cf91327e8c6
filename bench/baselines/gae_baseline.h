// Generalised advantage estimation as it is commonly written: what the gae suite measures Gallop
// against. Plain data only crosses to the units of one instruction set.
#pragma once

#include "kernels/estimators/gae.h"

namespace gallop {

// All instances; `following` [N] is overwritten.
using GaeBaseline = void(const GaeRequest&, float* following);

}  // namespace gallop
