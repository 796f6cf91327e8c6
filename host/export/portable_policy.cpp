#include <gallop/host/export/portable_policy.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include <gallop/host/error.h>
#include <gallop/host/files/sha256.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {
namespace {

std::vector<float> downloaded(Backend& backend, const float* data, std::size_t n) {
  DeviceArray<float> copy(backend, n);
  backend.copy_bytes(copy.data(), data, n * sizeof(float));
  return copy.download();
}

std::vector<PortableComponent> components(const ComponentSpec* of, int n) {
  std::vector<PortableComponent> all;
  for (int k = 0; of != nullptr && k < n; k++) all.push_back({of[k].name, of[k].low, of[k].high});
  return all;
}

void require_finite(std::span<const float> numbers, const char* what) {
  const auto bad =
      std::find_if(numbers.begin(), numbers.end(), [](float x) { return !std::isfinite(x); });
  if (bad == numbers.end()) return;
  throw value_error(fmt::format("{} {} of the policy is {}; expected finite numbers", what,
                                bad - numbers.begin(), *bad));
}

JsonValue names_of(const std::vector<PortableComponent>& components) {
  JsonValue names = JsonValue::array();
  for (const PortableComponent& c : components) names.push_back(c.name);
  return names;
}

template <class Member>
JsonValue bounds_of(const std::vector<PortableComponent>& components, Member member) {
  JsonValue bounds = JsonValue::array();
  for (const PortableComponent& c : components) bounds.push_back(c.*member);
  return bounds;
}

}  // namespace

PortablePolicy portable_policy(Backend& backend, const PolicyView& view) {
  PortablePolicy policy;
  policy.shape = view.shape;
  policy.parameters =
      downloaded(backend, view.parameters, std::size_t(parameter_count(view.shape)));
  if (view.normalization.mean != nullptr) {
    const std::size_t inputs = std::size_t(view.shape.network.width[0]);
    policy.mean = downloaded(backend, view.normalization.mean, inputs);
    policy.inverse_std = downloaded(backend, view.normalization.inverse_std, inputs);
    policy.limit = view.normalization.limit;
  }
  return policy;
}

PolicyDescription description_of(const PolicyShape& shape, const EnvironmentSpec& spec) {
  PolicyDescription about;
  about.environment = spec.name;
  const int inputs = shape.network.width[0];
  if (shape.network.kind == NetworkKind::kMlp && inputs <= spec.observation_capacity) {
    about.observation = components(spec.observation, inputs);
  }
  if (!is_discrete(shape.head) && shape.n_actions <= spec.action_capacity) {
    about.action = components(spec.action, shape.n_actions);
  }
  return about;
}

PolicyDescription description_of(const PolicyShape& shape, const RunOptions& options,
                                 std::uint64_t steps) {
  PolicyDescription about = description_of(shape, spec_of(options.environment()));
  about.algorithm = options.algorithm().name;
  about.steps = steps;
  about.config = options.to_toml();
  about.problem = options.problem_text();
  return about;
}

PortablePolicy portable_policy(Backend& backend, const TrainedPolicy& trained) {
  PortablePolicy policy = portable_policy(backend, trained.algorithm->policy());
  policy.about = description_of(policy.shape, *trained.options, trained.algorithm->steps());
  return policy;
}

std::vector<PortableLayer> acting_layers(const PortablePolicy& policy) {
  const NetworkShape& network = policy.shape.network;
  if (network.kind == NetworkKind::kTabular) throw internal_error("a table has no layers");
  std::vector<PortableLayer> layers;
  for (int l = 0; l < network.n_layers; l++) {
    const int n_in = network.width[l], n_out = network.width[l + 1];
    const int kept = l + 1 < network.n_layers ? n_out : policy.shape.n_actions;
    const float* const weight = policy.parameters.data() + layer_offset(network, l);
    PortableLayer layer = {n_in, kept, {}, {}};
    for (int k = 0; k < n_in; k++) {
      const float* const row = weight + long(k) * n_out;
      layer.weight.insert(layer.weight.end(), row, row + kept);
    }
    const float* const bias = weight + long(n_in) * n_out;
    layer.bias.assign(bias, bias + kept);
    layers.push_back(std::move(layer));
  }
  return layers;
}

PortableSquash squash_of(const PortablePolicy& policy) {
  const PolicyShape& shape = policy.shape;
  if (shape.head != Head::kSquashedGaussian && shape.head != Head::kSquashedDeterministic) {
    return {};
  }
  const float* const range =
      policy.parameters.data() + layer_offset(shape.network, shape.network.n_layers);
  const int n = shape.n_actions;
  return {{range, range + n}, {range + n, range + 2 * n}};
}

bool has_bounds(const PortablePolicy& policy) {
  return std::any_of(
      policy.about.action.begin(), policy.about.action.end(),
      [](const PortableComponent& c) { return std::isfinite(c.low) || std::isfinite(c.high); });
}

Metadata metadata_of(const PortablePolicy& policy) {
  const PolicyShape& shape = policy.shape;
  const bool tabular = shape.network.kind == NetworkKind::kTabular;
  Metadata data = {{"gallop_version", kBuildInfo.version}};
  const auto add = [&](const char* name, JsonValue value) {
    data.emplace_back(name, std::move(value));
  };
  if (!policy.about.environment.empty()) add("environment", policy.about.environment);
  if (!policy.about.algorithm.empty()) add("algorithm", policy.about.algorithm);
  add("steps", policy.about.steps);
  add("network", kNetworkNames[int(shape.network.kind)]);
  if (!tabular) add("activation", kActivationNames[int(shape.network.hidden)]);
  add("head", kHeadNames[int(shape.head)]);
  const int* const widths = shape.network.width;
  add("widths", std::vector<int>(widths, widths + shape.network.n_layers + 1));
  add("n_actions", shape.n_actions);
  if (!policy.about.observation.empty())
    add("observation_names", names_of(policy.about.observation));
  if (!policy.about.action.empty()) {
    add("action_names", names_of(policy.about.action));
    add("action_low", bounds_of(policy.about.action, &PortableComponent::low));
    add("action_high", bounds_of(policy.about.action, &PortableComponent::high));
  }
  add("parameters_sha256", sha256_hex(std::as_bytes(std::span(policy.parameters))));
  return data;
}

std::string metadata_text(const PortablePolicy& policy) {
  JsonValue object = JsonValue::object();
  for (auto& [name, value] : metadata_of(policy)) object[name] = std::move(value);
  return object.text(-1, true);
}

void require_finite_policy(const PortablePolicy& policy) {
  require_finite(policy.parameters, "parameter");
  require_finite(policy.mean, "mean");
  require_finite(policy.inverse_std, "inverse_std");
}

}  // namespace gallop
