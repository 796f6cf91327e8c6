#include "host/learning/on_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>

#include "host/checkpoint/tensor_file.h"
#include "host/error.h"
#include "kernels/gradients/samples.h"

namespace gallop {
namespace {

constexpr double kHiddenGain = 1.0, kPolicyOutputGain = 0.01, kValueOutputGain = 1.0;
constexpr std::uint32_t kPolicyStream = 0, kValueStream = 1;
constexpr long kMaxSamples = 1L << 30;  // of an iteration: ids of samples are 32-bit numbers

EnvironmentOptions environment_options(const AlgorithmContext& context) {
  EnvironmentOptions options;
  options.n_envs = int(context.options.integer("n_envs"));
  options.seed = context.seed;
  if (context.options.text("mode") == "fast") options.arithmetic = Arithmetic::kFast;
  return options;
}

PolicyShape make_policy_shape(const Environments& environments, const Options& options) {
  const EnvironmentSpec& spec = environments.spec();
  const std::vector<std::int64_t>& hidden = options.integers("hidden");
  PolicyShape shape = {};
  shape.head = spec.action_kind == SpaceKind::kDiscrete ? Head::kCategorical
               : options.text("log_std") == "network"   ? Head::kGaussianNetwork
                                                        : Head::kGaussian;
  shape.n_actions = environments.action_size();
  const int outputs = shape.head == Head::kGaussianNetwork ? 2 * shape.n_actions : shape.n_actions;
  shape.network =
      network_shape(spec.observation_kind == SpaceKind::kDiscrete, environments.observation_size(),
                    {hidden.begin(), hidden.end()}, options.text("activation"), outputs);
  return shape;
}

NetworkShape make_value_shape(const PolicyShape& policy, const Options& options) {
  const std::vector<std::int64_t>& hidden = options.integers("value_hidden");
  NetworkShape shape = policy.network;
  if (shape.kind == NetworkKind::kMlp && hidden != std::vector<std::int64_t>{0}) {
    if (std::find(hidden.begin(), hidden.end(), 0) != hidden.end()) {
      throw value_error("value_hidden is " + options.value_text("value_hidden") +
                        "; expected widths of at least 1, or 0 alone for those of the policy");
    }
    shape = network_shape(false, shape.width[0], {hidden.begin(), hidden.end()},
                          options.text("activation"), 1);
  }
  shape.width[shape.n_layers] = 1;
  return shape;
}

}  // namespace

ValueTarget value_target(const std::string& choice) {
  return choice == "td"            ? ValueTarget::kTd
         : choice == "monte_carlo" ? ValueTarget::kMonteCarlo
                                   : ValueTarget::kLambda;
}

void require_finite(double value, const std::string& what) {
  if (std::isfinite(value)) return;
  throw Error(ExitCode::non_finite,
              fmt::format("{} is {}; the step is refused and the parameters keep their last values",
                          what, value));
}

double OnPolicyAlgorithm::rate_left() const {
  if (!context_.options.flag("anneal")) return 1.0;
  const double done = double(learner_.steps() - steps_per_iteration());
  return std::max(0.0, 1.0 - done / double(context_.options.integer("steps")));
}

UpdateGuard::UpdateGuard(OnPolicyLearner& learner)
    : learner_(learner), exceptions_(std::uncaught_exceptions()) {
  learner.policy_parameters().remember();
  learner.value_parameters().remember();
}

UpdateGuard::~UpdateGuard() {
  if (std::uncaught_exceptions() == exceptions_) return;
  try {
    learner_.policy_parameters().restore();
    learner_.value_parameters().restore();
  } catch (...) {
    // A device that fails keeps nothing; the exception that is on its way says more.
  }
}

OnPolicyLearner::OnPolicyLearner(const AlgorithmContext& context)
    : backend_(context.backend),
      environments_(context.backend, context.environment, environment_options(context)),
      n_envs_(int(context.options.integer("n_envs"))),
      n_steps_(int(context.options.integer("n_steps"))),
      gamma_(context.options.real("gamma")),
      lambda_(context.options.real("gae_lambda")),
      reward_scale_(context.options.real("reward_scale")),
      normalizes_advantages_(context.options.flag("normalize_advantages")) {
  const Options& options = context.options;
  if (n_samples() > kMaxSamples) {
    throw value_error(
        fmt::format("n_envs {} x n_steps {} makes {} samples an iteration; expected at "
                    "most {}",
                    n_envs_, n_steps_, n_samples(), kMaxSamples));
  }
  context.configure(environments_);
  policy_shape_ = make_policy_shape(environments_, options);
  value_shape_ = make_value_shape(policy_shape_, options);
  std::vector<float> initial = initial_parameters(policy_shape_.network, context.seed,
                                                  kPolicyStream, kHiddenGain, kPolicyOutputGain);
  const float log_std = float(options.real("init_log_std"));
  if (policy_shape_.head == Head::kGaussian) {
    initial.insert(initial.end(), policy_shape_.n_actions, log_std);
  } else if (policy_shape_.head == Head::kGaussianNetwork) {
    // The biases of the second half of the outputs, which end the parameters.
    std::fill(initial.end() - policy_shape_.n_actions, initial.end(), log_std);
  }
  policy_parameters_ = TrainedParameters(backend_, initial, kPolicyStatistics);
  value_parameters_ = TrainedParameters(
      backend_,
      initial_parameters(value_shape_, context.seed, kValueStream, kHiddenGain, kValueOutputGain),
      1);
  const bool index = environments_.spec().observation_kind == SpaceKind::kDiscrete;
  normalizer_ = ObservationNormalizer(backend_, environments_.observation_rows(),
                                      options.flag("normalize_observations") && !index);
  allocate_rollout(backend_);
  environments_.reset();
}

void OnPolicyLearner::allocate_rollout(Backend& backend) {
  const std::size_t n = n_envs_, samples = n * n_steps_;
  const int o = environments_.observation_rows(), a = environments_.action_rows();
  observation_ = DeviceArray<float>(backend, (samples + n) * o);
  action_ = DeviceArray<float>(backend, samples * a);
  log_prob_ = DeviceArray<float>(backend, samples);
  reward_ = DeviceArray<float>(backend, samples);
  terminated_ = DeviceArray<std::uint8_t>(backend, samples);
  truncated_ = DeviceArray<std::uint8_t>(backend, samples);
  // Read whole, and written where an episode ended.
  final_observation_ = DeviceArray<float>::zeroed(backend, samples * o);
  ended_return_ = DeviceArray<float>::zeroed(backend, samples);
  ended_length_ = DeviceArray<std::int32_t>::zeroed(backend, samples);
  // Zero where no baseline writes them, and where no episode was cut off.
  value_ = DeviceArray<float>::zeroed(backend, samples + n);
  final_value_ = DeviceArray<float>::zeroed(backend, samples);
  advantage_ = DeviceArray<float>(backend, samples);
  target_ = DeviceArray<float>(backend, samples);
  trajectory_ = {n_steps_,
                 n_envs_,
                 observation_.data(),
                 action_.data(),
                 log_prob_.data(),
                 reward_.data(),
                 terminated_.data(),
                 truncated_.data(),
                 final_observation_.data(),
                 ended_return_.data(),
                 ended_length_.data()};
}

PolicyView OnPolicyLearner::policy() const {
  return {policy_shape_, policy_parameters_.data(), normalizer_.view()};
}

bool OnPolicyLearner::has_index_observations() const {
  return environments_.spec().observation_kind == SpaceKind::kDiscrete;
}

void OnPolicyLearner::track_ages() {
  if (tracks_ages_) return;
  tracks_ages_ = true;
  age_ = DeviceArray<float>::zeroed(backend_, std::size_t(n_steps_ + 1) * n_envs_);
}

RolloutArrays OnPolicyLearner::arrays() const {
  return {n_steps_,
          n_envs_,
          observation_.data(),
          reward_.data(),
          terminated_.data(),
          truncated_.data(),
          final_observation_.data(),
          age_.data(),
          value_.data(),
          final_value_.data(),
          advantage_.data(),
          target_.data()};
}

void OnPolicyLearner::run() {
  environments_.rollout(ActionSource::kPolicy, policy(), false, trajectory_);
  steps_ += std::uint64_t(n_samples());
  const NonFinite bad = environments_.first_nonfinite();
  if (bad.found) {
    throw Error(
        ExitCode::non_finite,
        fmt::format("instance {} of {} gave an observation or reward that is not finite at "
                    "step {}; the update is refused and the parameters keep their last values",
                    bad.instance, environments_.spec().name, bad.time));
  }
  if (tracks_ages_) {
    backend_.ages({n_steps_, n_envs_, terminated_.data(), truncated_.data(), age_.data(), 0, 0});
  }
}

void OnPolicyLearner::collect() {
  // The last row is the state that this rollout goes on from.
  if (tracks_ages_) {
    backend_.copy(age_.data(), age_.data() + std::size_t(n_steps_) * n_envs_, n_envs_);
  }
  run();
}

void OnPolicyLearner::collect_from_reset() {
  if (steps_ > 0) {
    DeviceArray<std::uint8_t> all(backend_, n_envs_);
    all.upload(std::vector<std::uint8_t>(n_envs_, 1));
    environments_.reset_where(all.data());
  }
  if (tracks_ages_) age_.upload(std::vector<float>(n_envs_, 0.0f));
  run();
}

std::vector<float> OnPolicyLearner::last_ages() const {
  std::vector<float> last(n_envs_);
  age_.download(last.data(), n_envs_, std::size_t(n_steps_) * n_envs_);
  return last;
}

void OnPolicyLearner::evaluate_values() {
  backend_.values({value_shape_, value_parameters_.data(), normalizer_.view(), n_steps_ + 1,
                   n_envs_, observation_.data(), value_.data(),
                   environments_.options().arithmetic});
  backend_.final_values({value_shape_, value_parameters_.data(), normalizer_.view(), n_steps_,
                         n_envs_, environments_.observation_rows(), terminated_.data(),
                         truncated_.data(), final_observation_.data(), final_value_.data()});
}

template <class Request>
Request OnPolicyLearner::estimator_request(float* target) const {
  Request r = {};
  r.n_steps = n_steps_;
  r.n_envs = n_envs_;
  r.gamma = float(gamma_);
  r.reward_scale = float(reward_scale_);
  r.reward = reward_.data();
  r.terminated = terminated_.data();
  r.truncated = truncated_.data();
  r.value = value_.data();
  r.final_value = final_value_.data();
  r.advantage = advantage_.data();
  r.target = target;
  return r;
}

GaeRequest OnPolicyLearner::gae_request(double lambda, float* target) const {
  GaeRequest r = estimator_request<GaeRequest>(target);
  r.lambda = float(lambda);
  return r;
}

NStepRequest OnPolicyLearner::n_step_request(int n, float* target) const {
  NStepRequest r = estimator_request<NStepRequest>(target);
  r.n = n;
  return r;
}

void OnPolicyLearner::estimate_targets(ValueTarget target) {
  if (target == ValueTarget::kTd) {
    backend_.n_step(n_step_request(1, target_.data()));
  } else if (target == ValueTarget::kLambda) {
    backend_.gae(gae_request(lambda_, target_.data()));
  } else {
    targets_from_returns();
  }
}

void OnPolicyLearner::advantages_by_gae(double lambda) {
  backend_.gae(gae_request(lambda, nullptr));
}

void OnPolicyLearner::advantages_by_n_step(int n) { backend_.n_step(n_step_request(n, nullptr)); }

void OnPolicyLearner::discount_advantages_by_age() {
  backend_.discount_by_age(advantage_.data(), age_.data(), float(gamma_), n_samples());
}

void OnPolicyLearner::finish_advantages() {
  const Moments m = backend_.moments(advantage_.data(), n_steps_, n_envs_, n_envs_);
  require_finite(m.mean, "the mean advantage");
  advantage_std_ = std::sqrt(m.sum_of_squares / double(m.count));
  if (normalizes_advantages_) {
    backend_.standardize(advantage_.data(), n_samples(), float(m.mean),
                         float(1.0 / (advantage_std_ + 1e-8)));
  }
}

void OnPolicyLearner::estimate_advantages() {
  evaluate_values();
  backend_.gae(gae_request(lambda_, target_.data()));
  finish_advantages();
}

void OnPolicyLearner::targets_from_returns() {
  ReturnsRequest r = {};
  r.n_steps = n_steps_;
  r.n_envs = n_envs_;
  r.gamma = float(gamma_);
  r.reward_scale = float(reward_scale_);
  r.reward = reward_.data();
  r.terminated = terminated_.data();
  r.truncated = truncated_.data();
  r.last_value = value_.data() + std::size_t(n_steps_) * n_envs_;
  r.final_value = final_value_.data();
  r.returns = target_.data();
  backend_.returns(r);
}

void OnPolicyLearner::update_normalizer() {
  normalizer_.update(observation_.data(), n_steps_, n_envs_);
}

Samples OnPolicyLearner::samples(const std::uint32_t* order, long count) const {
  return {n_envs_,
          environments_.observation_rows(),
          environments_.action_rows(),
          observation_.data(),
          action_.data(),
          log_prob_.data(),
          advantage_.data(),
          target_.data(),
          order,
          count};
}

PolicyGradientRequest OnPolicyLearner::policy_request(const Samples& samples) const {
  PolicyGradientRequest r = {};
  r.policy = policy();
  r.arithmetic = environments_.options().arithmetic;
  r.samples = samples;
  r.weight = 1.0f / float(samples.count);
  return r;
}

ValueGradientRequest OnPolicyLearner::value_request(const Samples& samples) const {
  ValueGradientRequest r = {};
  r.shape = value_shape_;
  r.parameters = value_parameters_.data();
  r.normalization = normalizer_.view();
  r.arithmetic = environments_.options().arithmetic;
  r.samples = samples;
  r.weight = 1.0f / float(samples.count);
  return r;
}

Metrics OnPolicyLearner::episode_metrics() const {
  const EpisodeSums sums =
      backend_.episodes({terminated_.data(), truncated_.data(), ended_return_.data(),
                         ended_length_.data(), n_samples()});
  const double count = double(sums.episodes);
  const double none = std::nan("");
  return {{"episodes", count},
          {"return", count > 0 ? sums.returns / count : none},
          {"length", count > 0 ? double(sums.lengths) / count : none}};
}

void OnPolicyLearner::save(TensorFile& file) const {
  file.put_scalar<std::uint64_t>("steps", steps_);
  policy_parameters_.save(file, "policy");
  value_parameters_.save(file, "value");
  normalizer_.save(file, "normalizer");
  environments_.save(file, "environments");
  if (tracks_ages_) file.put<float>("ages", {std::uint64_t(n_envs_)}, last_ages());
}

void OnPolicyLearner::load(const TensorFile& file) {
  steps_ = file.get_scalar<std::uint64_t>("steps");
  policy_parameters_.load(file, "policy");
  value_parameters_.load(file, "value");
  normalizer_.load(file, "normalizer");
  environments_.load(file, "environments");
  if (tracks_ages_) {
    std::vector<float> last(n_envs_);
    file.get<float>("ages", {std::uint64_t(n_envs_)}, last);
    age_.upload(last.data(), n_envs_, std::size_t(n_steps_) * n_envs_);
  }
}

}  // namespace gallop
