#include <gallop/host/studies/median_rule.h>

#include <algorithm>
#include <cmath>

namespace gallop {

void MedianRule::add(const Means& means) {
  for (std::size_t k = 0; k < means.size(); k++) {
    if (std::isfinite(means[k])) earlier_[k].push_back(means[k]);
  }
}

bool MedianRule::gives_up(int mark, double best) const {
  std::vector<double> known = earlier_[std::size_t(mark)];
  if (known.size() < kLeast) return false;
  const std::size_t middle = known.size() / 2;
  std::nth_element(known.begin(), known.begin() + std::ptrdiff_t(middle), known.end());
  double median = known[middle];
  if (known.size() % 2 == 0) {
    median =
        (median + *std::max_element(known.begin(), known.begin() + std::ptrdiff_t(middle))) / 2;
  }
  return best < median;
}

void WatchedRun::update(std::uint64_t step, double mean_return) {
  if (step <= step_ || given_up_) return;
  step_ = step;
  if (std::isfinite(mean_return)) {
    best_ = n_ == 0 ? mean_return : std::max(best_, mean_return);
    last_ = mean_return;
    sum_ += mean_return;
    n_++;
  }
  const auto mark_after = [&](std::size_t k) {
    return double(total_) * double(k + 1) / double(MedianRule::kMarks);
  };
  while (means_.size() < std::size_t(MedianRule::kMarks) &&
         double(step) >= mark_after(means_.size())) {
    means_.push_back(n_ > 0 ? sum_ / double(n_) : std::nan(""));
  }
  // A run that has reached its end is done, not given up.
  const int mark = int(means_.size()) - 1;
  if (rule_ == nullptr || mark < 0 || mark + 1 >= MedianRule::kMarks || n_ == 0) return;
  given_up_ = rule_->gives_up(mark, best_);
}

}  // namespace gallop
