// Compiled once for each instruction set.
#include "kernels/laboratory/bandit.h"

#include "kernels/laboratory/rows.h"

GALLOP_LABORATORY(bandit, gallop::GALLOP_ISA::OneStep<gallop::GALLOP_ISA::QuadraticReward>)
GALLOP_LABORATORY(bandit_step, gallop::GALLOP_ISA::OneStep<gallop::GALLOP_ISA::StepReward>)
