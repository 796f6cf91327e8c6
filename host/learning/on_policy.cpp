#include <gallop/host/learning/on_policy.h>

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include <gallop/host/error.h>
#include <gallop/host/files/tensor_file.h>
#include <gallop/kernels/gradients/samples.h>

namespace gallop {
namespace {

constexpr long kMaxSamples = 1L << 30;  // of an iteration: ids of samples are 32-bit numbers

// Throws where the checkpoint that is loaded next has another size.
void require_size(const AlgorithmContext& context, const char* name, std::uint64_t size,
                  const char* options) {
  if (context.checkpoint == nullptr) return;
  const TensorShape& shape = context.checkpoint->tensor(name).shape;
  if (shape == TensorShape{size}) return;
  throw checkpoint_error(
      fmt::format("tensor '{}' has the shape {}, but {} of the run makes it [{}]", name,
                  shape_text(shape), options, size));
}

EnvironmentOptions environment_options(const AlgorithmContext& context) {
  const std::uint64_t n_envs = std::uint64_t(context.options.integer("n_envs"));
  require_size(context, "environments/elapsed", (n_envs + 63) / 64 * 64, "n_envs");
  EnvironmentOptions options;
  options.n_envs = int(context.options.integer("n_envs"));
  options.seed = context.seed;
  if (context.options.text("mode") == "fast") options.arithmetic = Arithmetic::kFast;
  return options;
}

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

bool resets_nonfinite(const Options& options) {
  return options.has("nonfinite") && options.text("nonfinite") == "reset";
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

// Steps count from the moment that they were taken, whatever their observations were.
template <class Collect>
void OnPolicyLearner::count_steps(Collect collect) {
  if (plays_only_) throw internal_error("a learner that was made to play its policy is to learn");
  const std::uint32_t before = environments_.time();
  const auto taken = [&] {
    return std::uint64_t(environments_.time() - before) * std::uint64_t(environments_.n_envs());
  };
  try {
    collect();
  } catch (...) {
    steps_ += taken();
    throw;
  }
  steps_ += taken();
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
  load_counters(file);
  policy_.load(file, steps_);
  value_.load(file);
  rollout_.load(file, environments_, iterations());
}

// The numbers of steps and episodes have to be possible together.
void OnPolicyLearner::load_counters(const TensorFile& file) {
  const std::uint64_t n_envs = std::uint64_t(environments_.n_envs());
  const std::uint64_t time = environments_.time(), taken = time * n_envs;
  if (time % rollout_steps_ != 0) {
    throw checkpoint_error(
        fmt::format("tensor 'environments/time' is {}; expected a multiple of n_steps, which is {}",
                    time, rollout_steps_));
  }
  steps_ = file.get_scalar<std::uint64_t>("steps");
  if (steps_ < taken || (time == 0 && steps_ > 0)) {
    throw checkpoint_error(
        fmt::format("tensor 'steps' is {}, but {} instances have taken {} steps each, {} in all",
                    steps_, n_envs, time, taken));
  }
  // An episode takes a step, and a rollout may begin and end with a reset.
  std::vector<std::uint32_t> episode(file.tensor("environments/episode").bytes.size() /
                                     sizeof(std::uint32_t));
  file.get<std::uint32_t>("environments/episode", {episode.size()}, episode);
  for (const std::uint32_t number : episode) {
    if (number <= 3 * time) continue;
    throw checkpoint_error(
        fmt::format("tensor 'environments/episode' holds {}; expected at most {} episodes in {} "
                    "steps",
                    number, 3 * time, time));
  }
}

}  // namespace gallop
