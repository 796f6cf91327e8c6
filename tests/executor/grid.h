#pragma once

#include <vector>

#include "tests/executor/block.h"

namespace gallop::executor {

// Runs every block of the launch with current_options(). Throws what the failed block with the
// lowest number threw; launches that a device would refuse are faults too.
void run_grid(const GridLaunch& launch);

// While it lives, run_grid on this host thread only appends to the list: CUDA's stream capture.
class ScopedCapture {
 public:
  explicit ScopedCapture(std::vector<GridLaunch>& to);
  ScopedCapture(const ScopedCapture&) = delete;
  ScopedCapture& operator=(const ScopedCapture&) = delete;
  ~ScopedCapture();
};
bool is_capturing();

}  // namespace gallop::executor
