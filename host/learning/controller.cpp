#include <gallop/host/learning/controller.h>

#include <fmt/format.h>

#include <vector>

#include <gallop/host/error.h>
#include <gallop/host/learning/network_parameters.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/registry/registry.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {
namespace {

const ControllerSpec& controller_called(const EnvironmentSpec& spec, const std::string& name) {
  std::vector<std::string> names;
  for (int k = 0; k < spec.n_controllers; k++) {
    if (name == spec.controllers[k].name) return spec.controllers[k];
    names.push_back(spec.controllers[k].name);
  }
  if (names.empty()) {
    throw usage_error(fmt::format("no controller comes with {}, and {} was asked for", spec.name,
                                  in_quotes(name)));
  }
  throw usage_error(fmt::format("{} is no controller of {}; expected {}{}", in_quotes(name),
                                spec.name, fmt::join(names, " or "), did_you_mean(name, names)));
}

}  // namespace

Controller::Controller(Backend& backend, const EnvironmentEntry& environment,
                       const std::string& name,
                       const std::function<void(Environments&)>& configure) {
  const EnvironmentSpec& spec = spec_of(environment);
  const ControllerSpec& controller = controller_called(spec, name);
  EnvironmentOptions options;
  Environments environments(backend, environment, options);
  configure(environments);
  if (spec.observation_parameter >= 0) {
    const char* const parameter = spec.parameters[spec.observation_parameter].name;
    if (environments.parameter(parameter) != 0) {
      throw value_error(
          fmt::format("{0} is {1}, but the controllers of {2} read what is observed "
                      "with {0} = 0",
                      parameter, environments.parameter(parameter), spec.name));
    }
  }
  shape_.head = Head::kDeterministic;
  shape_.n_actions = environments.action_size();
  shape_.network =
      network_shape(false, environments.observation_size(), {}, "tanh", shape_.n_actions);
  const long n = parameter_count(shape_);
  parameters_ = DeviceArray<float>(backend, std::size_t(n));
  parameters_.upload(std::vector<float>(controller.parameters, controller.parameters + n));
}

}  // namespace gallop
