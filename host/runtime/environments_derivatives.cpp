// Steps of a batch's instances that are taken apart from it, and derivatives of them.
#include <fmt/format.h>

#include <gallop/host/error.h>
#include <gallop/host/runtime/environments.h>

namespace gallop {

void Environments::set_action_seed(std::uint64_t seed) {
  if (seed > kMaxSeed) {
    throw value_error(fmt::format("seed of actions is {}; expected at most {}", seed, kMaxSeed));
  }
  action_seed_bits_ = seed ^ options_.seed;
}

void Environments::pull_back(PullBackRequest request) const {
  if (spec_->not_smooth != nullptr) {
    throw value_error(
        fmt::format("{} has no derivatives to learn by: {}", spec_->name, spec_->not_smooth));
  }
  request.scenario = view();
  request.n_envs = options_.n_envs;
  request.clip = options_.clip_actions ? 1 : 0;
  backend_->pull_back_instances(*entry_, request);
}

void Environments::step_elsewhere(const InstanceArrays& instances, const float* action,
                                  ResetMode mode, StepOutput out) const {
  EnvironmentBatch batch = view();
  batch.state = instances.state;
  batch.episode = instances.episode;
  batch.elapsed = instances.elapsed;
  batch.episode_return = instances.episode_return;
  batch.ended = instances.ended;
  batch.nonfinite = instances.nonfinite;
  batch.nonfinite_any = instances.nonfinite_any;
  if (out.observation_stride == 0) out.observation_stride = options_.n_envs;
  backend_->step_instances(
      *entry_, {nullptr, batch, action, options_.n_envs, options_.clip_actions ? 1 : 0, mode, out});
}

}  // namespace gallop
