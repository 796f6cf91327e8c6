#pragma once

#include "host/laboratory/problem.h"

namespace gallop {

// Solves for the baselines that are fitted on pilot paths, from their sums (PilotLayout), and puts
// them into the problem's model. Least squares of least norm where features do not tell paths apart
// (a first state that never varies), so a fit always exists.
void fit_baselines(LaboratoryProblem& problem, const std::vector<double>& sums);

// w that minimises sum (y - w' phi)^2, from the upper triangle of sum phi phi' by rows and, behind
// it, sum phi y: `normal` [n (n + 1) / 2 + n].
std::vector<double> solve_normal(const double* normal, int n);

}  // namespace gallop
