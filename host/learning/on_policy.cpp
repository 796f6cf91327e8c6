#include <gallop/host/learning/on_policy.h>

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include <gallop/host/error.h>
#include <gallop/host/files/tensor_file.h>
#include <gallop/host/learning/learner_setup.h>
#include <gallop/kernels/gradients/samples.h>

namespace gallop {
namespace {

constexpr long kMaxSamples = 1L << 30;  // of an iteration: ids of samples are 32-bit numbers

int rollout_length(const AlgorithmContext& context) {
  return context.plays_only ? 1 : int(context.options.integer("n_steps"));
}

// Of the processor: where a device's memory ends it says so itself, here the system would end the
// process.
void require_memory(const AlgorithmContext& context, const Environments& environments,
                    double parameters) {
  const int n_steps = rollout_length(context), n_envs = environments.n_envs();
  const double samples = double(n_steps) * n_envs, floats = sizeof(float);
  const int rows = 2 * environments.observation_rows() + environments.action_rows() + 10;
  const double rollouts = samples * rows * floats;
  // Parameters, their gradient, two moments, and three of them kept for a step that is refused.
  const double networks = 7 * parameters * floats;
  const double available = double(context.backend.available_memory());
  if (rollouts + networks <= available) return;
  constexpr double kGigabyte = 1e9;
  throw value_error(fmt::format(
      "a learner of these options takes at least {:.2f} GB: {:.2f} GB for rollouts of n_steps {} x "
      "n_envs {}, {:.2f} GB for networks of {:.0f} parameters; {:.2f} GB are available. Fewer "
      "instances, shorter rollouts or a smaller network take less",
      (rollouts + networks) / kGigabyte, rollouts / kGigabyte, n_steps, n_envs,
      networks / kGigabyte, parameters, available / kGigabyte));
}

// Refuses, before memory is taken, what is too large or of another size than the checkpoint.
void require_sizes(const AlgorithmContext& context, const Environments& environments) {
  const PolicyShape policy = make_policy_shape(environments, context.options);
  const NetworkShape value = make_value_shape(policy, context.options);
  const long policy_size = parameter_count(policy);
  const long value_size = layer_offset(value, value.n_layers);
  require_size(context, "policy/parameters", std::uint64_t(policy_size),
               "hidden or the environment");
  require_size(context, "value/parameters", std::uint64_t(value_size), "value_hidden");
  require_memory(context, environments, double(policy_size) + double(value_size));
}

Environments make_environments(const AlgorithmContext& context) {
  Environments environments(context.backend, context.environment, environment_options(context));
  const int n_steps = rollout_length(context);
  const long n_samples = long(n_steps) * environments.n_envs();
  if (n_samples > kMaxSamples) {
    throw value_error(
        fmt::format("n_envs {} x n_steps {} makes {} samples an iteration; expected at "
                    "most {}",
                    environments.n_envs(), n_steps, n_samples, kMaxSamples));
  }
  context.configure(environments);
  require_sizes(context, environments);
  return environments;
}

}  // namespace

double OnPolicyAlgorithm::rate_left() const {
  if (!context_.options.flag("anneal")) return 1.0;
  const double done = double(learner_.steps() - steps_per_iteration());
  return std::max(0.0, 1.0 - done / double(context_.options.integer("steps")));
}

UpdateGuard::UpdateGuard(OnPolicyLearner& learner)
    : learner_(learner), exceptions_(std::uncaught_exceptions()) {
  learner.policy().parameters().remember();
  learner.value().parameters().remember();
}

UpdateGuard::~UpdateGuard() {
  if (std::uncaught_exceptions() == exceptions_) return;
  try {
    learner_.policy().parameters().restore();
    learner_.value().parameters().restore();
  } catch (...) {
    // A device that fails keeps nothing; the exception that is on its way says more.
  }
}

OnPolicyLearner::OnPolicyLearner(const AlgorithmContext& context)
    : backend_(context.backend),
      rollout_steps_(std::uint64_t(context.options.integer("n_steps"))),
      plays_only_(context.plays_only),
      environments_(make_environments(context)),
      policy_(context, environments_),
      value_(context, environments_, policy_.shape()),
      rollout_(backend_, environments_, rollout_length(context), resets_nonfinite(context.options)),
      advantages_(backend_, rollout_, context.options) {
  environments_.reset();
}

template <class Collect>
void OnPolicyLearner::count_steps(const Collect& collect) {
  if (plays_only_) throw internal_error("a learner that was made to play its policy is to learn");
  gallop::count_steps(environments_, steps_, collect);
}

void OnPolicyLearner::collect() {
  count_steps([&] { rollout_.collect(environments_, policy_.view()); });
}

void OnPolicyLearner::collect_from_reset() {
  count_steps([&] { rollout_.collect_from_reset(environments_, policy_.view()); });
}

std::array<ValuesRequest, 2> OnPolicyLearner::values_requests() const {
  const Trajectory& t = rollout_.trajectory();
  const Normalization seen = policy_.normalization();
  const ValuesRequest all =
      value_.values_request(seen, t.n_steps + 1, t.n_envs, t.observation, advantages_.value());
  ValuesRequest last = value_.values_request(seen, t.n_steps, t.n_envs, t.final_observation,
                                             advantages_.final_value());
  last.terminated = t.terminated;
  last.truncated = t.truncated;
  last.interval = t.final_interval;
  last.arithmetic = Arithmetic::kStrict;
  return {all, last};
}

void OnPolicyLearner::evaluate_values() {
  for (const ValuesRequest& request : values_requests()) backend_.values(request);
}

void OnPolicyLearner::estimate_advantages() {
  evaluate_values();
  advantages_.estimate(rollout_, {.lambda = advantages_.lambda()});
}

RolloutArrays OnPolicyLearner::arrays() const {
  const Trajectory& t = rollout_.trajectory();
  return {t.n_steps,
          t.n_envs,
          t.observation,
          t.reward,
          t.terminated,
          t.truncated,
          t.final_observation,
          t.final_interval,
          rollout_.age(),
          advantages_.value(),
          advantages_.final_value(),
          advantages_.advantage(),
          advantages_.target()};
}

void OnPolicyLearner::update_normalizer() {
  const Trajectory& t = rollout_.trajectory();
  policy_.update_normalizer(t.observation, t.n_steps, t.n_envs);
}

Samples OnPolicyLearner::samples(const std::uint32_t* order, long count) const {
  const Trajectory& t = rollout_.trajectory();
  return {t.n_envs,
          environments_.observation_rows(),
          environments_.action_rows(),
          t.observation,
          t.action,
          t.log_prob,
          advantages_.advantage(),
          advantages_.target(),
          order,
          count};
}

void OnPolicyLearner::save(TensorFile& file) const {
  file.put_scalar<std::uint64_t>("steps", steps_);
  policy_.save(file);
  value_.save(file);
  environments_.save(file, "environments");
  rollout_.save(file);
}

void OnPolicyLearner::load(const TensorFile& file) {
  environments_.load(file, "environments");
  steps_ = checked_steps(file, environments_, rollout_steps_);
  policy_.load(file, steps_);
  value_.load(file);
  rollout_.load(file, environments_, iterations());
}

}  // namespace gallop
