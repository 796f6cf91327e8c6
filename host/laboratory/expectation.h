#pragma once

#include "host/laboratory/problem.h"

namespace gallop {

// What the mean of a row's estimates tends to for parameter d: a derivative, a difference quotient,
// or the derivative of the smoothed return. NaN where no closed form is known.
double expectation_of(const LaboratoryProblem& problem, const EstimatorRow& row, int d);

}  // namespace gallop
