// Compiled once for each instruction set.
#include "kernels/laboratory/decision_process.h"
#include "kernels/laboratory/rows.h"

GALLOP_LABORATORY(mdp, gallop::GALLOP_ISA::DecisionProcess)
