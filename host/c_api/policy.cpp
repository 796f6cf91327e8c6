// Policies: loaded, made, looked at. act.cpp asks them for actions.
#include <gallop/host/c_api/policy.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <vector>

#include <gallop/host/export/export.h>
#include <gallop/host/export/policy_file.h>
#include <gallop/host/files/checkpoint_store.h>
#include <gallop/host/learning/policy_model.h>
#include <gallop/host/runtime/policy_check.h>
#include <gallop/host/training/trained_policy.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop::c_api {

void require_same_device(const gallop_policy& policy, const Device& device) {
  if (policy.device.get() == &device) return;
  throw value_error("the policy was made on another backend; expected one of this backend");
}

namespace {

// Copies the numbers of a view, which are in the backend's memory, into the handle's own.
void keep(gallop_policy& policy, const PolicyView& from) {
  Backend& backend = *policy.device->backend;
  const auto copy_of = [&](const float* data, std::size_t size) {
    DeviceArray<float> array(backend, size);
    backend.copy_bytes(array.data(), data, size * sizeof(float));
    return array;
  };
  policy.view = from;
  policy.parameters = copy_of(from.parameters, std::size_t(parameter_count(from.shape)));
  policy.view.parameters = policy.parameters.data();
  if (from.normalization.mean == nullptr) return;
  const std::size_t inputs = std::size_t(from.shape.network.width[0]);
  policy.mean = copy_of(from.normalization.mean, inputs);
  policy.inverse_std = copy_of(from.normalization.inverse_std, inputs);
  policy.view.normalization.mean = policy.mean.data();
  policy.view.normalization.inverse_std = policy.inverse_std.data();
}

void require_finite_numbers(const float* numbers, std::size_t n, const char* what) {
  for (std::size_t k = 0; k < n; k++) {
    if (std::isfinite(numbers[k])) continue;
    throw value_error(
        fmt::format("{} {} of the policy is {}; expected a finite number", what, k, numbers[k]));
  }
}

DeviceArray<float> uploaded(Backend& backend, const std::vector<float>& values) {
  DeviceArray<float> array(backend, values.size());
  array.upload(values);
  return array;
}

void take(gallop_policy& policy, const TrainedPolicy& trained) {
  keep(policy, trained.algorithm->policy());
  policy.options = *trained.options;
  policy.about = description_of(policy.view.shape, *trained.options, trained.algorithm->steps());
  policy.checkpoint = trained.checkpoint;
}

// The options of the run that a policy file is from, where this program has its environment and
// algorithm. Files that they name are not opened: the policy file holds a copy.
std::optional<RunOptions> options_of(const PolicyDescription& about, const std::string& path) {
  if (about.config.empty() || environment_called(about.environment) == nullptr ||
      algorithm_called(about.algorithm) == nullptr) {
    return std::nullopt;
  }
  try {
    RunOptions options = RunOptions::from_toml(about.config, path);
    options.set_stored(path, about.problem);
    return options;
  } catch (const Error& error) {
    if (error.code() != ExitCode::usage && error.code() != ExitCode::value) throw;
    throw checkpoint_error(fmt::format(
        "'{}' is of a run with other options than this program has:\n  {}", path, error.what()));
  }
}

void take(gallop_policy& policy, const PortablePolicy& from, const std::string& path) {
  Backend& backend = *policy.device->backend;
  policy.view.shape = from.shape;
  policy.parameters = uploaded(backend, from.parameters);
  policy.view.parameters = policy.parameters.data();
  if (!from.mean.empty()) {
    policy.mean = uploaded(backend, from.mean);
    policy.inverse_std = uploaded(backend, from.inverse_std);
    policy.view.normalization = {policy.mean.data(), policy.inverse_std.data(), from.limit};
  }
  policy.options = options_of(from.about, path);
  policy.about = from.about;
  policy.checkpoint = path;
}

void load(gallop_policy& policy, const std::string& path) {
  Device& device = *policy.device;
  if (std::filesystem::is_directory(path)) {
    return take(policy, load_policy(*device.backend, RunFolder::open_to_read(path), device.note));
  }
  const TensorFile file = read_tensors(path);
  if (is_policy_file(file)) return take(policy, from_policy_file(file, path), path);
  take(policy, load_policy_file(*device.backend, path));
}

PolicyShape shape_of(const gallop_policy_options& given) {
  PolicyShape shape = {};
  shape.network.kind = choice_of<NetworkKind>(given.network, 2, "network");
  shape.network.hidden = choice_of<Activation>(given.activation, 3, "activation");
  shape.head = choice_of<Head>(given.head, 6, "head");
  shape.n_actions = given.n_actions;
  shape.network.n_layers = given.n_layers;
  require_pointer(given.widths, "widths");
  for (int l = 0; l <= given.n_layers && l <= kMaxLayers; l++) {
    shape.network.width[l] = given.widths[l];
  }
  require_policy_shape(shape);
  return shape;
}

std::vector<float> parameters_of(const gallop_policy_options& given, const PolicyShape& shape) {
  if (given.initial != 0) {
    if (given.parameters != nullptr) {
      throw value_error("parameters are given, and initial is not 0; expected one of them");
    }
    if (is_bounded(shape.head)) {
      throw value_error(
          "initial is not 0 for a head of bounded actions; expected parameters, the bounds among "
          "them");
    }
    if (given.seed > kMaxSeed) {
      throw value_error(fmt::format("seed is {}; expected at most {}", given.seed, kMaxSeed));
    }
    require_finite_numbers(&given.log_std, 1, "log_std");
    return initial_policy(shape, given.seed, given.log_std);
  }
  const std::size_t n = std::size_t(parameter_count(shape));
  require_pointer(given.parameters, "parameters");
  require_count(given.n_parameters, n, "parameters of the policy");
  require_finite_numbers(given.parameters, n, "parameter");
  return {given.parameters, given.parameters + n};
}

// Where sizes depend on the environment's parameters it has to have room for those of the policy.
PolicyDescription description_for(const PolicyView& view, const char* environment) {
  if (environment == nullptr) return {};
  const EnvironmentSpec& spec = spec_of(find_environment(environment));
  const PolicyShape& shape = view.shape;
  Sizes sizes = {spec.observation_capacity, spec.action_capacity};
  if (spec.sizes != nullptr) {
    sizes = {std::min(shape.network.width[0], sizes.observation),
             std::min(shape.n_actions, sizes.action)};
  }
  require_policy_fits(view, spec, sizes);
  return description_of(shape, spec);
}

void fill(gallop_policy& policy, const gallop_policy_options& given) {
  Backend& backend = *policy.device->backend;
  policy.view.shape = shape_of(given);
  policy.parameters = uploaded(backend, parameters_of(given, policy.view.shape));
  policy.view.parameters = policy.parameters.data();
  policy.about = description_for(policy.view, given.environment);
  if ((given.mean == nullptr) != (given.inverse_std == nullptr)) {
    throw value_error("only one of mean and inverse_std is given; expected both or neither");
  }
  if (given.mean == nullptr) return;
  if (policy.view.shape.network.kind == NetworkKind::kTabular) {
    throw value_error(
        "mean and inverse_std are given for a table, whose states are not normalised");
  }
  if (!(given.limit > 0)) {
    throw value_error(fmt::format("limit is {}; expected a positive number", given.limit));
  }
  const std::size_t inputs = std::size_t(policy.view.shape.network.width[0]);
  require_finite_numbers(given.mean, inputs, "mean");
  require_finite_numbers(given.inverse_std, inputs, "inverse_std");
  policy.mean = DeviceArray<float>(backend, inputs);
  policy.inverse_std = DeviceArray<float>(backend, inputs);
  policy.mean.upload(given.mean, inputs);
  policy.inverse_std.upload(given.inverse_std, inputs);
  policy.view.normalization = {policy.mean.data(), policy.inverse_std.data(), given.limit};
}

const char* text_or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

// Makes a policy on the backend by fill(policy).
template <class Fill>
int make(gallop_backend* backend, gallop_policy** policy, const Fill& fill) {
  return guard([&] {
    require_pointer(backend, "backend");
    require_pointer(policy, "policy, where the handle goes,");
    const Use use(*backend->device);
    auto made = std::make_unique<gallop_policy>();
    made->device = backend->device;
    fill(*made);
    for (const PortableComponent& c : made->about.action) {
      made->action_low.push_back(c.low);
      made->action_high.push_back(c.high);
    }
    *policy = made.release();
  });
}

}  // namespace
}  // namespace gallop::c_api

