#include <gallop/host/learning/own_policy.h>

#include <fmt/format.h>

#include <algorithm>

#include <gallop/host/error.h>
#include <gallop/host/options/caller.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {
namespace {

// Whether a flag of a command or a call asks for the value by itself: in a document it may stand
// because all values do.
bool is_asked_alone(const Options& options, const char* name) {
  const std::string& origin = options.origin(name);
  return origin.starts_with("--") || origin == kCaller;
}

}  // namespace

void LearntPart::apply(std::vector<float>& parameters) const {
  for (std::size_t k = 0; k < fixed.size(); k++) {
    if (fixed[k] != 0) parameters[k] = values[k];
  }
}

std::vector<long> LearntPart::learnt() const {
  std::vector<long> all;
  for (std::size_t k = 0; k < fixed.size(); k++) {
    if (fixed[k] == 0) all.push_back(long(k));
  }
  return all;
}

void LearntPart::require(const std::vector<float>& parameters, const char* tensor) const {
  for (std::size_t k = 0; k < fixed.size(); k++) {
    if (fixed[k] == 0 || parameters[k] == values[k]) continue;
    throw checkpoint_error(
        fmt::format("tensor '{}': element {} is {}; expected {}, which is fixed there", tensor, k,
                    parameters[k], values[k]));
  }
}

bool takes_own_policy(const Environments& environments, const Options& options) {
  if (options.text("policy") != "own") return false;
  const EnvironmentSpec& spec = environments.spec();
  if (spec.own_policy.n_weights == 0) {
    throw value_error(fmt::format(
        "policy is own, but {} brings no policy with it; expected policy = network", spec.name));
  }
  if (is_asked_alone(options, "hidden") && !options.integers("hidden").empty()) {
    throw value_error(
        fmt::format("hidden is {} ({}), but policy is own, which has no hidden layers; expected "
                    "policy = network (--policy network)",
                    options.value_text("hidden"), options.origin("hidden")));
  }
  if (options.has("log_std") && options.text("log_std") == "network") {
    throw value_error(
        "policy is own, and log_std is network, of which it has none; expected log_std = "
        "parameter");
  }
  if (spec.observation_parameter >= 0) {
    const char* const name = spec.parameters[spec.observation_parameter].name;
    if (environments.parameter(name) != 1) {
      throw value_error(
          fmt::format("policy is own, but {0} is {1}; the policy that {2} brings with it reads "
                      "what is observed "
                      "with {0} = 1",
                      name, environments.parameter(name), spec.name));
    }
  }
  return true;
}

LearntPart own_part(const EnvironmentSpec& spec, const PolicyShape& shape) {
  const OwnPolicySpec& own = spec.own_policy;
  const int n_in = shape.network.width[0], n_out = outputs_of(shape.network);
  LearntPart part;
  part.fixed.assign(std::size_t(parameter_count(shape)), 0);
  part.values.assign(part.fixed.size(), 0.0f);
  const std::size_t weights = std::size_t(n_in) * std::size_t(n_out);
  std::fill_n(part.fixed.begin(), weights + std::size_t(n_out), std::uint8_t(1));
  for (int k = 0; k < own.n_weights; k++) {
    part.fixed[std::size_t(own.weights[k].observation * n_out + own.weights[k].action)] = 0;
  }
  for (int j = 0; j < n_out; j++) {
    part.values[weights + std::size_t(j)] = float(own.constants[j]);
  }
  return part;
}

}  // namespace gallop
