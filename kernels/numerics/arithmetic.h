#pragma once

#include <gallop/kernels/numerics/platform.h>

namespace gallop {

// What a request allows: the same bits on every device, or arithmetic of the device's own (tensor
// cores, approximate functions), which is repeatable on one model and build. Backends and shapes
// that have no such arithmetic take the strict one.
enum class Arithmetic : int { kStrict, kFast };

}  // namespace gallop
