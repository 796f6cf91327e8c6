#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/row.h"

namespace gallop {

// Whole iterations of an algorithm (S+P+L) and, of trpo and bptt, their phases.
struct TrainingSuite {
  std::string algorithm = "trpo";
  std::string environment = "cartpole";
  // "name=value", after the algorithm's defaults and before n_envs, n_steps and hidden layers below
  // where those are not among them. Shipped configurations are left out.
  std::vector<std::string> assignments;
  std::string device = "cpu";
  int threads = 1;
  double seconds = 2;  // of iterations, and as much again of phases
};

// 64 x 782 = 50 048 samples an iteration and hidden layers of 64 and 64 units.
extern const std::vector<std::string> kTrainingShape;

// Measures and hands out row after row. Throws a usage or value error before anything is measured.
void run_training_suite(const TrainingSuite& suite,
                        const std::function<void(const BenchRow&)>& show);

}  // namespace gallop
