#pragma once

#include <string>

namespace gallop {

// One measurement of any suite. Numbers that do not apply are NaN: null in JSON, empty in CSV.
struct BenchRow {
  std::string name;   // suite/environment/policy/...
  std::string scope;  // what a unit is: S simulation, S+P with policy, S+P+L with learning
  std::string environment, policy;  // empty where the work has none
  std::string mode = "strict";      // or fast, where that is other arithmetic
  std::string shape;                // instances x steps
  std::string kernel;               // where more than one was measured
  std::string phase;                // of an iteration; empty for the whole
  std::string backend;              // cpu-v4, cpu-v3, cuda
  int threads = 1;
  bool stored = false;        // the trajectory was recorded
  double bytes_per_step = 0;  // written to it
  double flops_per_step = 0;  // of matrix products alone
  double per_second = 0;      // median
  double spread = 0;          // distance of the quartiles over the median
  std::string baseline;       // empty for none
  double baseline_per_second = 0;
  double difference = __builtin_nan("");  // greatest of the baseline's result from ours, over the
                                          // greatest magnitude of the result
  double peak_fraction = 0;  // of the measured rate of fused multiply-adds or stores, whichever
                             // bounds the row
  std::string checksum;      // of what was computed; the same for any number of threads
};

// One JSON object, one CSV line, one line of a table for people; and the heads of the latter two.
std::string to_json(const BenchRow& row);
std::string csv_header();
std::string to_csv(const BenchRow& row);
std::string table_header();
std::string to_table(const BenchRow& row);

}  // namespace gallop
