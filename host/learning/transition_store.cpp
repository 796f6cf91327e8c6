#include <gallop/host/learning/transition_store.h>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>
#include <gallop/kernels/random/philox.h>
#include <gallop/kernels/random/stream.h>

namespace gallop {
namespace {

constexpr std::uint64_t kMostKept = std::uint64_t(1) << 30;  // numbers have 32 bits

int kept_rows(const AlgorithmContext& context, const RolloutBuffer& rollout) {
  const std::uint64_t asked = std::uint64_t(context.options.integer("buffer_size"));
  const std::uint64_t each = std::uint64_t(rollout.n_samples());
  if (asked < each) {
    throw value_error(
        fmt::format("buffer_size is {}, but n_envs {} x n_steps {} makes {} transitions in one "
                    "rollout; expected at least that many",
                    asked, rollout.n_envs(), rollout.n_steps(), each));
  }
  return int(std::min(asked, kMostKept) / each * std::uint64_t(rollout.n_steps()));
}

void require_memory(const AlgorithmContext& context, double bytes) {
  constexpr double kGigabyte = 1e9;
  const double available = double(context.backend.available_memory());
  if (bytes <= available) return;
  throw value_error(fmt::format(
      "buffer_size {} takes {:.2f} GB, and {:.2f} GB are available; expected fewer "
      "transitions",
      context.options.integer("buffer_size"), bytes / kGigabyte, available / kGigabyte));
}

}  // namespace

TransitionStore::TransitionStore(const AlgorithmContext& context, const Environments& environments,
                                 RolloutBuffer& rollout, double held_out)
    : backend_(&context.backend),
      seed_(context.seed),
      held_out_(held_out),
      n_steps_(rollout.n_steps()),
      n_envs_(rollout.n_envs()),
      observation_rows_(environments.observation_rows()),
      action_rows_(environments.action_rows()),
      rows_(kept_rows(context, rollout)) {
  rollout.keep_every_final_observation();
  const std::size_t n = std::size_t(rows_) * n_envs_;
  const std::size_t o = observation_rows_, a = action_rows_;
  require_memory(context, double(n) * (2.0 * double(o + a) + 4.0) * sizeof(float));
  use_.assign(n, kMasked);
  Backend& backend = context.backend;
  // Checkpoints hold all of it, rows that nothing was written to as well.
  const auto zeroed = [&](std::size_t rows) {
    return DeviceArray<float>::zeroed(backend, n * rows);
  };
  input_ = zeroed(o + a);
  next_ = zeroed(o);
  action_ = zeroed(a);
  reward_ = zeroed(1);
  log_prob_ = zeroed(1);
  continues_ = zeroed(1);
  cut_ = zeroed(1);
  std::vector<float> low, high;
  for (int k = 0; k < action_rows_; k++) {
    const bool clips = environments.options().clip_actions;
    const float infinity = std::numeric_limits<float>::infinity();
    low.push_back(clips ? float(environments.spec().action[k].low) : -infinity);
    high.push_back(clips ? float(environments.spec().action[k].high) : infinity);
  }
  low_ = DeviceArray<float>(backend, a);
  high_ = DeviceArray<float>(backend, a);
  low_.upload(low);
  high_.upload(high);
}

void TransitionStore::add(const RolloutBuffer& rollout) {
  const Trajectory& t = rollout.trajectory();
  const long row = long(rollouts_ % std::uint64_t(rows_ / n_steps_)) * n_steps_;
  const long at = row * n_envs_, n = rollout.n_samples();
  const long o = observation_rows_, a = action_rows_;
  backend_->keep_transitions({n_steps_, n_envs_, observation_rows_, action_rows_, t.observation,
                              t.action, t.final_observation, t.terminated, t.truncated, low_.data(),
                              high_.data(), input_.data() + at * (o + a), next_.data() + at * o,
                              continues_.data() + at, cut_.data() + at});
  backend_->copy({action_.data() + at * a, t.action, n * a});
  backend_->copy({reward_.data() + at, t.reward, n});
  backend_->copy({log_prob_.data() + at, t.log_prob, n});
  for (int i = 0; i < n_envs_; i++) {
    const std::uint32_t word = philox<std::uint32_t>(std::uint32_t(i), std::uint32_t(rollouts_),
                                                     std::uint32_t(rollouts_ >> 32), 0u,
                                                     key_low(seed_), key_high(seed_, kRandomModel))
                                   .word[0];
    const Use use = i > 0 && double(word) < held_out_ * 0x1p32 ? kHeldOut : kLearned;
    for (int s = 0; s < n_steps_; s++) {
      use_[std::size_t(at) + std::size_t(s) * std::size_t(n_envs_) + std::size_t(i)] =
          rollout.mask().hides(s, i) ? kMasked : use;
    }
  }
  rollouts_++;
  n_kept_ = std::min(rows_, n_kept_ + n_steps_);
}

std::vector<std::uint32_t> TransitionStore::numbers(Use use) const {
  std::vector<std::uint32_t> all;
  for (std::size_t k = 0; k < std::size_t(n_kept_) * n_envs_; k++) {
    if (use_[k] == use) all.push_back(std::uint32_t(k));
  }
  return all;
}

int TransitionStore::newest_row() const {
  if (rollouts_ == 0) throw internal_error("no rollout has been taken in yet");
  return int((rollouts_ - 1) % std::uint64_t(rows_ / n_steps_)) * n_steps_;
}

std::vector<std::uint32_t> TransitionStore::newest() const {
  std::vector<std::uint32_t> all(n_envs_);
  for (int i = 0; i < n_envs_; i++)
    all[i] = std::uint32_t(newest_row()) * std::uint32_t(n_envs_) + std::uint32_t(i);
  return all;
}

std::vector<float> TransitionStore::newest_weights() const {
  const auto first = use_.begin() + long(newest_row()) * n_envs_;
  const auto last = first + long(n_steps_) * n_envs_;
  if (std::find(first, last, kMasked) == last) return {};
  std::vector<float> weights(n_steps_ * std::size_t(n_envs_));
  std::transform(first, last, weights.begin(),
                 [](std::uint8_t use) { return use == kMasked ? 0.0f : 1.0f; });
  return weights;
}

void TransitionStore::gather(const float* from, int all_rows, int rows, const std::uint32_t* chosen,
                             int later, long n, float* to) const {
  backend_->gather_transitions({from, rows_, n_envs_, all_rows, rows, chosen, later, n, to});
}

void TransitionStore::save(TensorFile& file) const {
  file.put_scalar<std::uint64_t>("transitions/rollouts", rollouts_);
  file.put<std::uint8_t>("transitions/use", {use_.size()}, use_);
  const auto put = [&](const char* name, const DeviceArray<float>& array) {
    file.put<float>(std::string("transitions/") + name, {array.size()}, array.download());
  };
  put("input", input_);
  put("next", next_);
  put("action", action_);
  put("reward", reward_);
  put("log_prob", log_prob_);
  put("continues", continues_);
  put("cut", cut_);
}

void TransitionStore::load(const TensorFile& file, std::uint64_t rollouts) {
  rollouts_ = checked_count(file, "transitions/rollouts", rollouts,
                            fmt::format("rollouts in {} iterations", rollouts));
  if (rollouts_ != rollouts) {
    throw checkpoint_error(
        fmt::format("tensor 'transitions/rollouts' is {}; expected those of {} iterations",
                    rollouts_, rollouts));
  }
  n_kept_ = int(std::min<std::uint64_t>(rows_, rollouts * std::uint64_t(n_steps_)));
  file.get<std::uint8_t>("transitions/use", {use_.size()}, use_);
  for (std::size_t k = 0; k < use_.size(); k++) {
    if (use_[k] <= kMasked) continue;
    throw checkpoint_error(fmt::format(
        "tensor 'transitions/use': element {} is {}; expected 0, 1 or 2", k, int(use_[k])));
  }
  const auto get = [&](const char* name, DeviceArray<float>& array) {
    array.upload(finite_floats(file, std::string("transitions/") + name, array.size()));
  };
  get("input", input_);
  get("next", next_);
  get("action", action_);
  get("reward", reward_);
  get("log_prob", log_prob_);
  get("continues", continues_);
  get("cut", cut_);
}

}  // namespace gallop
