#include <gallop/host/learning/rollout_buffer.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>

namespace gallop {

namespace {

// Steps that share a row of final observations: an episode is cut off once in a time limit at most.
int shared_steps(const Environments& environments, int n_steps) {
  const int limit = environments.time_limit();
  return limit == 0 ? n_steps : std::min(limit, n_steps);
}

}  // namespace

RolloutBuffer::RolloutBuffer(Backend& backend, const Environments& environments, int n_steps,
                             bool resets_nonfinite)
    : backend_(&backend),
      resets_nonfinite_(resets_nonfinite),
      // Masked steps are cut off one by one.
      shares_rows_(!resets_nonfinite) {
  const std::size_t n = environments.n_envs(), samples = n * n_steps;
  const int o = environments.observation_rows(), a = environments.action_rows();
  observation_ = DeviceArray<float>(backend, (samples + n) * o);
  action_ = DeviceArray<float>(backend, samples * a);
  log_prob_ = DeviceArray<float>::zeroed(backend, samples);
  reward_ = DeviceArray<float>(backend, samples);
  terminated_ = DeviceArray<std::uint8_t>(backend, samples);
  truncated_ = DeviceArray<std::uint8_t>(backend, samples);
  ended_return_ = DeviceArray<float>::zeroed(backend, samples);
  ended_length_ = DeviceArray<std::int32_t>::zeroed(backend, samples);
  trajectory_ = {n_steps,          environments.n_envs(), observation_.data(), action_.data(),
                 log_prob_.data(), reward_.data(),        terminated_.data(),  truncated_.data(),
                 nullptr,          ended_return_.data(),  ended_length_.data()};
  make_final_rows(shares_rows_ ? shared_steps(environments, n_steps) : 1);
}

void RolloutBuffer::keep_every_final_observation() {
  shares_rows_ = false;
  make_final_rows(1);
}

void RolloutBuffer::make_final_rows(int interval) {
  if (final_observation_.data() != nullptr && trajectory_.final_interval == interval) return;
  const std::size_t rows = std::size_t(n_steps() + interval - 1) / std::size_t(interval);
  const std::size_t row = observation_.size() / std::size_t(n_steps() + 1);
  // Read whole, and written where an episode ended.
  final_observation_ = DeviceArray<float>::zeroed(*backend_, rows * row);
  trajectory_.final_observation = final_observation_.data();
  trajectory_.final_interval = interval;
}

void RolloutBuffer::track_ages() {
  if (tracks_ages_) return;
  tracks_ages_ = true;
  age_ = DeviceArray<float>::zeroed(*backend_, std::size_t(n_samples() + n_envs()));
}

void RolloutBuffer::track_states(const Environments& environments, int every) {
  state_interval_ = every;
  const int rows = every > 1 ? (n_steps() + every - 1) / every : n_steps() + 1;
  state_ =
      DeviceArray<float>(*backend_, std::size_t(rows) * n_envs() * environments.spec().n_state);
  trajectory_.state = every > 1 ? nullptr : state_.data();
  if (every == 1) return;
  state_episode_ = DeviceArray<std::uint32_t>(*backend_, std::size_t(rows) * n_envs());
  state_elapsed_ = DeviceArray<std::int32_t>(*backend_, std::size_t(rows) * n_envs());
}

// A rollout is the same in parts, before each of which the states are where they are recorded.
void RolloutBuffer::roll_in_parts(Environments& environments, const PolicyView& policy,
                                  ActionSource source) {
  const long n_state = environments.spec().n_state, n = n_envs();
  float* to = state_.data();
  for (int first = 0; first < n_steps(); first += state_interval_) {
    const long row = first / state_interval_ * n;
    const std::size_t bytes = std::size_t(n) * sizeof(std::int32_t);
    backend_->copy_bytes(state_episode_.data() + row, environments.episode(), bytes);
    backend_->copy_bytes(state_elapsed_.data() + row, environments.episode_length(), bytes);
    for (long k = 0; k < n_state; k++, to += n) {
      backend_->copy({to, environments.state() + k * environments.stride(), n});
    }
    environments.rollout(
        source, policy, is_deterministic_,
        steps_of(trajectory_, first, std::min(state_interval_, n_steps() - first),
                 environments.observation_rows(), environments.action_rows(), n_state));
  }
}

void RolloutBuffer::run(Environments& environments, const PolicyView& policy, ActionSource source) {
  const std::uint32_t before = environments.time();
  // The time limit may be another one.
  make_final_rows(shares_rows_ ? shared_steps(environments, n_steps()) : 1);
  if (state_interval_ > 1) {
    roll_in_parts(environments, policy, source);
  } else {
    environments.rollout(source, policy, is_deterministic_, trajectory_);
  }
  finish(environments, before);
}

// What instances met in the rollout.
void RolloutBuffer::finish(Environments& environments, std::uint32_t before) {
  mask_ = {};
  nonfinite_in_rollout_ = 0;
  const NonFinite bad = environments.first_nonfinite();
  if (bad.found && resets_nonfinite_) {
    mask_nonfinite(environments, before);
  } else if (bad.found) {
    throw Error(
        ExitCode::non_finite,
        fmt::format("instance {} of {} gave an observation or reward that is not finite at "
                    "step {}; the update is refused and the parameters keep their last values",
                    bad.instance, environments.spec().name, bad.time));
  }
  if (tracks_ages_) {
    backend_->ages({n_steps(), n_envs(), terminated_.data(), truncated_.data(), age_.data()});
  }
}

// Leaves out what instances did from their first such number on, and has them begin anew.
void RolloutBuffer::mask_nonfinite(Environments& environments, std::uint32_t time_before) {
  std::vector<int> first(n_envs(), n_steps());
  const std::vector<std::uint32_t> times = environments.nonfinite_times();
  for (int i = 0; i < n_envs(); i++) {
    if (times[i] == 0) continue;
    first[i] = int(times[i] - time_before) - 1;
    nonfinite_in_rollout_++;
  }
  HostRollout rollout = {n_steps(),
                         n_envs(),
                         environments.observation_rows(),
                         environments.action_rows(),
                         observation_.download(),
                         action_.download(),
                         log_prob_.download(),
                         reward_.download(),
                         final_observation_.download(),
                         ended_return_.download(),
                         terminated_.download(),
                         truncated_.download(),
                         ended_length_.download()};
  mask_ = RolloutMask(first, rollout);
  observation_.upload(rollout.observation);
  action_.upload(rollout.action);
  log_prob_.upload(rollout.log_prob);
  reward_.upload(rollout.reward);
  final_observation_.upload(rollout.final_observation);
  ended_return_.upload(rollout.ended_return);
  terminated_.upload(rollout.terminated);
  truncated_.upload(rollout.truncated);
  ended_length_.upload(rollout.ended_length);
  environments.restart_nonfinite();
  nonfinite_instances_ += std::uint64_t(nonfinite_in_rollout_);
}

void RolloutBuffer::begin() {
  // The last row is the state that this rollout goes on from.
  if (tracks_ages_) backend_->copy({age_.data(), age_.data() + n_samples(), n_envs()});
}

void RolloutBuffer::collect(Environments& environments, const PolicyView& policy) {
  begin();
  run(environments, policy, ActionSource::kPolicy);
}

void RolloutBuffer::collect_random(Environments& environments) {
  begin();
  run(environments, {}, ActionSource::kUniform);
}

void RolloutBuffer::collect_by(Environments& environments,
                               const std::function<void(const float*, float*)>& act) {
  begin();
  const std::uint32_t before = environments.time();
  const long n = n_envs(), o = environments.observation_rows(), a = environments.action_rows();
  environments.observe(observation_.data());
  for (long t = 0; t < n_steps(); t++) {
    float* const action = action_.data() + t * a * n;
    act(observation_.data() + t * o * n, action);
    StepOutput out = {};
    out.observation = observation_.data() + (t + 1) * o * n;
    out.observation_stride = n;
    out.final_observation = final_observation_.data() + final_row(trajectory_, int(t)) * o * n;
    out.final_of_cut = trajectory_.final_interval > 1 ? 1 : 0;
    out.reward = reward_.data() + t * n;
    out.terminated = terminated_.data() + t * n;
    out.truncated = truncated_.data() + t * n;
    out.ended_return = ended_return_.data() + t * n;
    out.ended_length = ended_length_.data() + t * n;
    environments.step(action, out);
  }
  finish(environments, before);
}

void RolloutBuffer::collect_from_reset(Environments& environments, const PolicyView& policy) {
  if (environments.time() > 0) environments.reset();
  if (tracks_ages_) age_.upload(std::vector<float>(n_envs(), 0.0f));
  run(environments, policy, ActionSource::kPolicy);
}

EpisodeTotals& EpisodeTotals::operator+=(const EpisodeTotals& other) {
  episodes += other.episodes;
  returns += other.returns;
  lengths += other.lengths;
  nonfinite_instances += other.nonfinite_instances;
  return *this;
}

Metrics EpisodeTotals::metrics(bool counts_nonfinite) const {
  const double none = std::nan("");
  Metrics metrics = {{"episodes", episodes},
                     {"return", episodes > 0 ? returns / episodes : none},
                     {"length", episodes > 0 ? lengths / episodes : none}};
  if (counts_nonfinite) metrics.emplace_back("nonfinite_instances", nonfinite_instances);
  return metrics;
}

std::vector<std::uint8_t> RolloutBuffer::downloaded_ends() const {
  std::vector<std::uint8_t> ended = terminated_.download();
  const std::vector<std::uint8_t> truncated = truncated_.download();
  for (std::size_t k = 0; k < ended.size(); k++) ended[k] |= truncated[k];
  return ended;
}

EpisodeTotals RolloutBuffer::episode_totals() const {
  const EpisodeSums sums =
      episode_sums(*backend_, {terminated_.data(), truncated_.data(), ended_return_.data(),
                               ended_length_.data(), n_samples(), nullptr});
  return {double(sums.episodes - mask_.n_cuts()), sums.returns, double(sums.lengths),
          double(nonfinite_in_rollout_)};
}

std::vector<float> RolloutBuffer::last_ages() const {
  std::vector<float> last(n_envs());
  age_.download(last.data(), last.size(), std::size_t(n_samples()));
  return last;
}

void RolloutBuffer::save(TensorFile& file) const {
  if (tracks_ages_) file.put<float>("ages", {std::uint64_t(n_envs())}, last_ages());
  if (resets_nonfinite_) {
    file.put_scalar<std::uint64_t>("nonfinite_instances", nonfinite_instances_);
  }
}

void RolloutBuffer::load(const TensorFile& file, const Environments& environments,
                         std::uint64_t rollouts) {
  mask_ = {};
  if (resets_nonfinite_) {
    nonfinite_instances_ =
        checked_count(file, "nonfinite_instances", rollouts * std::uint64_t(n_envs()),
                      fmt::format("of {} instances in {} iterations", n_envs(), rollouts));
    // They have begun anew before a rollout ends.
    const NonFinite noted = environments.first_nonfinite();
    if (noted.found) {
      throw checkpoint_error(
          fmt::format("tensor 'environments/nonfinite': instance {} has {}; expected 0, since "
                      "nonfinite is reset",
                      noted.instance, noted.time));
    }
  }
  if (!tracks_ages_) return;
  const std::vector<float> last = finite_floats(file, "ages", std::size_t(n_envs()), 0);
  for (int i = 0; i < n_envs(); i++) {
    if (last[i] == std::floor(last[i]) && double(last[i]) <= double(environments.time())) continue;
    throw checkpoint_error(fmt::format(
        "tensor 'ages': instance {} has {}; expected a whole number of at most {} steps", i,
        last[i], environments.time()));
  }
  age_.upload(last.data(), last.size(), std::size_t(n_samples()));
}

}  // namespace gallop
