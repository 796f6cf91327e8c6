#include <gallop/host/learning/pathwise.h>

#include <fmt/format.h>

#include <algorithm>

#include <gallop/host/error.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {
namespace {

// Throws a value error where there is nothing to derive by.
void require_derivatives(const Environments& environments, const Options& options) {
  const EnvironmentSpec& spec = environments.spec();
  const bool exact = options.text("derivatives") == "exact";
  if (exact && spec.not_smooth != nullptr) {
    const bool has_differences =
        spec.action_kind == SpaceKind::kBox && spec.observation_kind == SpaceKind::kBox;
    throw value_error(fmt::format(
        "{} has no derivatives to learn by: {}{}", spec.name, spec.not_smooth,
        has_differences ? "; derivatives = differences takes differences of its steps" : ""));
  }
  if (spec.action_kind != SpaceKind::kBox || spec.observation_kind != SpaceKind::kBox) {
    throw value_error(fmt::format(
        "{} has no derivatives to learn by: its {} are discrete; expected continuous ones",
        spec.name, spec.action_kind != SpaceKind::kBox ? "actions" : "observations"));
  }
}

std::vector<float> powers(double gamma, int count) {
  std::vector<float> all;
  double power = 1;
  for (int i = 0; i < count; i++, power *= gamma) all.push_back(float(power));
  return all;
}

}  // namespace

const char* why_not_smooth(const EnvironmentSpec& spec) { return spec.not_smooth; }

PathwiseGradient::Instances::Instances(Backend& backend, std::size_t rows, std::size_t stride)
    : state(DeviceArray<float>::zeroed(backend, rows * stride)),
      episode_return(DeviceArray<float>::zeroed(backend, stride)),
      episode(DeviceArray<std::uint32_t>::zeroed(backend, stride)),
      nonfinite(DeviceArray<std::uint32_t>::zeroed(backend, stride)),
      nonfinite_any(DeviceArray<std::uint32_t>::zeroed(backend, 1)),
      elapsed(DeviceArray<std::int32_t>::zeroed(backend, stride)),
      ended(DeviceArray<std::uint8_t>::zeroed(backend, stride)) {}

InstanceArrays PathwiseGradient::Instances::arrays() const {
  return {state.data(), episode.data(),   elapsed.data(),      episode_return.data(),
          ended.data(), nonfinite.data(), nonfinite_any.data()};
}

