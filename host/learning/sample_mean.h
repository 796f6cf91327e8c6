#pragma once

#include <span>

namespace gallop {

// Mean and spread of numbers of which all are finite.
struct SampleMean {
  long count = 0;
  double mean = 0;            // 0 of none
  double sum_of_squares = 0;  // of the deviations from the mean
};

// Equal numbers have exactly that mean and no deviation; whole numbers whose sum is below 2^53 have
// their sum divided once, rounded once.
SampleMean sample_mean(std::span<const double> values);

}  // namespace gallop
