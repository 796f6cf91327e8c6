#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/row.h"

namespace gallop {

// Fisher-vector products over recorded samples, what a conjugate gradient asks for again and again,
// beside the same in Eigen.
struct FisherSuite {
  // Of those that the baselines know; one with a category and one with a normal distribution.
  std::vector<std::string> environments = {"cartpole", "pendulum"};
  std::vector<std::string> policies = {"64-64"};  // of 64-64, 256-256
  std::string device = "cpu";
  int threads = 1;       // of the CPU backend; the baseline has one
  long samples = 50000;  // of a product
  double seconds = 0.3;  // for each side of a row
};

// Greatest difference between the two sides' products that is put down to rounding, over the
// greatest magnitude: sums of 50 000 terms in other orders.
constexpr double kFisherTolerance = 1e-4;

// Measures and hands out row after row. Throws a usage or value error before anything is measured,
// and an internal error where the sides disagree.
void run_fisher_suite(const FisherSuite& suite, const std::function<void(const BenchRow&)>& show);

}  // namespace gallop
