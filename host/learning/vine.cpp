#include <gallop/host/learning/vine.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>

namespace gallop {
namespace {

// Behind the ids of a run's own instances; first actions have the first half of them, the branches
// that follow the other one, up to kEvaluationIds.
constexpr std::uint32_t kVineIds = std::uint32_t(1) << 30, kHalf = std::uint32_t(1) << 29;
constexpr int kPiece = 64;  // steps that are recorded at a time

Environments plain_environments(const AlgorithmContext& context) {
  Environments environments(context.backend, context.environment, {});
  context.configure(environments);
  return environments;
}

int branch_count(const AlgorithmContext& context) {
  if (spec_of(context.environment).action_kind != SpaceKind::kDiscrete) {
    return vine_options(context.options).branches;
  }
  return plain_environments(context).action_size();
}

long state_count(const AlgorithmContext& context) {
  const long steps = context.plays_only ? 1 : context.options.integer("n_steps");
  return std::min(vine_options(context.options).states,
                  steps * long(context.options.integer("n_envs")));
}

// [rows, J] of which the columns of one branch are taken, for all K branches [K, rows, J].
std::vector<float> by_branch(const std::vector<float>& from, int rows, int branches, long states) {
  std::vector<float> to(from.size());
  for (int k = 0; k < branches; k++) {
    for (int row = 0; row < rows; row++) {
      std::copy_n(from.begin() + (long(row) * branches + k) * states, states,
                  to.begin() + (long(k) * rows + row) * states);
    }
  }
  return to;
}

}  // namespace

VineOptions vine_options(const Options& options) {
  return {long(options.integer("vine_states")), int(options.integer("branches")),
          int(options.integer("branch_steps")), options.flag("bootstrap")};
}

long Vine::sample_count(const AlgorithmContext& context) {
  return branch_count(context) * state_count(context);
}

Vine::Vine(const AlgorithmContext& context, OnPolicyLearner& learner)
    : context_(context),
      learner_(learner),
      options_(vine_options(context.options)),
      normalizes_(context.options.flag("normalize_advantages")),
      takes_every_action_(spec_of(context.environment).action_kind == SpaceKind::kDiscrete),
      n_branches_(branch_count(context)),
      n_states_(state_count(context)),
      observation_rows_(learner.environments().observation_rows()),
      action_rows_(learner.environments().action_rows()) {
  context_.checkpoint = nullptr;
  if (!learner.environments().ranges().empty()) {
    throw value_error(
        "parameters are drawn for each episode (randomize), and branches from a state would draw "
        "others than the episode that it is of; expected randomize = none, or another algorithm");
  }
  const long count = n_branches_ * n_states_;
  if (count >= long(kHalf)) {
    throw value_error(fmt::format(
        "vine_states {} x {} branches makes {} branches an iteration; expected fewer than {}",
        n_states_, n_branches_, count, kHalf));
  }
  observation_ = DeviceArray<float>(context.backend, count * observation_rows_);
  action_ = DeviceArray<float>(context.backend, count * action_rows_);
  log_prob_ = DeviceArray<float>(context.backend, count);
  advantage_ = DeviceArray<float>(context.backend, count);
  if (!context.plays_only) learner.track_states();
}

Samples Vine::samples() const {
  return {int(n_states_), observation_rows_,      action_rows_,      observation_.data(),
          action_.data(), log_prob_.data(),       advantage_.data(), nullptr,
          nullptr,        n_branches_ * n_states_};
}

// Of the K J branches, k * J + j. In common: of a state one id for all of its branches.
std::vector<std::uint32_t> Vine::ids(bool in_common) const {
  const std::uint64_t each = std::uint64_t(in_common ? n_states_ : n_branches_ * n_states_);
  const std::uint64_t first = (learner_.iterations() % (kHalf / each)) * each;
  std::vector<std::uint32_t> ids(n_branches_ * n_states_);
  for (std::size_t i = 0; i < ids.size(); i++) {
    ids[i] = std::uint32_t(kVineIds + (in_common ? kHalf : 0) + first + i % each);
  }
  return ids;
}

Environments Vine::make_environments(const std::vector<std::uint32_t>& ids, ResetMode mode) const {
  EnvironmentOptions options;
  options.n_envs = int(ids.size());
  options.seed = context_.seed;
  options.ids = ids;
  options.reset_mode = mode;
  options.arithmetic = learner_.environments().options().arithmetic;
  Environments environments(context_.backend, context_.environment, options);
  context_.configure(environments);
  environments.set_time_limit(0);
  return environments;
}

// State j is that of instance j mod N, and its step goes through the rollout as j does through the
// states. [S, K, J], the same for all branches. In place of a transition that is masked stands the
// first one that is not, and nothing is learned from it.
std::vector<float> Vine::chosen_states() {
  const RolloutBuffer& rollout = learner_.rollout();
  const long n_envs = rollout.n_envs(), n_steps = rollout.n_steps();
  const long rows = learner_.environments().spec().n_state;
  const std::vector<float> all = rollout.states();  // [T + 1, S, N]
  std::vector<long> step(n_states_), instance(n_states_);
  long whole = -1;
  is_left_out_.assign(n_states_, 0);
  for (long j = 0; j < n_states_; j++) {
    step[j] = j * n_steps / n_states_;
    instance[j] = j % n_envs;
    is_left_out_[j] = rollout.mask().hides(int(step[j]), int(instance[j])) ? 1 : 0;
    if (whole < 0 && is_left_out_[j] == 0) whole = j;
  }
  if (whole < 0) {
    throw Error(ExitCode::non_finite,
                fmt::format("all {} states that branches were to begin at belong to episodes that "
                            "met a number which is not finite",
                            n_states_));
  }
  std::vector<float> states(rows * n_branches_ * n_states_);
  for (long j = 0; j < n_states_; j++) {
    const long from = is_left_out_[j] != 0 ? whole : j;
    for (long row = 0; row < rows; row++) {
      const float x = all[(step[from] * rows + row) * n_envs + instance[from]];
      for (long k = 0; k < n_branches_; k++) states[(row * n_branches_ + k) * n_states_ + j] = x;
    }
  }
  return states;
}

// Observations, first actions and their log q. Returns the actions as steps take them, [A, K, J].
DeviceArray<float> Vine::open(const std::vector<float>& states) {
  Environments openers = make_environments(ids(false), ResetMode::kDisabled);
  openers.set_state(states);
  const long count = n_branches_ * n_states_;
  DeviceArray<float> observation(context_.backend, 2 * count * observation_rows_);
  DeviceArray<float> action(context_.backend, count * action_rows_);
  if (takes_every_action_) {
    openers.observe(observation.data());
    std::vector<float> each(count);
    for (long i = 0; i < count; i++) each[i] = float(i / n_states_);
    action.upload(each);
    log_prob_.upload(std::vector<float>(count, float(-std::log(double(n_branches_)))));
  } else {
    Trajectory first = {};
    first.n_steps = 1;
    first.n_envs = int(count);
    first.observation = observation.data();
    first.action = action.data();
    first.log_prob = log_prob_.data();
    openers.rollout(ActionSource::kPolicy, learner_.policy().view(), false, first);
  }
  std::vector<float> seen(count * observation_rows_);
  observation.download(seen.data(), seen.size());
  observation_.upload(by_branch(seen, observation_rows_, n_branches_, n_states_));
  action_.upload(by_branch(action.download(), action_rows_, n_branches_, n_states_));
  return action;
}

void Vine::note_nonfinite(const Environments& branches) {
  if (!branches.first_nonfinite().found) return;
  const std::vector<std::uint32_t> times = branches.nonfinite_times();
  for (std::size_t i = 0; i < times.size(); i++) {
    if (times[i] == 0) continue;
    const std::size_t state = i % std::size_t(n_states_);
    if (!learner_.rollout().resets_nonfinite()) {
      throw Error(ExitCode::non_finite,
                  fmt::format("branch {} of state {} of {} gave an observation or reward that is "
                              "not finite at step {}; the update is refused and the parameters "
                              "keep their last values",
                              i / std::size_t(n_states_), state, branches.spec().name, times[i]));
    }
    is_left_out_[state] = 1;
  }
}

// Rewards [T, K, J] of branches that had not ended.
void Vine::add_rewards(int n_steps, const std::vector<float>& reward,
                       const std::vector<std::uint8_t>& terminated, std::vector<double>& value) {
  const double scale = learner_.advantages().reward_scale();
  const std::size_t n = value.size();
  for (int t = 0; t < n_steps; t++) {
    for (std::size_t i = 0; i < n; i++) {
      if (ended_[i] != 0) continue;
      value[i] += discount_ * scale * double(reward[t * n + i]);
      ended_[i] = terminated[t * n + i];
      steps_++;
    }
    discount_ *= learner_.advantages().gamma();
  }
}

// gamma^L V(s_L) of branches that have not ended.
void Vine::add_cut_values(Environments& branches, std::vector<double>& value) {
  const std::size_t n = value.size();
  DeviceArray<float> observation(context_.backend, n * observation_rows_);
  const DeviceArray<float> last(context_.backend, n);
  branches.observe(observation.data());
  context_.backend.values(learner_.value().values_request(learner_.policy().normalization(), 1,
                                                          int(n), observation.data(), last.data()));
  const std::vector<float> of = last.download();
  for (std::size_t i = 0; i < n; i++) {
    if (ended_[i] == 0) value[i] += discount_ * double(of[i]);
  }
}

// Q of each branch: its first action, then the policy's, under random numbers in common.
std::vector<double> Vine::follow(const std::vector<float>& states,
                                 const DeviceArray<float>& action) {
  Environments branches = make_environments(ids(true), ResetMode::kDisabled);
  branches.set_state(states);
  const std::size_t n = std::size_t(n_branches_) * n_states_;
  std::vector<double> value(n, 0.0);
  ended_.assign(n, 0);
  discount_ = 1;
  DeviceArray<float> reward(context_.backend, n * kPiece);
  DeviceArray<std::uint8_t> terminated(context_.backend, n * kPiece);
  std::vector<float> rewards(n * kPiece);
  std::vector<std::uint8_t> flags(n * kPiece);
  const auto add = [&](int n_steps) {
    reward.download(rewards.data(), n * n_steps);
    terminated.download(flags.data(), n * n_steps);
    add_rewards(n_steps, rewards, flags, value);
  };
  DeviceArray<std::uint8_t> truncated(context_.backend, n);
  StepOutput first = {};
  first.reward = reward.data();
  first.terminated = terminated.data();
  first.truncated = truncated.data();
  branches.step(action.data(), first);
  add(1);
  const auto lives = [&] { return std::find(ended_.begin(), ended_.end(), 0) != ended_.end(); };
  for (int taken = 1; taken < options_.steps && lives();) {
    Trajectory piece = {};
    piece.n_steps = std::min(kPiece, options_.steps - taken);
    piece.n_envs = int(n);
    piece.reward = reward.data();
    piece.terminated = terminated.data();
    branches.rollout(ActionSource::kPolicy, learner_.policy().view(), false, piece);
    add(piece.n_steps);
    taken += piece.n_steps;
  }
  note_nonfinite(branches);
  if (options_.bootstraps) add_cut_values(branches, value);
  return value;
}

void Vine::center(const std::vector<double>& value) {
  std::vector<float> advantage(value.size(), 0.0f);
  double sum = 0, spread = 0;
  long count = 0;
  for (long j = 0; j < n_states_; j++) {
    if (is_left_out_[j] != 0) continue;
    double mean = 0, squares = 0;
    for (long k = 0; k < n_branches_; k++) mean += value[k * n_states_ + j] / n_branches_;
    for (long k = 0; k < n_branches_; k++) {
      const double a = value[k * n_states_ + j] - mean;
      squares += a * a / n_branches_;
      advantage[k * n_states_ + j] = float(a);
    }
    sum += mean;
    spread += std::sqrt(squares);
    count++;
  }
  const double scale = learner_.advantages().reward_scale() * double(std::max(count, 1L));
  mean_value_ = sum / scale;
  mean_spread_ = spread / scale;
  if (normalizes_ && count > 1) {
    double squares = 0;
    for (const float a : advantage) squares += double(a) * double(a);
    const double deviation = std::sqrt(squares / double(count * n_branches_));
    for (float& a : advantage) a = float(double(a) / (deviation + 1e-8));
  }
  advantage_.upload(advantage);
}

void Vine::grow() {
  steps_ = 0;
  const std::vector<float> states = chosen_states();
  const DeviceArray<float> action = open(states);
  center(follow(states, action));
}

}  // namespace gallop
