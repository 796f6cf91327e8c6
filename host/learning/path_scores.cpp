#include <gallop/host/learning/path_scores.h>

#include <fmt/format.h>

namespace gallop {

PathScores::PathScores(Backend& backend, OnPolicyLearner& learner)
    : backend_(backend),
      learner_(learner),
      path_return_(backend, learner.n_samples()),
      complete_(backend, learner.n_samples()),
      order_(backend, learner.n_samples()) {}

long PathScores::find() {
  const RolloutArrays& a = learner_.arrays();
  PathReturnsRequest r = {};
  r.n_steps = a.n_steps;
  r.n_envs = a.n_envs;
  r.gamma = float(learner_.advantages().gamma());
  r.reward_scale = float(learner_.advantages().reward_scale());
  r.reward = a.reward;
  r.terminated = a.terminated;
  r.truncated = a.truncated;
  r.path_return = path_return_.data();
  r.complete = complete_.data();
  backend_.path_returns(r);

  const std::size_t n = std::size_t(learner_.n_samples());
  std::vector<std::uint8_t> terminated(n), truncated(n);
  backend_.to_host(terminated.data(), a.terminated, n);
  backend_.to_host(truncated.data(), a.truncated, n);
  const std::vector<float> values = path_return_.download();
  returns_.clear();
  first_.clear();
  ids_.clear();
  for (int i = 0; i < a.n_envs; i++) {
    int begin = 0;
    for (int t = 0; t < a.n_steps; t++) {
      const std::size_t at = std::size_t(t) * a.n_envs + i;
      if (learner_.rollout().mask().hides(t, i)) break;
      if ((terminated[at] | truncated[at]) == 0) continue;
      require_finite(values[at], fmt::format("the return of a path of instance {}", i));
      returns_.push_back(values[at]);
      first_.push_back(long(ids_.size()));
      for (; begin <= t; begin++) ids_.push_back(std::uint32_t(begin) * a.n_envs + i);
    }
  }
  return long(returns_.size());
}

// Centring by the leave-one-out mean is centring by the mean, times m / (m - 1).
void PathScores::gradient_with_mean_baseline(bool subtract_mean) {
  const double m = double(returns_.size());
  double mean = 0;
  for (const float r : returns_) mean += double(r) / m;
  std::vector<float> advantage(learner_.n_samples(), 0.0f);
  for (std::size_t e = 0; e < returns_.size(); e++) {
    const double a = subtract_mean ? (double(returns_[e]) - mean) * (m / (m - 1)) : returns_[e];
    const long end = e + 1 < returns_.size() ? first_[e + 1] : long(ids_.size());
    for (long k = first_[e]; k < end; k++) advantage[ids_[k]] = float(a);
  }
  backend_.to_device(learner_.arrays().advantage, advantage.data(),
                     advantage.size() * sizeof(float));
  PolicyGradientRequest r = learner_.policy().gradient_request(learner_.all_samples());
  r.loss = PolicyLoss::kLikelihoodRatio;
  r.weight = float(1.0 / m);
  backend_.policy_gradient(r);
}

// score [m, D + statistics]: the sum of grad log pi over each path.
void PathScores::score_paths() {
  const std::size_t m = returns_.size();
  const long n = learner_.policy().parameters().size(), stride = n + kPolicyStatistics;
  if (score_.size() < m * stride) {
    score_ = DeviceArray<float>(backend_, m * stride);
    paths_ = DeviceArray<float>(backend_, m);
    squared_norm_ = DeviceArray<float>(backend_, m);
  }
  const std::vector<float> minus_one(learner_.n_samples(), -1.0f);
  backend_.to_device(learner_.arrays().advantage, minus_one.data(),
                     minus_one.size() * sizeof(float));
  order_.upload(ids_.data(), ids_.size());
  paths_.upload(returns_.data(), m);
  for (std::size_t e = 0; e < m; e++) {
    const long end = e + 1 < m ? first_[e + 1] : long(ids_.size());
    PolicyGradientRequest r = learner_.policy().gradient_request(
        learner_.samples(order_.data() + first_[e], end - first_[e]));
    r.loss = PolicyLoss::kLikelihoodRatio;
    r.weight = 1.0f;
    r.gradient = score_.data() + e * stride;
    backend_.policy_gradient(r);
  }
}

void PathScores::gradient_with_optimal_baseline(bool per_component) {
  score_paths();
  const std::size_t m = returns_.size();
  const long n = learner_.policy().parameters().size(), stride = n + kPolicyStatistics;
  OptimalBaselineRequest r = {};
  r.n_paths = int(m);
  r.stride = stride;
  r.score = score_.data();
  r.path_return = paths_.data();
  if (!per_component) {
    std::vector<float> squared(m);
    for (std::size_t e = 0; e < m; e++) {
      const double length = norm(backend_, score_.data() + e * stride, n);
      require_finite(length, "the norm of a path's score");
      squared[e] = float(length * length);
    }
    squared_norm_.upload(squared.data(), m);
    r.squared_norm = squared_norm_.data();
  }
  r.gradient = learner_.policy().parameters().gradient();
  r.n_parameters = n;
  backend_.optimal_baseline(r);
}

}  // namespace gallop
