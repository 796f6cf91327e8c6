#include <gallop/host/learning/advantages.h>

#include <cmath>

namespace gallop {

ValueTarget value_target(const std::string& choice) {
  return choice == "td"            ? ValueTarget::kTd
         : choice == "monte_carlo" ? ValueTarget::kMonteCarlo
                                   : ValueTarget::kLambda;
}

Advantages::Advantages(Backend& backend, const RolloutBuffer& rollout, const Options& options)
    : backend_(&backend),
      gamma_(options.real("gamma")),
      lambda_(options.real("gae_lambda")),
      reward_scale_(options.real("reward_scale")),
      normalizes_(options.has("normalize_advantages") && options.flag("normalize_advantages")),
      value_(
          DeviceArray<float>::zeroed(backend, std::size_t(rollout.n_samples() + rollout.n_envs()))),
      final_value_(DeviceArray<float>::zeroed(backend, std::size_t(rollout.n_samples()))),
      advantage_(backend, std::size_t(rollout.n_samples())),
      target_(backend, std::size_t(rollout.n_samples())) {}

// What all estimators read, whatever they write.
template <class Request>
Request Advantages::request(const RolloutBuffer& rollout) const {
  const Trajectory& t = rollout.trajectory();
  Request r = {};
  r.n_steps = t.n_steps;
  r.n_envs = t.n_envs;
  r.gamma = float(gamma_);
  r.reward_scale = float(reward_scale_);
  r.reward = t.reward;
  r.terminated = t.terminated;
  r.truncated = t.truncated;
  r.final_value = final_value_.data();
  return r;
}

template <class Request>
Request Advantages::advantage_request(const RolloutBuffer& rollout, float* target) const {
  Request r = request<Request>(rollout);
  r.value = value_.data();
  r.advantage = advantage_.data();
  r.target = target;
  return r;
}

void Advantages::by_gae(const RolloutBuffer& rollout, double lambda, float* target) {
  GaeRequest r = advantage_request<GaeRequest>(rollout, target);
  r.lambda = float(lambda);
  backend_->gae(r);
}

void Advantages::by_n_step(const RolloutBuffer& rollout, int n, float* target) {
  NStepRequest r = advantage_request<NStepRequest>(rollout, target);
  r.n = n;
  backend_->n_step(r);
}

void Advantages::targets_by_returns(const RolloutBuffer& rollout) {
  ReturnsRequest r = request<ReturnsRequest>(rollout);
  r.last_value = value_.data() + rollout.n_samples();
  r.returns = target_.data();
  backend_->returns(r);
}

void Advantages::estimate(const RolloutBuffer& rollout, const AdvantageEstimate& how) {
  // An estimator writes targets of its own beside the advantages, where they are those wanted.
  float* beside = nullptr;
  if (how.target == ValueTarget::kMonteCarlo) {
    targets_by_returns(rollout);
  } else if (how.target == ValueTarget::kTd) {
    by_n_step(rollout, 1, target_.data());
  } else if (how.n_step == 0 && how.lambda == lambda_) {
    beside = target_.data();
  } else {
    by_gae(rollout, lambda_, target_.data());
  }
  if (how.n_step > 0) {
    by_n_step(rollout, how.n_step, beside);
  } else {
    by_gae(rollout, how.lambda, beside);
  }
  if (how.discounts_by_age) {
    backend_->discount_by_age(
        {advantage_.data(), rollout.age(), float(gamma_), rollout.n_samples()});
  }
  normalize(rollout);
}

void Advantages::normalize(const RolloutBuffer& rollout) {
  const bool is_masked = !rollout.mask().empty();
  const Moments m = is_masked ? moments_of_learned(rollout)
                              : moments(*backend_, advantage_.data(), rollout.n_steps(),
                                        rollout.n_envs(), rollout.n_envs());
  require_finite(m.mean, "the mean advantage");
  // One advantage has no deviation: mean 0 would leave nothing of it to learn from.
  const bool single = m.count == 1;
  std_ = single ? 1.0 : std::sqrt(m.sum_of_squares / double(m.count));
  if (normalizes_ && !single) {
    backend_->standardize(
        {advantage_.data(), rollout.n_samples(), float(m.mean), float(1.0 / (std_ + 1e-8))});
  }
  if (is_masked) still_masked(rollout);
}

// The advantages of what is learned from.
Moments Advantages::moments_of_learned(const RolloutBuffer& rollout) const {
  const std::vector<float> all = advantage_.download();
  const std::size_t n_envs = std::size_t(rollout.n_envs());
  std::vector<float> learned;
  for (std::size_t k = 0; k < all.size(); k++) {
    if (!rollout.mask().hides(int(k / n_envs), int(k % n_envs))) learned.push_back(all[k]);
  }
  DeviceArray<float> device(*backend_, learned.size());
  device.upload(learned);
  const long n = long(learned.size());
  return moments(*backend_, device.data(), 1, n, n);
}

// Advantage 0 and the value's own target: no gradient.
void Advantages::still_masked(const RolloutBuffer& rollout) {
  std::vector<float> advantage = advantage_.download(), target = target_.download();
  const std::vector<float> value = value_.download();
  const std::size_t n_envs = std::size_t(rollout.n_envs());
  for (std::size_t k = 0; k < advantage.size(); k++) {
    if (!rollout.mask().hides(int(k / n_envs), int(k % n_envs))) continue;
    advantage[k] = 0.0f;
    target[k] = value[k];
  }
  advantage_.upload(advantage);
  target_.upload(target);
}

}  // namespace gallop