PathwiseGradient::PathwiseGradient(const AlgorithmContext& context,
                                   const Environments& environments, const PolicyModel& policy,
                                   RolloutBuffer& rollout)
    : backend_(&context.backend),
      by_differences_(context.options.text("derivatives") == "differences"),
      step_(context.options.real("difference_step")),
      interval_(std::min(int(context.options.integer("state_interval")), rollout.n_steps())),
      n_steps_(rollout.n_steps()),
      n_(environments.n_envs()),
      stride_(environments.stride()),
      n_state_(environments.spec().n_state),
      n_observation_(environments.observation_rows()),
      n_action_(environments.action_rows()),
      n_output_(head_outputs(policy.shape().head, policy.shape().n_actions)),
      n_own_(head_parameters(policy.shape().head, policy.shape().n_actions)),
      reward_scale_(float(context.options.real("reward_scale"))),
      limit_(float(context.options.real("max_adjoint"))) {
  require_derivatives(environments, context.options);
  if (rollout.resets_nonfinite()) {
    throw value_error(
        "nonfinite is reset, which leaves out what an instance did from a number on that is not "
        "finite; derivatives along its path need all of it; expected stop");
  }
  if (context.plays_only) return;
  Backend& b = context.backend;
  const std::size_t n = std::size_t(n_), s = std::size_t(n_state_), samples = n * n_steps_;
  rollout.track_states(environments, interval_);
  discount_ = DeviceArray<float>(b, std::size_t(n_steps_) + 1);
  discount_.upload(powers(context.options.real("gamma"), n_steps_ + 1));
  reward_adjoint_ = DeviceArray<float>(b, n);
  state_adjoint_ = DeviceArray<float>(b, s * n);
  observation_adjoint_ = DeviceArray<float>(b, std::size_t(n_observation_) * n);
  action_adjoint_ = DeviceArray<float>(b, std::size_t(n_action_) * n);
  output_slope_ = DeviceArray<float>(b, samples * n_output_);
  own_slope_ = DeviceArray<float>(b, samples * n_own_);
  episode_ = DeviceArray<std::uint32_t>::zeroed(b, std::size_t(stride_));
  elapsed_ = DeviceArray<std::int32_t>::zeroed(b, std::size_t(stride_));
  exploded_ = DeviceArray<std::uint32_t>::zeroed(b, n);
  exploded_any_ = DeviceArray<std::uint32_t>::zeroed(b, 1);
  const std::size_t replayed = interval_ > 1 ? s * stride_ * interval_ : 0;
  if (interval_ > 1) {
    replayed_ = DeviceArray<float>(b, replayed);
    replay_ = Instances(b, s, std::size_t(stride_));
  }
  if (by_differences_) {
    moved_ = Instances(b, s, std::size_t(stride_));
    moved_action_ = DeviceArray<float>(b, action_adjoint_.size());
    moved_state_ = DeviceArray<float>(b, 2 * s * stride_);
    moved_observation_ = DeviceArray<float>(b, 2 * observation_adjoint_.size());
    moved_reward_ = DeviceArray<float>(b, 2 * n);
    new_adjoint_ = DeviceArray<float>(b, (s + std::size_t(n_action_)) * n);
    ones_ = DeviceArray<float>(b, n);
    ones_.upload(std::vector<float>(n, 1.0f));
  }
  const double states = double(s) * double(n) * ((n_steps_ + interval_ - 1) / interval_ + 1);
  megabytes_ = 4e-6 * (states + double(output_slope_.size() + own_slope_.size() + replayed));
}

AdjointRequest PathwiseGradient::adjoint_request(const Trajectory& t, int step, const float* tail) {
  const long row = step * n_;
  AdjointRequest r = {};
  r.n_envs = int(n_);
  r.state_rows = int(n_state_);
  r.observation_rows = int(n_observation_);
  r.action_rows = int(n_action_);
  r.step = step;
  r.cuts = step + 1 == n_steps_ ? 1 : 0;
  r.terminated = t.terminated + row;
  r.truncated = t.truncated + row;
  r.ended_length = t.ended_length + row;
  r.discount = discount_.data();
  r.reward_scale = reward_scale_;
  r.tail = tail == nullptr ? nullptr : tail + row * n_observation_;
  r.limit = limit_;
  r.episode = episode_.data();
  r.elapsed = elapsed_.data();
  r.reward_adjoint = reward_adjoint_.data();
  r.state_adjoint = state_adjoint_.data();
  r.observation_adjoint = observation_adjoint_.data();
  r.action_adjoint = action_adjoint_.data();
  r.exploded = exploded_.data();
  r.exploded_any = exploded_any_.data();
  return r;
}

// One step back.
void PathwiseGradient::sweep(const Environments& environments, const RolloutBuffer& rollout,
                             const PolicyModel& policy, int step, const Place& at,
                             const float* tail) {
  const Trajectory& t = rollout.trajectory();
  const AdjointRequest adjoint = adjoint_request(t, step, tail);
  backend_->begin_adjoint(adjoint);
  if (by_differences_) {
    pull_back_by_differences(environments, at, adjoint);
  } else {
    PullBackRequest r = {};
    r.state = at.state;
    r.state_stride = at.stride;
    r.action = at.action;
    r.episode = episode_.data();
    r.elapsed = elapsed_.data();
    r.reward_adjoint = reward_adjoint_.data();
    r.observation_adjoint = observation_adjoint_.data();
    r.state_adjoint = state_adjoint_.data();
    r.action_adjoint = action_adjoint_.data();
    environments.pull_back(r);
  }
  backend_->end_adjoint(adjoint);
  Samples samples = {};
  samples.n_envs = int(n_);
  samples.observation_rows = int(n_observation_);
  samples.action_rows = int(n_action_);
  samples.observation = t.observation + step * n_observation_ * n_;
  samples.action = at.action;
  samples.count = n_;
  backend_->policy_pull_back(
      {policy.view(), samples, action_adjoint_.data(), output_slope_.data() + step * n_output_ * n_,
       n_own_ > 0 ? own_slope_.data() + step * n_own_ * n_ : nullptr, observation_adjoint_.data()});
}

