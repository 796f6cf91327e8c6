#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace gallop {

// When a run is given up: at one of some marks, where the best return that it has had is below the
// median, over earlier runs, of the mean return up to that mark.
//
// Source: Golovin et al., Google Vizier (KDD 2017), section 3.2.2, "median stopping rule".
class MedianRule {
 public:
  static constexpr int kMarks = 20;         // equal parts of a run's steps
  static constexpr std::size_t kLeast = 5;  // earlier runs that make a median

  // Mean returns up to each mark that a run has reached.
  using Means = std::vector<double>;  // [0 .. kMarks]

  // Takes in a run that has ended.
  void add(const Means& means);
  // Whether a run whose best return is `best` is to be given up at a mark.
  bool gives_up(int mark, double best) const;

 private:
  std::array<std::vector<double>, kMarks> earlier_;
};

// A run as the rule sees it, iteration by iteration.
class WatchedRun {
 public:
  // Of a run of `total` steps; without a rule it is only watched.
  WatchedRun(const MedianRule* rule, std::uint64_t total) : rule_(rule), total_(total) {}

  // The step after an iteration, and the mean return known then, NaN before there is one. Steps
  // that are not greater than the last one are left out: those of a log that is gone on with.
  void update(std::uint64_t step, double mean_return);

  bool is_given_up() const { return given_up_; }
  std::uint64_t step() const { return step_; }
  double last_return() const { return last_; }  // NaN for none
  const MedianRule::Means& means() const { return means_; }

 private:
  const MedianRule* rule_;
  std::uint64_t total_, step_ = 0;
  bool given_up_ = false;
  double sum_ = 0, best_ = 0, last_ = __builtin_nan("");
  std::int64_t n_ = 0;
  MedianRule::Means means_;
};

}  // namespace gallop
