// Policies: loaded, made, looked at. act.cpp asks them for actions.
#include <gallop/host/c_api/policy.h>

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <vector>

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

TrainedPolicy loaded(Device& device, const std::string& path) {
  if (!std::filesystem::is_directory(path)) return load_policy_file(*device.backend, path);
  return load_policy(*device.backend, RunFolder::open_to_read(path), device.note);
}

PolicyShape shape_of(const gallop_policy_options& given) {
  PolicyShape shape = {};
  shape.network.kind = choice_of<NetworkKind>(given.network, 2, "network");
  shape.network.hidden = choice_of<Activation>(given.activation, 3, "activation");
  shape.head = choice_of<Head>(given.head, 4, "head");
  shape.n_actions = given.n_actions;
  shape.network.n_layers = given.n_layers;
  require_pointer(given.widths, "widths");
  for (int l = 0; l <= given.n_layers && l <= kMaxLayers; l++) {
    shape.network.width[l] = given.widths[l];
  }
  require_policy_shape(shape);
  return shape;
}

void fill(gallop_policy& policy, const gallop_policy_options& given) {
  Backend& backend = *policy.device->backend;
  policy.view.shape = shape_of(given);
  const std::size_t n = std::size_t(parameter_count(policy.view.shape));
  require_pointer(given.parameters, "parameters");
  require_count(given.n_parameters, n, "parameters of the policy");
  require_finite_numbers(given.parameters, n, "parameter");
  policy.parameters = DeviceArray<float>(backend, n);
  policy.parameters.upload(given.parameters, n);
  policy.view.parameters = policy.parameters.data();
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
    *policy = made.release();
  });
}

}  // namespace
}  // namespace gallop::c_api

using namespace gallop;
using namespace gallop::c_api;

extern "C" {

int gallop_policy_load(gallop_backend* backend, const char* path, gallop_policy** policy) {
  return make(backend, policy, [&](gallop_policy& made) {
    TrainedPolicy trained = loaded(*made.device, text_of(path, "the path"));
    keep(made, trained.algorithm->policy());
    made.options = *trained.options;
    made.environment = spec_of(trained.options->environment()).name;
    made.algorithm = trained.options->algorithm().name;
    made.checkpoint = trained.checkpoint;
    made.steps = trained.algorithm->steps();
  });
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
    found.environment = text_or_null(policy->environment);
    found.algorithm = text_or_null(policy->algorithm);
    found.checkpoint = text_or_null(policy->checkpoint);
    found.steps = policy->steps;
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

}  // extern "C"
