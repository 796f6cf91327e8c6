#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/row.h"

namespace gallop {

// Gradients of stochastic computation graphs by their surrogate loss: samples drawn, costs, one
// backward pass, means over the samples; a gradient after the other, each of new samples. Rows
// count samples a second.
struct GraphSuite {
  std::vector<std::string> examples;  // names; empty for the five rows of the lecture's table
  long samples = 10000;               // of a gradient
  std::string device = "cpu";
  int threads = 1;       // of the CPU backend
  double seconds = 0.3;  // for each row
};

// Measures and hands out row after row. Throws a usage or value error before anything is measured.
void run_graph_suite(const GraphSuite& suite, const std::function<void(const BenchRow&)>& show);

}  // namespace gallop
