#include <gallop/host/learning/value_model.h>

#include <algorithm>

#include <gallop/host/error.h>

namespace gallop {
namespace {

constexpr double kHiddenGain = 1.0, kOutputGain = 1.0;
constexpr std::uint32_t kStream = 1;

}  // namespace

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

ValueModel::ValueModel(const AlgorithmContext& context, const Environments& environments,
                       const PolicyShape& policy)
    : arithmetic_(environments.options().arithmetic),
      shape_(make_value_shape(policy, context.options)),
      parameters_(
          context.backend,
          first_values(context, "value/parameters",
                       initial_parameters(shape_, context.seed, kStream, kHiddenGain, kOutputGain),
                       true),
          1) {}

ValuesRequest ValueModel::values_request(const Normalization& normalization, int n_rows, int n_envs,
                                         const float* observation, float* value) const {
  ValuesRequest r = {shape_, parameters_.data(), normalization, n_rows, n_envs, observation, value};
  r.arithmetic = arithmetic_;
  return r;
}

ValueGradientRequest ValueModel::gradient_request(const Normalization& normalization,
                                                  const Samples& samples) const {
  ValueGradientRequest r = {};
  r.shape = shape_;
  r.parameters = parameters_.data();
  r.normalization = normalization;
  r.arithmetic = arithmetic_;
  r.samples = samples;
  r.weight = 1.0f / float(samples.count);
  r.gradient = parameters_.gradient();
  return r;
}

}  // namespace gallop
