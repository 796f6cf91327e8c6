// Native: the F of CPU code, one register of floats of this translation unit's instruction set.
#pragma once

#include <gallop/kernels/numerics/platform.h>

#if GALLOP_LANES > 1
#include <gallop/kernels/numerics/lanes.h>
#else
#include <gallop/kernels/numerics/scalar.h>
#endif

// Lambdas that must not cost a call. GCC and Clang take the attribute after the parameter list.
#define GALLOP_INLINE_LAMBDA __attribute__((always_inline))

namespace gallop::inline GALLOP_ISA {

#if GALLOP_LANES > 1
using Native = FloatLanes<GALLOP_LANES>;
#else
using Native = float;
#endif

}  // namespace gallop::inline GALLOP_ISA
