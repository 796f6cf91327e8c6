// Policies: loaded, made, asked for actions, exported.
#include "python/src/policy.h"

#include <nanobind/stl/string.h>

#include "python/src/arrays.h"

namespace gallop::python {
namespace {

// Contiguous numbers on the host, with what keeps them alive.
template <class T>
struct Flat {
  const T* data = nullptr;
  std::size_t size = 0;
  nb::object owner;
};

template <class T>
Flat<T> flat(nb::handle array, std::int32_t dtype, const char* what) {
  Flat<T> made;
  if (array.is_none()) return made;
  const Described given = describe(array, what, made.owner);
  if (given.dtype != dtype || given.ndim != 1 || given.device_type != GALLOP_DEVICE_CPU ||
      (given.strides[0] != 1 && given.shape[0] > 1)) {
    raise(GALLOP_VALUE, std::string(what) +
                            ": expected a contiguous array of one dimension and of " +
                            (dtype == GALLOP_FLOAT32 ? "float32" : "int32") + " on the host");
  }
  made.data = static_cast<const T*>(given.data);
  made.size = std::size_t(given.shape[0]);
  return made;
}

nb::object bounds(const double* of, int n) {
  if (of == nullptr) return nb::none();
  nb::list all;
  for (int k = 0; k < n; k++) all.append(of[k]);
  return all;
}

nb::object text_or_none(const char* text) {
  return text == nullptr ? nb::none() : nb::object(nb::str(text));
}

}  // namespace

Policy::Policy(nb::object backend, const std::string& path)
    : backend_object_(std::move(backend)), backend_(nb::cast<const Backend*>(backend_object_)) {
  released([&] { return gallop_policy_load(backend_->get(), path.c_str(), &handle_); });
  info_ = sized<gallop_policy_info>();
  check(gallop_policy_get_info(handle_, &info_));
}

Policy::Policy(nb::object backend, const nb::dict& given)
    : backend_object_(std::move(backend)), backend_(nb::cast<const Backend*>(backend_object_)) {
  auto options = sized<gallop_policy_options>();
  options.network = nb::cast<std::int32_t>(given["network"]);
  options.activation = nb::cast<std::int32_t>(given["activation"]);
  options.head = nb::cast<std::int32_t>(given["head"]);
  options.n_actions = nb::cast<std::int32_t>(given["n_actions"]);
  const auto widths = flat<std::int32_t>(given["widths"], GALLOP_INT32, "widths");
  options.widths = widths.data;
  options.n_layers = std::int32_t(widths.size) - 1;
  const auto parameters = flat<float>(given["parameters"], GALLOP_FLOAT32, "parameters");
  options.parameters = parameters.data;
  options.n_parameters = parameters.size;
  options.initial = parameters.data == nullptr ? 1 : 0;
  options.seed = nb::cast<std::uint64_t>(given["seed"]);
  options.log_std = nb::cast<float>(given["log_std"]);
  const auto mean = flat<float>(given["mean"], GALLOP_FLOAT32, "mean");
  const auto inverse_std = flat<float>(given["inverse_std"], GALLOP_FLOAT32, "inverse_std");
  for (const auto* statistic : {&mean, &inverse_std}) {
    if (statistic->data == nullptr || widths.size == 0) continue;
    if (statistic->size == std::size_t(widths.data[0])) continue;
    raise(GALLOP_VALUE, "mean and inverse_std have " + std::to_string(statistic->size) +
                            " numbers; expected " + std::to_string(widths.data[0]));
  }
  options.mean = mean.data;
  options.inverse_std = inverse_std.data;
  options.limit = nb::cast<float>(given["limit"]);
  const std::string environment =
      given["environment"].is_none() ? std::string() : nb::cast<std::string>(given["environment"]);
  options.environment = environment.empty() ? nullptr : environment.c_str();
  released([&] { return gallop_policy_create(backend_->get(), &options, &handle_); });
  info_ = sized<gallop_policy_info>();
  check(gallop_policy_get_info(handle_, &info_));
}

nb::dict Policy::info() const {
  nb::dict all;
  all["network"] = info_.network;
  all["activation"] = info_.activation;
  all["head"] = info_.head;
  all["n_actions"] = info_.n_actions;
  nb::list widths;
  for (int k = 0; k <= info_.n_layers; k++) widths.append(info_.widths[k]);
  all["widths"] = widths;
  all["limit"] = info_.limit;
  all["action_low"] = bounds(info_.action_low, info_.n_actions);
  all["action_high"] = bounds(info_.action_high, info_.n_actions);
  all["environment"] = text_or_none(info_.environment);
  all["algorithm"] = text_or_none(info_.algorithm);
  all["checkpoint"] = text_or_none(info_.checkpoint);
  all["steps"] = info_.steps;
  return all;
}

nb::object Policy::parameters() const {
  nb::object array = new_array(Dtype::kFloat32, {Py_ssize_t(info_.n_parameters)});
  auto* const to = static_cast<float*>(data_of(array));
  released([&] { return gallop_policy_get_parameters(handle_, to, info_.n_parameters); });
  return array;
}

void Policy::set_parameters(nb::handle values) {
  const auto given = flat<float>(values, GALLOP_FLOAT32, "parameters");
  released([&] { return gallop_policy_set_parameters(handle_, given.data, given.size); });
}

nb::object Policy::normalization() const {
  if (info_.normalizes == 0) return nb::none();
  const Py_ssize_t n = info_.widths[0];
  nb::object mean = new_array(Dtype::kFloat32, {n}), inverse_std = new_array(Dtype::kFloat32, {n});
  auto *const mean_to = static_cast<float*>(data_of(mean)), *const inverse_to = static_cast<float*>(
                                                                data_of(inverse_std));
  released([&] {
    return gallop_policy_get_normalization(handle_, mean_to, inverse_to, std::size_t(n));
  });
  return nb::make_tuple(mean, inverse_std);
}

void Policy::export_to(const std::string& path, const std::string& format) const {
  const char* const named = format.empty() ? nullptr : format.c_str();
  released([&] { return gallop_policy_export(handle_, path.c_str(), named); });
}

void Policy::act(nb::handle observation, const nb::dict& given, nb::handle action,
                 nb::handle log_prob) const {
  auto options = sized<gallop_act_options>();
  options.sample = nb::cast<bool>(given["sample"]) ? 1 : 0;
  options.seed = nb::cast<std::uint64_t>(given["seed"]);
  options.id_offset = nb::cast<std::uint32_t>(given["id_offset"]);
  options.episode = nb::cast<std::uint32_t>(given["episode"]);
  options.step = nb::cast<std::uint32_t>(given["step"]);
  nb::object owners[3];
  const Described from = describe(observation, "the observations", owners[0]);
  const Described to = describe(action, "the actions", owners[1]);
  Described log_prob_to;
  if (!log_prob.is_none()) log_prob_to = describe(log_prob, "log_prob", owners[2]);
  const gallop_array from_array = from.array(), to_array = to.array(),
                     log_prob_array = log_prob_to.array();
  released([&] {
    return gallop_policy_act(handle_, &from_array, &options, &to_array,
                             log_prob_to.data == nullptr ? nullptr : &log_prob_array);
  });
}

void bind_policy(nb::module_& module) {
  nb::class_<Policy>(module, "Policy", "A policy of the C interface, on a backend.")
      .def(nb::init<nb::object, const std::string&>(), nb::arg("backend"), nb::arg("path"))
      .def(nb::init<nb::object, const nb::dict&>(), nb::arg("backend"), nb::arg("options"))
      .def_prop_ro("handle", &Policy::handle)
      .def_prop_ro("backend", &Policy::backend)
      .def("info", &Policy::info)
      .def("parameters", &Policy::parameters)
      .def("set_parameters", &Policy::set_parameters, nb::arg("values"))
      .def("normalization", &Policy::normalization)
      .def("export", &Policy::export_to, nb::arg("path"), nb::arg("format"))
      .def("act", &Policy::act, nb::arg("observation"), nb::arg("options"), nb::arg("action"),
           nb::arg("log_prob").none());
}

}  // namespace gallop::python
