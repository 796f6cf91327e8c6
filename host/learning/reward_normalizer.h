#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gallop/host/learning/rollout_buffer.h>

namespace gallop {

// Running deviation of discounted returns, by which rewards are divided so that what a value
// network has to fit keeps its size: each instance has a sum G = gamma G + r, begun anew with each
// episode, and all of them so far have a variance, merged rollout by rollout (Chan, Golub and
// LeVeque 1979).
//
// Source: Engstrom et al., arXiv:2005.12729, section 3 ("reward scaling"); the sums are begun anew
// as in VecNormalize of Stable-Baselines3. Deviation from both: rewards are not clipped.
class RewardNormalizer {
 public:
  RewardNormalizer(int n_envs, double gamma) : gamma_(gamma), sum_(std::size_t(n_envs), 0.0) {}

  // Takes in a rollout, without what is masked. Copies its rewards to the host, and waits. Sums in
  // a fixed order: equal bits on every device.
  void update(const RolloutBuffer& rollout);

  // What rewards are multiplied by: 1 / sqrt(variance + 1e-8), 1 before there are any.
  double scale() const;

  // Tensors under prefix. `load` throws a checkpoint error for what cannot be after at most `most`
  // steps.
  void save(TensorFile& file, const std::string& prefix) const;
  void load(const TensorFile& file, const std::string& prefix, std::uint64_t most);

 private:
  double gamma_;
  std::vector<double> sum_;  // [N] of the episode that an instance is in
  double count_ = 0, mean_ = 0, sum_of_squares_ = 0;
};

}  // namespace gallop