// Adjoints of what the step took by central differences: each component of state and action moved
// up and down, all else and the noise the same.
void PathwiseGradient::pull_back_by_differences(const Environments& environments, const Place& at,
                                                const AdjointRequest& adjoint) {
  const long n_observation = n_observation_ * n_;
  for (long k = 0; k < n_state_ + n_action_; k++) {
    for (const int down : {0, 1}) {
      for (long j = 0; j < n_state_; j++) {
        backend_->copy({moved_.state.data() + j * stride_, at.state + j * at.stride, n_});
      }
      backend_->copy({moved_action_.data(), at.action, n_action_ * n_});
      const std::size_t bytes = std::size_t(stride_) * sizeof(std::int32_t);
      backend_->copy_bytes(moved_.episode.data(), episode_.data(), bytes);
      backend_->copy_bytes(moved_.elapsed.data(), elapsed_.data(), bytes);
      backend_->clear(moved_.ended.data(), std::size_t(stride_));
      float* const row = k < n_state_ ? moved_.state.data() + k * stride_
                                      : moved_action_.data() + (k - n_state_) * n_;
      backend_->add_scaled({row, float(down == 1 ? -step_ : step_), ones_.data(), n_});
      StepOutput out = {};
      out.observation = moved_observation_.data() + down * n_observation;
      out.reward = moved_reward_.data() + down * n_;
      environments.step_elsewhere(moved_.arrays(), moved_action_.data(), ResetMode::kDisabled, out);
      backend_->copy({moved_state_.data() + down * n_state_ * stride_, moved_.state.data(),
                      n_state_ * stride_});
    }
    DifferenceAdjointRequest r = {};
    r.n_envs = int(n_);
    r.state_rows = int(n_state_);
    r.observation_rows = int(n_observation_);
    r.state_stride = stride_;
    for (const int down : {0, 1}) {
      r.state[down] = moved_state_.data() + down * n_state_ * stride_;
      r.observation[down] = moved_observation_.data() + down * n_observation;
      r.reward[down] = moved_reward_.data() + down * n_;
    }
    r.reward_adjoint = adjoint.reward_adjoint;
    r.state_adjoint = adjoint.state_adjoint;
    r.observation_adjoint = adjoint.observation_adjoint;
    r.scale = float(0.5 / step_);
    r.adjoint = new_adjoint_.data() + k * n_;
    backend_->difference_adjoint(r);
  }
  backend_->copy({state_adjoint_.data(), new_adjoint_.data(), n_state_ * n_});
  backend_->copy({action_adjoint_.data(), new_adjoint_.data() + n_state_ * n_, n_action_ * n_});
}

// States where steps first to first + count - 1 began, from the one that is recorded.
void PathwiseGradient::replay(const Environments& environments, const RolloutBuffer& rollout,
                              int first, int count) {
  const long part = first / interval_;
  for (long k = 0; k < n_state_; k++) {
    backend_->copy(
        {replay_.state.data() + k * stride_, rollout.state() + (part * n_state_ + k) * n_, n_});
  }
  const std::size_t bytes = std::size_t(n_) * sizeof(std::int32_t);
  backend_->copy_bytes(replay_.episode.data(), rollout.state_episode() + part * n_, bytes);
  backend_->copy_bytes(replay_.elapsed.data(), rollout.state_elapsed() + part * n_, bytes);
  const float* const actions = rollout.trajectory().action;
  const long state = n_state_ * stride_;
  for (int i = 0; i < count; i++) {
    backend_->copy({replayed_.data() + i * state, replay_.state.data(), state});
    if (i + 1 == count) break;
    environments.step_elsewhere(replay_.arrays(), actions + (first + i) * n_action_ * n_,
                                ResetMode::kSameStep, {});
  }
}

