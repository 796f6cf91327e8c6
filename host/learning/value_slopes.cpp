#include <gallop/host/learning/value_slopes.h>

namespace gallop {

ValueSlopes::ValueSlopes(Backend& backend, const Environments& environments, RolloutBuffer& rollout)
    : backend_(&backend),
      n_observation_(environments.observation_rows()),
      slope_(
          DeviceArray<float>::zeroed(backend, std::size_t(rollout.n_samples() * n_observation_))),
      ones_(backend, std::size_t(rollout.n_samples())),
      order_(backend, std::size_t(rollout.n_samples())) {
  rollout.keep_every_final_observation();
  ones_.upload(std::vector<float>(ones_.size(), 1.0f));
}

void ValueSlopes::find_at(const InputGradientRequest& request,
                          const std::vector<std::uint32_t>& places) {
  if (places.empty()) return;
  order_.upload(places.data(), places.size());
  InputGradientRequest r = request;
  r.samples.order = order_.data();
  r.samples.count = long(places.size());
  backend_->input_gradient(r);
}

void ValueSlopes::find(const ValueModel& value, const float* parameters,
                       const Normalization& normalization, const RolloutBuffer& rollout) {
  const Trajectory& t = rollout.trajectory();
  const std::size_t n = std::size_t(t.n_envs), all = std::size_t(rollout.n_samples());
  std::vector<std::uint8_t> terminated(all), truncated(all);
  backend_->to_host(terminated.data(), t.terminated, all);
  backend_->to_host(truncated.data(), t.truncated, all);
  std::vector<std::uint32_t> ends, goes_on;
  for (std::size_t k = 0; k < all; k++) {
    if (truncated[k] != 0 && terminated[k] == 0) ends.push_back(std::uint32_t(k));
    const bool is_last = k >= all - n;
    if (is_last && truncated[k] == 0 && terminated[k] == 0) {
      goes_on.push_back(std::uint32_t(k - (all - n)));
    }
  }
  InputGradientRequest r = {};
  r.shape = value.shape();
  r.parameters = parameters;
  r.normalization = normalization;
  r.samples.n_envs = t.n_envs;
  r.samples.observation_rows = int(n_observation_);
  r.samples.observation = t.final_observation;
  r.output_slope = ones_.data();
  r.input_slope = slope_.data();
  find_at(r, ends);
  const long last = (long(t.n_steps) - 1) * n_observation_ * t.n_envs;
  r.samples.observation = t.observation + last + n_observation_ * t.n_envs;
  r.input_slope = slope_.data() + last;
  find_at(r, goes_on);
}

}  // namespace gallop
