#include <gallop/host/export/policy_file.h>

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <span>

#include <gallop/host/error.h>
#include <gallop/host/files/printable.h>
#include <gallop/host/runtime/policy_check.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {
namespace {

constexpr const char *kFormatKey = "gallop.policy", *kFormat = "1";

void put_components(TensorFile& file, const std::string& name,
                    const std::vector<PortableComponent>& components) {
  if (components.empty()) return;
  std::vector<double> low, high;
  std::string names;
  for (const PortableComponent& c : components) {
    low.push_back(c.low);
    high.push_back(c.high);
    names += c.name + "\n";
  }
  file.put<double>(name + "_low", {low.size()}, low);
  file.put<double>(name + "_high", {high.size()}, high);
  file.set_text(name + "_names", names);
}

std::vector<PortableComponent> components_in(const TensorFile& file, const std::string& name,
                                             int n) {
  if (!file.has_text(name + "_names")) return {};
  std::vector<double> low(std::size_t(n), 0.0), high(std::size_t(n), 0.0);
  file.get<double>(name + "_low", {std::uint64_t(n)}, low);
  file.get<double>(name + "_high", {std::uint64_t(n)}, high);
  const std::string& names = file.text(name + "_names");
  std::vector<PortableComponent> components;
  std::size_t at = 0;
  for (std::size_t k = 0; k < std::size_t(n); k++) {
    const std::size_t end = std::min(names.find('\n', at), names.size());
    components.push_back({names.substr(at, end - at), low[k], high[k]});
    at = std::min(end + 1, names.size());
    if (low[k] <= high[k]) continue;
    throw checkpoint_error(
        fmt::format("tensors '{0}_low' and '{0}_high': element {1} is bounded by "
                    "{2} and {3}",
                    name, k, low[k], high[k]));
  }
  return components;
}

// The text's place among `choices`.
template <class Enum, std::size_t kCount>
Enum choice_in(const TensorFile& file, const char* key, const char* const (&choices)[kCount]) {
  const std::string& text = file.text(key);
  for (std::size_t k = 0; k < kCount; k++) {
    if (text == choices[k]) return Enum(k);
  }
  throw checkpoint_error(fmt::format("'{}' is '{}', which no policy of this program has", key,
                                     printable(text.substr(0, 40))));
}

PolicyShape shape_in(const TensorFile& file) {
  PolicyShape shape = {};
  shape.network.kind = choice_in<NetworkKind>(file, "network", kNetworkNames);
  shape.network.hidden = choice_in<Activation>(file, "activation", kActivationNames);
  shape.head = choice_in<Head>(file, "head", kHeadNames);
  shape.n_actions = file.get_scalar<std::int32_t>("n_actions");
  const TensorShape& dims = file.tensor("widths").shape;
  if (dims.size() != 1 || dims[0] < 2 || dims[0] > kMaxLayers + 1) {
    throw checkpoint_error(fmt::format("tensor 'widths' has shape {}, expected [2] to [{}]",
                                       shape_text(dims), kMaxLayers + 1));
  }
  shape.network.n_layers = int(dims[0]) - 1;
  file.get<std::int32_t>("widths", dims, std::span(shape.network.width, std::size_t(dims[0])));
  try {
    require_policy_shape(shape);
  } catch (const Error& error) {
    throw checkpoint_error(error.what());
  }
  return shape;
}

std::string text_or_empty(const TensorFile& file, const char* key) {
  return file.has_text(key) ? file.text(key) : "";
}

PortablePolicy policy_in(const TensorFile& file) {
  if (file.text(kFormatKey) != kFormat) {
    throw checkpoint_error(
        fmt::format("a policy of format {}, expected {}; use the release that wrote it",
                    printable(file.text(kFormatKey).substr(0, 20)), kFormat));
  }
  PortablePolicy policy;
  policy.shape = shape_in(file);
  // Before memory is taken for what the widths claim.
  const TensorShape expected = {std::uint64_t(parameter_count(policy.shape))};
  if (file.tensor("parameters").shape != expected) {
    throw checkpoint_error(fmt::format("tensor 'parameters' has shape {}, expected {}",
                                       shape_text(file.tensor("parameters").shape),
                                       shape_text(expected)));
  }
  policy.parameters.resize(std::size_t(expected[0]));
  file.get<float>("parameters", {policy.parameters.size()}, policy.parameters);
  const int inputs = policy.shape.network.width[0];
  if (file.has("mean") || file.has("inverse_std")) {
    if (policy.shape.network.kind == NetworkKind::kTabular) {
      throw checkpoint_error("tensor 'mean' is there, but states of a table are not normalised");
    }
    policy.mean.resize(std::size_t(inputs));
    policy.inverse_std.resize(std::size_t(inputs));
    file.get<float>("mean", {policy.mean.size()}, policy.mean);
    file.get<float>("inverse_std", {policy.mean.size()}, policy.inverse_std);
    policy.limit = file.get_scalar<float>("limit");
    if (!(policy.limit > 0) || std::isinf(policy.limit)) {
      throw checkpoint_error(
          fmt::format("tensor 'limit' is {}, expected a positive number", policy.limit));
    }
  }
  try {
    require_finite_policy(policy);
  } catch (const Error& error) {
    throw checkpoint_error(error.what());
  }
  PolicyDescription& about = policy.about;
  about.environment = text_or_empty(file, "environment");
  about.algorithm = text_or_empty(file, "algorithm");
  about.config = text_or_empty(file, "config");
  if (file.has_text("problem")) about.problem = file.text("problem");
  about.steps = file.get_scalar<std::uint64_t>("steps");
  about.observation = components_in(file, "observation", inputs);
  about.action = components_in(file, "action", policy.shape.n_actions);
  return policy;
}

}  // namespace

TensorFile to_policy_file(const PortablePolicy& policy) {
  require_finite_policy(policy);
  const PolicyShape& shape = policy.shape;
  const PolicyDescription& about = policy.about;
  TensorFile file;
  file.set_text(kFormatKey, kFormat);
  file.set_text("network", kNetworkNames[int(shape.network.kind)]);
  file.set_text("activation", kActivationNames[int(shape.network.hidden)]);
  file.set_text("head", kHeadNames[int(shape.head)]);
  file.put_scalar<std::int32_t>("n_actions", shape.n_actions);
  const std::size_t n_widths = std::size_t(shape.network.n_layers) + 1;
  file.put<std::int32_t>("widths", {n_widths}, std::span(shape.network.width, n_widths));
  file.put<float>("parameters", {policy.parameters.size()}, policy.parameters);
  if (!policy.mean.empty()) {
    file.put<float>("mean", {policy.mean.size()}, policy.mean);
    file.put<float>("inverse_std", {policy.mean.size()}, policy.inverse_std);
    file.put_scalar<float>("limit", policy.limit);
  }
  file.put_scalar<std::uint64_t>("steps", about.steps);
  file.set_text("environment", about.environment);
  file.set_text("algorithm", about.algorithm);
  file.set_text("config", about.config);
  if (about.problem) file.set_text("problem", *about.problem);
  put_components(file, "observation", about.observation);
  put_components(file, "action", about.action);
  return file;
}

bool is_policy_file(const TensorFile& file) { return file.has_text(kFormatKey); }

PortablePolicy from_policy_file(const TensorFile& file, const std::string& origin) {
  try {
    return policy_in(file);
  } catch (const Error& error) {
    if (error.code() != ExitCode::checkpoint) throw;
    throw checkpoint_error(fmt::format("'{}': {}", origin, error.what()));
  }
}

}  // namespace gallop
