#pragma once

#include <memory>
#include <vector>

#include <gallop/host/learning/black_box.h>
#include <gallop/host/studies/sweep.h>

namespace gallop {

// Proposes settings of a sweep, generation by generation, and is told how good they are.
class SweepSearch {
 public:
  virtual ~SweepSearch() = default;
  // The next generation, points [axes] in [0, 1]; of which `first` settings were before.
  virtual std::vector<std::vector<double>> ask(std::int64_t first) = 0;
  // Scores of that generation; NaN where there is none.
  virtual void tell(const std::vector<double>& scores) = 0;
};

// Random, or by a black-box optimizer on the backend. Throws a usage error for an unknown one, and
// what its options throw. The sweep and the backend outlive it.
std::unique_ptr<SweepSearch> make_search(const OptionSweep& sweep, Backend& backend);

}  // namespace gallop
