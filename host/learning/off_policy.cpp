#include <gallop/host/learning/off_policy.h>

#include <fmt/format.h>

#include <cmath>
#include <exception>

#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>
#include <gallop/host/learning/learner_setup.h>

namespace gallop {
namespace {

// Slots of the noise of one batch.
constexpr std::uint32_t kTargetSlot = 0, kPolicySlot = 1;

// Also where the learner only plays: counters of a checkpoint are multiples of it.
long steps_between(const Options& options) {
  const long n_steps = options.integer("n_steps"), train_freq = options.integer("train_freq");
  if (n_steps % train_freq != 0) {
    throw value_error(
        fmt::format("n_steps is {} and train_freq is {}; expected a multiple of train_freq",
                    n_steps, train_freq));
  }
  return train_freq;
}

Environments make_environments(const AlgorithmContext& context) {
  Environments environments(context.backend, context.environment, environment_options(context));
  context.configure(environments);
  return environments;
}

double noise_of(const Options& options) {
  if (!options.has("exploration_noise") || options.text("noise") == "ou") return 0;
  return options.real("exploration_noise");
}

// Of the entropy, in the units of the actions: the option is in units of half the range, where 0
// stands for minus the number of components.
double target_entropy(const Options& options, const EnvironmentSpec& spec, int n_actions) {
  const double asked = options.real("target_entropy");
  double target = asked != 0 ? asked : -double(n_actions);
  for (int k = 0; k < n_actions; k++) {
    target += std::log((spec.action[k].high - spec.action[k].low) / 2);
  }
  return target;
}

}  // namespace

OffPolicyLearner::OffPolicyLearner(const AlgorithmContext& context, const OffPolicyDesign& design)
    : backend_(context.backend),
      design_(design),
      plays_only_(context.plays_only),
      seed_(context.seed),
      learning_starts_(std::uint64_t(context.options.integer("learning_starts"))),
      rollout_steps_(std::uint64_t(context.options.integer("n_steps"))),
      gamma_(context.options.real("gamma")),
      tau_(context.options.has("tau") ? context.options.real("tau") : 1.0),
      reward_scale_(context.options.real("reward_scale")),
      learning_rate_(context.options.real("learning_rate")),
      environments_(make_environments(context)),
      policy_(context, environments_, design.head, noise_of(context.options)),
      rollout_(backend_, environments_, plays_only_ ? 1 : int(steps_between(context.options)),
               resets_nonfinite(context.options)) {
  const Options& options = context.options;
  require_sizes(context);
  environments_.reset();
  if (plays_only_) return;
  rollout_.keep_every_final_observation();
  const long batch = options.integer("batch_size");
  replay_ = ReplayBuffer(backend_, environments_, options.integer("buffer_size"), batch, seed_);
  if (rollout_.n_samples() > replay_.capacity()) {
    throw value_error(fmt::format(
        "buffer_size is {}; expected at least the {} transitions of train_freq x n_envs",
        replay_.capacity(), rollout_.n_samples()));
  }
  critics_ = QNetworks(context, policy_.shape(), design.n_critics, design.has_targets);
  if (design.has_target_policy) target_policy_ = TargetParameters(backend_, policy_.parameters());
  const std::size_t b = std::size_t(batch);
  const std::size_t outputs = std::size_t(outputs_of(policy_.shape().network));
  output_ = DeviceArray<float>(backend_, outputs * b);
  log_prob_ = DeviceArray<float>(backend_, b);
  target_ = DeviceArray<float>(backend_, b);
  if (design.has_temperature) begin_temperature(options);
  if (options.has("noise") && options.text("noise") == "ou") begin_process(options);
}

// alpha by the option, or where that is 0 one that is learnt.
void OffPolicyLearner::begin_temperature(const Options& options) {
  const double given = options.real("entropy_coefficient");
  const double first = given > 0 ? given : options.real("initial_entropy_coefficient");
  const std::vector<float> log_first = {float(std::log(first))};
  target_entropy_ = target_entropy(options, environments_.spec(), policy_.shape().n_actions);
  if (given > 0) {
    given_log_alpha_ = DeviceArray<float>(backend_, 1);
    given_log_alpha_.upload(log_first);
  } else {
    log_alpha_ = TrainedParameters(backend_, log_first, 0);
  }
}

void OffPolicyLearner::begin_process(const Options& options) {
  const std::size_t n = std::size_t(environments_.n_envs());
  const PolicyShape& shape = policy_.shape();
  has_process_ = true;
  ou_theta_ = options.real("ou_theta");
  ou_sigma_ = options.real("exploration_noise");
  ou_time_step_ = options.real("ou_time_step");
  process_ = DeviceArray<float>::zeroed(backend_, std::size_t(shape.n_actions) * n);
  acting_output_ = DeviceArray<float>(backend_, std::size_t(outputs_of(shape.network)) * n);
}

// Refuses what is of another size than the checkpoint.
void OffPolicyLearner::require_sizes(const AlgorithmContext& context) const {
  require_size(context, "policy/parameters", std::uint64_t(policy_.parameters().size()),
               "hidden or the environment");
  const NetworkShape critic = QNetworks::shape_of(policy_.shape(), context.options);
  require_size(context, "value/q1/parameters", std::uint64_t(layer_offset(critic, critic.n_layers)),
               "value_hidden");
}

// The policy's action with the process on it.
void OffPolicyLearner::act_with_process(const float* observation, float* action) {
  const PolicyShape& shape = policy_.shape();
  const float* const range =
      policy_.parameters().data() + layer_offset(shape.network, shape.network.n_layers);
  const int n = environments_.n_envs();
  backend_.values(
      {shape.network, policy_.parameters().data(), {}, 1, n, observation, acting_output_.data()});
  ChooseRequest choose = {};
  choose.shape = shape;
  choose.parameters = policy_.parameters().data();
  choose.n = n;
  choose.output = acting_output_.data();
  choose.deterministic = 1;
  choose.seed = seed_;
  choose.ids = {environments_.options().id_offset, nullptr};
  choose.episode = environments_.episode();
  choose.elapsed = environments_.episode_length();
  choose.action = action;
  backend_.choose_actions(choose);
  backend_.ou_noise({n, shape.n_actions, float(ou_theta_), float(ou_sigma_), float(ou_time_step_),
                     range, range + shape.n_actions, seed_, choose.ids, choose.episode,
                     choose.elapsed, process_.data(), action});
}

void OffPolicyLearner::collect() {
  if (plays_only_) throw internal_error("a learner that was made to play its policy is to learn");
  count_steps(environments_, steps_, [&] {
    if (steps_ < learning_starts_) {
      rollout_.collect_random(environments_);
    } else if (has_process_) {
      rollout_.collect_by(environments_, [&](const float* o, float* a) { act_with_process(o, a); });
    } else {
      rollout_.collect(environments_, policy_.view());
    }
  });
  if (rollout_.mask().empty()) return replay_.write(rollout_.trajectory());
  std::vector<std::uint32_t> kept;
  for (int t = 0; t < rollout_.n_steps(); t++) {
    for (int i = 0; i < rollout_.n_envs(); i++) {
      if (!rollout_.mask().hides(t, i)) kept.push_back(std::uint32_t(t * rollout_.n_envs() + i));
    }
  }
  replay_.write(rollout_.trajectory(), kept);
}

void OffPolicyLearner::find_targets(double smoothing, double smoothing_limit) {
  const ReplayBatch& batch = replay_.batch();
  const PolicyShape& shape = policy_.shape();
  const float* const acts =
      design_.has_target_policy ? target_policy_.data() : policy_.parameters().data();
  backend_.values({shape.network, acts, {}, 1, int(batch.count), batch.next_input, output_.data()});
  backend_.sample_actions({shape,
                           acts,
                           {seed_, replay_.state(), kTargetSlot},
                           float(smoothing),
                           float(smoothing_limit),
                           batch.count,
                           output_.data(),
                           batch.next_input + long(replay_.observation_rows()) * batch.count,
                           design_.has_temperature ? log_prob_.data() : nullptr});
  critics_.evaluate_targets(batch);
  backend_.q_targets({batch.count, batch.reward, batch.terminated, critics_.next_value(0),
                      critics_.next_value(1), design_.has_temperature ? log_prob_.data() : nullptr,
                      log_alpha(), float(gamma_), float(reward_scale_), target_.data()});
}

const float* OffPolicyLearner::log_alpha() const {
  if (!design_.has_temperature) return nullptr;
  return log_alpha_.size() > 0 ? log_alpha_.data() : given_log_alpha_.data();
}

void OffPolicyLearner::improve_policy(bool lower_of_two) {
  const ReplayBatch& batch = replay_.batch();
  TrainedParameters& policy = policy_.parameters();
  QPolicyGradientRequest r = {};
  r.policy = policy_.view();
  r.samples.n_envs = int(batch.count);
  r.samples.observation_rows = replay_.observation_rows();
  r.samples.observation = batch.input;
  r.samples.count = batch.count;
  r.critic = critics_.shape();
  r.critic1 = critics_.network(0).data();
  r.critic2 = lower_of_two ? critics_.network(1).data() : nullptr;
  r.noise = {seed_, replay_.state(), kPolicySlot};
  r.log_alpha = log_alpha();
  r.target_entropy = float(target_entropy_);
  r.weight = 1.0f / float(batch.count);
  r.gradient = policy.gradient();
  backend_.q_policy_gradient(r);
  policy.step({});
}

void OffPolicyLearner::adapt_temperature() {
  if (log_alpha_.size() == 0) return;
  const float* const slope = policy_.parameters().statistics_data() + kStatTemperature;
  backend_.copy({log_alpha_.gradient(), slope, 1});
  log_alpha_.step({});
}

void OffPolicyLearner::average_targets() {
  critics_.follow(tau_);
  if (design_.has_target_policy) target_policy_.follow(policy_.parameters(), tau_);
}

double OffPolicyLearner::temperature() const {
  if (!design_.has_temperature || plays_only_) return 0;
  float log_value;
  backend_.to_host(&log_value, log_alpha(), sizeof(float));
  return std::exp(double(log_value));
}

void OffPolicyLearner::add_metrics(Metrics& metrics, bool fitted, bool improved) const {
  const double none = std::nan(""), count = double(replay_.batch().count);
  const std::vector<float> sums =
      improved ? policy_.parameters().statistics() : std::vector<float>(kQPolicyStatistics);
  metrics.emplace_back("replay_size", double(replay_.size()));
  metrics.emplace_back("q", improved ? double(sums[kStatQ]) / count : none);
  metrics.emplace_back("value_loss",
                       fitted ? critics_.last_error(replay_.batch().count) / 2 : none);
  if (!design_.has_temperature) return;
  metrics.emplace_back("entropy", improved ? -double(sums[kStatLogPi]) / count : none);
  metrics.emplace_back("entropy_coefficient", temperature());
}

void OffPolicyLearner::begin_updates() {
  policy_.parameters().set_learning_rate(learning_rate_);
  critics_.set_learning_rate();
  if (log_alpha_.size() > 0) log_alpha_.set_learning_rate(learning_rate_);
}

void OffPolicyLearner::end_updates() {
  critics_.require_finite_steps();
  require_finite(policy_.parameters().last_norm(), "the norm of the policy's gradient");
  if (log_alpha_.size() > 0) {
    require_finite(log_alpha_.last_norm(), "the derivative by the entropy coefficient");
  }
}

void OffPolicyLearner::remember() {
  policy_.parameters().remember();
  critics_.remember();
  if (design_.has_target_policy) target_policy_.remember();
  if (log_alpha_.size() > 0) log_alpha_.remember();
}

void OffPolicyLearner::restore() {
  policy_.parameters().restore();
  critics_.restore();
  if (design_.has_target_policy) target_policy_.restore();
  if (log_alpha_.size() > 0) log_alpha_.restore();
}

void OffPolicyLearner::save(TensorFile& file) const {
  file.put_scalar<std::uint64_t>("steps", steps_);
  policy_.save(file);
  environments_.save(file, "environments");
  rollout_.save(file);
  if (plays_only_) return;
  critics_.save(file);
  replay_.save(file);
  if (design_.has_target_policy) target_policy_.save(file, "policy/target");
  if (log_alpha_.size() > 0) log_alpha_.save(file, "temperature");
  if (has_process_) file.put<float>("noise", {process_.size()}, process_.download());
}

void OffPolicyLearner::load(const TensorFile& file) {
  environments_.load(file, "environments");
  steps_ = checked_steps(file, environments_, rollout_steps_);
  policy_.load(file, steps_);
  const std::uint64_t collections = environments_.time() / std::uint64_t(rollout_.n_steps());
  rollout_.load(file, environments_, collections);
  if (plays_only_) return;
  critics_.load(file);
  replay_.load(file, environments_.time() * std::uint64_t(environments_.n_envs()));
  if (design_.has_target_policy) target_policy_.load(file, "policy/target");
  if (log_alpha_.size() > 0) log_alpha_.load(file, "temperature");
  if (has_process_) process_.upload(finite_floats(file, "noise", process_.size()));
}

OffPolicyAlgorithm::OffPolicyAlgorithm(const AlgorithmContext& context,
                                       const OffPolicyDesign& design)
    : context_(context),
      learner_(context, design),
      n_collections_(context.plays_only
                         ? context.options.integer("n_steps")
                         : context.options.integer("n_steps") / steps_between(context.options)),
      gradient_steps_(context.options.integer("gradient_steps")) {
  context_.checkpoint = nullptr;
  if (gradient_steps_ == 0) gradient_steps_ = learner_.rollout().n_samples();
}

void OffPolicyAlgorithm::run_updates() {
  for (long k = 0; k < gradient_steps_; k++, updates_++) {
    const bool improves = improves_policy(updates_);
    improved_ = improved_ || improves;
    context_.backend.run([&] { update(improves); }, recording_[improves]);
  }
}

Metrics OffPolicyAlgorithm::iterate() {
  const std::uint64_t updates_before = updates_;
  improved_ = false;
  learner_.remember();
  EpisodeTotals episodes;
  try {
    learner_.begin_updates();
    for (long k = 0; k < n_collections_; k++) {
      learner_.collect();
      episodes += learner_.rollout().episode_totals();
      if (learner_.may_learn()) run_updates();
    }
    if (updates_ > updates_before) learner_.end_updates();
  } catch (...) {
    updates_ = updates_before;
    try {
      learner_.restore();
    } catch (...) {
      // A device that fails keeps nothing; the exception that is on its way says more.
    }
    throw;
  }
  Metrics metrics = episodes.metrics(learner_.rollout().resets_nonfinite());
  metrics.emplace_back("updates", double(updates_));
  learner_.add_metrics(metrics, updates_ > updates_before, improved_);
  return metrics;
}

void OffPolicyAlgorithm::save(TensorFile& file) const {
  learner_.save(file);
  file.put_scalar<std::uint64_t>("updates", updates_);
}

void OffPolicyAlgorithm::load_state(const TensorFile& file) {
  learner_.load(file);
  const std::uint64_t most = learner_.steps() / std::uint64_t(learner_.rollout().n_samples()) *
                             std::uint64_t(gradient_steps_);
  updates_ =
      checked_count(file, "updates", most, fmt::format("updates in {} steps", learner_.steps()));
}

}  // namespace gallop
