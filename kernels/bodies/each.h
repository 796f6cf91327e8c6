// Loops whose index is a literal in every round, so that a table of the model read at it is one
// too.
#pragma once

#include <gallop/kernels/numerics/platform.h>

// Lambdas that must not cost a call, and loops that nvcc would unroll until registers spill.
#if defined(__CUDACC__)
#define GALLOP_BODY_LAMBDA
#define GALLOP_BODY_ROLLED GALLOP_UNROLL(1)
#else
#define GALLOP_BODY_LAMBDA __attribute__((always_inline))
#define GALLOP_BODY_ROLLED
#endif

namespace gallop::inline GALLOP_ISA {

template <int kFrom, int kEnd, class Body>
GALLOP_HD void each_from(Body& body) {
  if constexpr (kFrom < kEnd) {
    body(kFrom);
    each_from<kFrom + 1, kEnd>(body);
  }
}
template <int kFrom, class Body>
GALLOP_HD void each_down_from(Body& body) {
  if constexpr (kFrom >= 0) {
    body(kFrom);
    each_down_from<kFrom - 1>(body);
  }
}

// body(0) ... body(kCount - 1).
template <int kCount, class Body>
GALLOP_HD void each(Body body) {
  each_from<0, kCount>(body);
}
// body(kCount - 1) ... body(0).
template <int kCount, class Body>
GALLOP_HD void each_down(Body body) {
  each_down_from<kCount - 1>(body);
}

}  // namespace gallop::inline GALLOP_ISA