// The steps from one recorded state to the next, backwards.
void PathwiseGradient::sweep_part(const Environments& environments, const RolloutBuffer& rollout,
                                  const PolicyModel& policy, int first, const float* tail) {
  const int count = std::min(interval_, n_steps_ - first);
  if (interval_ > 1) replay(environments, rollout, first, count);
  const float* const actions = rollout.trajectory().action;
  for (int i = count - 1; i >= 0; i--) {
    const int step = first + i;
    const Place recorded = {rollout.state() + step * n_state_ * n_, n_,
                            actions + step * n_action_ * n_};
    const Place replayed = {replayed_.data() + i * n_state_ * stride_, stride_, recorded.action};
    sweep(environments, rollout, policy, step, interval_ > 1 ? replayed : recorded, tail);
  }
}

void PathwiseGradient::find(const Environments& environments, const RolloutBuffer& rollout,
                            PolicyModel& policy, double weight, const float* tail) {
  const std::size_t bytes = std::size_t(stride_) * sizeof(std::int32_t);
  backend_->copy_bytes(episode_.data(), environments.episode(), bytes);
  backend_->copy_bytes(elapsed_.data(), environments.episode_length(), bytes);
  backend_->clear(exploded_.data(), std::size_t(n_) * sizeof(std::uint32_t));
  backend_->clear(exploded_any_.data(), sizeof(std::uint32_t));
  // Not read where a path ends, but looked at.
  backend_->clear(state_adjoint_.data(), state_adjoint_.size() * sizeof(float));
  backend_->clear(observation_adjoint_.data(), observation_adjoint_.size() * sizeof(float));
  const auto all_parts = [&] {
    for (int part = (n_steps_ - 1) / interval_; part >= 0; part--) {
      sweep_part(environments, rollout, policy, part * interval_, tail);
    }
  };
  if (interval_ == 1 && !by_differences_) {
    backend_->run(all_parts, recording_);
  } else {
    all_parts();
  }
  require_no_explosion(environments);
  const Trajectory& t = rollout.trajectory();
  Samples samples = {};
  samples.n_envs = int(n_);
  samples.observation_rows = int(n_observation_);
  samples.action_rows = int(n_action_);
  samples.observation = t.observation;
  samples.action = t.action;
  samples.count = n_ * n_steps_;
  NetworkGradientRequest r = {};
  r.shape = policy.shape().network;
  r.parameters = policy.parameters().data();
  r.normalization = policy.normalization();
  r.samples = samples;
  r.output_slope = output_slope_.data();
  r.own_slope = n_own_ > 0 ? own_slope_.data() : nullptr;
  r.n_own = int(n_own_);
  r.weight = float(weight);
  r.arithmetic = policy.gradient_request(samples).arithmetic;
  r.gradient = policy.parameters().gradient();
  r.fixed = policy.view().fixed;
  backend_->network_gradient(r);
}

void PathwiseGradient::require_no_explosion(const Environments& environments) const {
  if (exploded_any_.download()[0] == 0) return;
  const std::vector<std::uint32_t> steps = exploded_.download();
  const auto latest = std::max_element(steps.begin(), steps.end());
  throw Error(
      ExitCode::non_finite,
      fmt::format("the derivative of the return by the state of instance {} of {} at step {} of a "
                  "rollout of {} exploded: it is not finite, or above {:g}; the update is refused "
                  "and the parameters keep their last values. A shorter horizon (n_steps), a limit "
                  "(max_adjoint) or a smaller gamma keep it in bounds",
                  environments.id(int(latest - steps.begin())), environments.spec().name,
                  *latest - 1, n_steps_, double(kGreatestAdjoint)));
}

}  // namespace gallop
