#pragma once

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

namespace gallop {

// Time of this thread on a processor: on a shared machine the fairest clock for work that stays on
// one thread.
inline double thread_seconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}
inline double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Rates that were measured.
class Rates {
 public:
  void add(double work, double seconds) {
    values_.push_back(work / std::max(seconds, 1e-9));
    seconds_ += seconds;
  }
  std::size_t count() const { return values_.size(); }
  double seconds() const { return seconds_; }
  double best() const { return values_.empty() ? std::nan("") : quantile(1.0); }
  double median() const { return values_.empty() ? std::nan("") : quantile(0.5); }
  // Distance of the quartiles over the median.
  double spread() const {
    return values_.empty() ? std::nan("") : (quantile(0.75) - quantile(0.25)) / median();
  }

 private:
  double quantile(double q) const {
    std::vector<double> sorted = values_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[std::size_t(q * double(sorted.size() - 1) + 0.5)];
  }

  std::vector<double> values_;
  double seconds_ = 0;
};

}  // namespace gallop
