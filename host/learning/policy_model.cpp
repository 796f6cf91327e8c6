#include <gallop/host/learning/policy_model.h>

#include <algorithm>

#include <gallop/host/learning/own_policy.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {
namespace {

constexpr double kHiddenGain = 1.0, kOutputGain = 0.01;
constexpr std::uint32_t kStream = 0;

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
}

std::vector<float> PolicyModel::first_parameters(const AlgorithmContext& context) const {
  std::vector<float> first =
      initial_policy(shape_, context.seed, float(context.options.real("init_log_std")));
  part_.apply(first);
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
