#include <gallop/host/learning/reward_normalizer.h>

#include <cmath>
#include <limits>

#include <gallop/host/files/checked_tensor.h>
#include <gallop/host/files/tensor_file.h>

namespace gallop {

void RewardNormalizer::update(const RolloutBuffer& rollout) {
  const std::size_t n_samples = std::size_t(rollout.n_samples()), n_envs = sum_.size();
  const std::vector<float> reward = rollout.downloaded_rewards();
  const std::vector<std::uint8_t> ended = rollout.downloaded_ends();
  const bool is_masked = !rollout.mask().empty();
  // Of this rollout, about its own mean: a first pass for the sums, a second for their squares.
  std::vector<double> returns;
  returns.reserve(n_samples);
  for (std::size_t k = 0; k < n_samples; k++) {
    const std::size_t i = k % n_envs;
    if (is_masked && rollout.mask().hides(int(k / n_envs), int(i))) {
      sum_[i] = 0;
      continue;
    }
    sum_[i] = gamma_ * sum_[i] + double(reward[k]);
    returns.push_back(sum_[i]);
    if (ended[k] != 0) sum_[i] = 0;
  }
  if (returns.empty()) return;
  double mean = 0, squares = 0;
  for (const double g : returns) mean += g;
  mean /= double(returns.size());
  for (const double g : returns) squares += (g - mean) * (g - mean);
  const double n = double(returns.size()), total = count_ + n, shift = mean - mean_;
  mean_ += shift * (n / total);
  sum_of_squares_ += squares + shift * shift * (count_ * n / total);
  count_ = total;
}

double RewardNormalizer::scale() const {
  return count_ == 0 ? 1.0 : 1.0 / std::sqrt(sum_of_squares_ / count_ + 1e-8);
}

void RewardNormalizer::save(TensorFile& file, const std::string& prefix) const {
  file.put<double>(prefix + "/sum", {sum_.size()}, sum_);
  file.put_scalar<double>(prefix + "/mean", mean_);
  file.put_scalar<double>(prefix + "/sum_of_squares", sum_of_squares_);
  file.put_scalar<double>(prefix + "/count", count_);
}

void RewardNormalizer::load(const TensorFile& file, const std::string& prefix, std::uint64_t most) {
  constexpr double kGreatest = std::numeric_limits<double>::max();
  sum_ = finite_doubles(file, prefix + "/sum", sum_.size(), -kGreatest, kGreatest);
  mean_ = finite_number(file, prefix + "/mean", -kGreatest, kGreatest);
  sum_of_squares_ = finite_number(file, prefix + "/sum_of_squares", 0, kGreatest);
  count_ = finite_number(file, prefix + "/count", 0, double(most));
}

}  // namespace gallop
