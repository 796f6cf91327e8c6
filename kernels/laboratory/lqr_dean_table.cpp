// Compiled once for each instruction set.
#include "kernels/laboratory/linear_quadratic.h"
#include "kernels/laboratory/rows.h"

GALLOP_LABORATORY(lqr_dean,
                  gallop::GALLOP_ISA::LinearQuadratic<gallop::GALLOP_ISA::NativeDoubles, 3>)