using namespace gallop;
using namespace gallop::c_api;

extern "C" {

int gallop_policy_load(gallop_backend* backend, const char* path, gallop_policy** policy) {
  return make(backend, policy, [&](gallop_policy& made) { load(made, text_of(path, "the path")); });
}

int gallop_policy_create(gallop_backend* backend, const gallop_policy_options* options,
                         gallop_policy** policy) {
  return make(backend, policy, [&](gallop_policy& made) {
    require_pointer(options, "options");
    fill(made, taken(options, "gallop_policy_options"));
  });
}

void gallop_policy_destroy(gallop_policy* policy) { destroy_on_device(policy); }

int gallop_policy_get_info(const gallop_policy* policy, gallop_policy_info* info) {
  return guard([&] {
    require_pointer(policy, "policy");
    const PolicyShape& shape = policy->view.shape;
    gallop_policy_info found = {};
    found.network = int(shape.network.kind);
    found.activation = int(shape.network.hidden);
    found.head = int(shape.head);
    found.n_actions = shape.n_actions;
    found.n_layers = shape.network.n_layers;
    found.widths = shape.network.width;
    found.n_parameters = policy->parameters.size();
    found.normalizes = policy->mean.size() > 0 ? 1 : 0;
    found.limit = policy->view.normalization.limit;
    found.environment = text_or_null(policy->about.environment);
    found.algorithm = text_or_null(policy->about.algorithm);
    found.checkpoint = text_or_null(policy->checkpoint);
    found.steps = policy->about.steps;
    if (!policy->action_low.empty()) {
      found.action_low = policy->action_low.data();
      found.action_high = policy->action_high.data();
    }
    give(info, found, "gallop_policy_info");
  });
}

int gallop_policy_get_parameters(const gallop_policy* policy, float* parameters, size_t n) {
  return guard([&] {
    require_pointer(policy, "policy");
    require_pointer(parameters, "parameters");
    require_count(n, policy->parameters.size(), "parameters of the policy");
    const Use use(*policy->device);
    policy->parameters.download(parameters, n);
  });
}

int gallop_policy_set_parameters(gallop_policy* policy, const float* parameters, size_t n) {
  return guard([&] {
    require_pointer(policy, "policy");
    require_pointer(parameters, "parameters");
    require_count(n, policy->parameters.size(), "parameters of the policy");
    require_finite_numbers(parameters, n, "parameter");
    const Use use(*policy->device);
    policy->parameters.upload(parameters, n);
  });
}

int gallop_policy_get_normalization(const gallop_policy* policy, float* mean, float* inverse_std,
                                    size_t n) {
  return guard([&] {
    require_pointer(policy, "policy");
    require_pointer(mean, "mean");
    require_pointer(inverse_std, "inverse_std");
    if (policy->mean.size() == 0) {
      throw value_error("the policy takes observations as they are: it has no normalisation");
    }
    require_count(n, policy->mean.size(), "inputs of the policy");
    const Use use(*policy->device);
    policy->mean.download(mean, n);
    policy->inverse_std.download(inverse_std, n);
  });
}

int gallop_policy_export(const gallop_policy* policy, const char* path, const char* format) {
  return guard([&] {
    require_pointer(policy, "policy");
    const std::string to = text_of(path, "the path");
    const ExportFormat chosen = export_format(to, format == nullptr ? "" : format);
    const Use use(*policy->device);
    PortablePolicy portable = portable_policy(*policy->device->backend, policy->view);
    portable.about = policy->about;
    export_policy(portable, to, chosen);
  });
}

}  // extern "C"
