#include <gallop/host/learning/policy_model.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/learning/own_policy.h>
#include <gallop/kernels/off_policy/q_policy_gradient.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {
namespace {

constexpr double kHiddenGain = 1.0, kOutputGain = 0.01;
constexpr std::uint32_t kStream = 0;

// The range of the actions behind the network's parameters, which is not learnt.
LearntPart bounded_part(const EnvironmentSpec& spec, const PolicyShape& shape, double noise) {
  const std::size_t n = std::size_t(shape.n_actions), all = std::size_t(parameter_count(shape));
  const std::size_t first = std::size_t(layer_offset(shape.network, shape.network.n_layers));
  LearntPart part = {std::vector<std::uint8_t>(all, 0), std::vector<float>(all, float(noise))};
  for (std::size_t k = first; k < all; k++) part.fixed[k] = 1;
  for (std::size_t k = 0; k < n; k++) {
    const double low = spec.action[k].low, high = spec.action[k].high;
    part.values[first + k] = float((high - low) / 2);
    part.values[first + n + k] = float((high + low) / 2);
  }
  return part;
}

}  // namespace

PolicyShape make_policy_shape(const Environments& environments, const Options& options) {
  const EnvironmentSpec& spec = environments.spec();
  std::vector<std::int64_t> hidden = options.integers("hidden");
  if (takes_own_policy(environments, options)) hidden.clear();
  PolicyShape shape = {};
  shape.head = spec.action_kind == SpaceKind::kDiscrete ? Head::kCategorical
               : options.text("log_std") == "network"   ? Head::kGaussianNetwork
                                                        : Head::kGaussian;
  shape.n_actions = environments.action_size();
  const int outputs = head_outputs(shape.head, shape.n_actions);
  shape.network =
      network_shape(environments.has_index_observations(), environments.observation_size(),
                    {hidden.begin(), hidden.end()}, options.text("activation"), outputs);
  return shape;
}

const char* why_no_bounded_policy(const EnvironmentSpec& spec) {
  if (spec.action_kind == SpaceKind::kDiscrete) return "discrete actions";
  if (spec.observation_kind == SpaceKind::kDiscrete) return "states of a table to observe";
  for (int k = 0; k < spec.action_capacity; k++) {
    if (!std::isfinite(spec.action[k].low) || !std::isfinite(spec.action[k].high)) {
      return "actions without bounds";
    }
  }
  return nullptr;
}

PolicyShape make_bounded_policy_shape(const Environments& environments, const Options& options,
                                      Head head) {
  const EnvironmentSpec& spec = environments.spec();
  const int n = environments.action_size();
  for (int k = 0; spec.action != nullptr && k < n; k++) {
    const ComponentSpec& c = spec.action[k];
    if (std::isfinite(c.low) && std::isfinite(c.high)) continue;
    throw value_error(
        fmt::format("action component '{}' of {} is within [{}, {}]; this algorithm expects finite "
                    "bounds, to which the tanh of its policy is scaled",
                    c.name, spec.name, c.low, c.high));
  }
  if (const char* const why = why_no_bounded_policy(spec); why != nullptr) {
    throw value_error(
        fmt::format("{} has {}; this algorithm learns policies of continuous observations and "
                    "actions",
                    spec.name, why));
  }
  if (kHeadNumbers * n > kMaxOutputs) {
    throw value_error(fmt::format("{} has {} action components; this algorithm expects at most {}",
                                  spec.name, n, kMaxOutputs / kHeadNumbers));
  }
  const std::vector<std::int64_t>& hidden = options.integers("hidden");
  PolicyShape shape = {};
  shape.head = head;
  shape.n_actions = n;
  shape.network =
      network_shape(false, environments.observation_size(), {hidden.begin(), hidden.end()},
                    options.text("activation"), head_outputs(head, n));
  return shape;
}

std::vector<float> initial_policy(const PolicyShape& shape, std::uint64_t seed, float log_std) {
  std::vector<float> initial =
      initial_parameters(shape.network, seed, kStream, kHiddenGain, kOutputGain);
  // Where outputs are log sigma too, it is the biases of the last ones, which end the parameters.
  const int outputs = head_outputs(shape.head, shape.n_actions) - shape.n_actions;
  std::fill(initial.end() - outputs, initial.end(), log_std);
  initial.insert(initial.end(), head_parameters(shape.head, shape.n_actions), log_std);
  return initial;
}

PolicyModel::PolicyModel(const AlgorithmContext& context, const Environments& environments)
    : arithmetic_(environments.options().arithmetic),
      shape_(make_policy_shape(environments, context.options)),
      part_(takes_own_policy(environments, context.options) ? own_part(environments.spec(), shape_)
                                                            : LearntPart{}),
      fixed_(context.backend, part_.fixed.size()),
      parameters_(context.backend, first_parameters(context), kPolicyStatistics),
      normalizer_(context.backend, environments.observation_rows(),
                  context.options.flag("normalize_observations") &&
                      !environments.has_index_observations()) {
  fixed_.upload(part_.fixed);
  if (context.initial != nullptr) normalizer_.begin_with(*context.initial, "normalizer");
}

PolicyModel::PolicyModel(const AlgorithmContext& context, const Environments& environments,
                         Head head, double noise)
    : arithmetic_(Arithmetic::kStrict),
      shape_(make_bounded_policy_shape(environments, context.options, head)),
      part_(bounded_part(environments.spec(), shape_, noise)),
      fixed_(context.backend, part_.fixed.size()),
      parameters_(context.backend, first_parameters(context), kQPolicyStatistics),
      normalizer_(context.backend, environments.observation_rows(), false) {
  fixed_.upload(part_.fixed);
  if (context.initial != nullptr) normalizer_.begin_with(*context.initial, "normalizer");
}

std::vector<float> PolicyModel::first_parameters(const AlgorithmContext& context) const {
  const Options& options = context.options;
  const double log_std = options.has("init_log_std") ? options.real("init_log_std") : 0.0;
  std::vector<float> first = initial_policy(shape_, context.seed, float(log_std));
  part_.apply(first);
  first = first_values(context, "policy/parameters", std::move(first));
  part_.require(first, "policy/parameters");
  return first;
}

PolicyGradientRequest PolicyModel::gradient_request(const Samples& samples) const {
  PolicyGradientRequest r = {};
  r.policy = view();
  r.arithmetic = arithmetic_;
  r.samples = samples;
  r.weight = 1.0f / float(samples.count);
  r.gradient = parameters_.gradient();
  return r;
}

void PolicyModel::save(TensorFile& file) const {
  parameters_.save(file, "policy");
  normalizer_.save(file, "normalizer");
}

void PolicyModel::load(const TensorFile& file, std::uint64_t most) {
  parameters_.load(file, "policy");
  part_.require(parameters_.values(), "policy/parameters");
  normalizer_.load(file, "normalizer", most);
}

}  // namespace gallop
