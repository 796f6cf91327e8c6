// Batches of environments: made, reset, configured, saved. batch_step.cpp runs them.
#include "python/src/batch.h"

#include <nanobind/stl/optional.h>

namespace gallop::python {
namespace {

// Contiguous numbers [n] on the host.
template <class T>
const T* flat(nb::handle array, std::int32_t dtype, std::int64_t n, const char* what,
              nb::object& owner) {
  const Described given = describe(array, what, owner);
  if (given.dtype == dtype && given.ndim == 1 && given.shape[0] == n &&
      (given.strides[0] == 1 || n == 1)) {
    return static_cast<const T*>(given.data);
  }
  raise(GALLOP_VALUE,
        std::string(what) + ": expected a contiguous array of shape (" + std::to_string(n) + ",)");
}

gallop_batch_options options_of(const nb::dict& given) {
  auto options = sized<gallop_batch_options>();
  options.n_envs = nb::cast<std::int32_t>(given["n_envs"]);
  options.seed = nb::cast<std::uint64_t>(given["seed"]);
  options.id_offset = nb::cast<std::uint32_t>(given["id_offset"]);
  options.time_limit = nb::cast<std::int32_t>(given["time_limit"]);
  options.autoreset = nb::cast<std::int32_t>(given["autoreset"]);
  options.no_clip = nb::cast<bool>(given["clip_actions"]) ? 0 : 1;
  options.unchecked_actions = nb::cast<bool>(given["check_actions"]) ? 0 : 1;
  return options;
}

}  // namespace

Batch::Hold::Hold(Batch& batch) : batch_(batch) {
  if (batch.is_closed()) {
    const nb::object error = nb::module_::import_("gallop._errors").attr("closed_error")();
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
    throw nb::python_error();
  }
  if (batch.is_held_) {
    raise(GALLOP_BUSY,
          "the environment is in use by another thread; it serves one caller at a time: wait for "
          "that call, or make an environment for each thread");
  }
  batch.is_held_ = true;
}

Batch::Batch(nb::object backend, const std::string& environment, const nb::dict& options)
    : backend_object_(std::move(backend)),
      backend_(nb::cast<const Backend*>(backend_object_)),
      records_episodes_(nb::cast<bool>(options["record_episodes"])),
      gives_terms_(nb::cast<bool>(options["terms"])) {
  const gallop_batch_options given = options_of(options);
  released(
      [&] { return gallop_batch_create(backend_->get(), environment.c_str(), &given, &handle_); });
  const gallop_spec* spec = nullptr;
  check(gallop_environment_spec(environment.c_str(), &spec));
  for (int k = 0; k < spec->n_terms; k++) term_names_.emplace_back(spec->term_names[k]);
  if (spec->n_terms == 0) gives_terms_ = false;
  lay_out();
}

// What parameters can choose before the first reset: sizes, and so the shapes of arrays.
void Batch::lay_out() {
  facts_ = sized<gallop_batch_info>();
  check(gallop_batch_get_info(handle_, &facts_));
  const Py_ssize_t n = facts_.n_envs;
  const bool is_index = facts_.observation_kind == GALLOP_DISCRETE;
  const auto set = [&](int output, Dtype dtype, std::vector<Py_ssize_t> shape) {
    pools_[output] = ArrayPool(dtype, shape);
    layouts_[output] = described(dtype, shape);
  };
  for (const int output : {int(kObservation), int(kFinalObservation)}) {
    if (is_index) set(output, Dtype::kInt64, {n});
    if (!is_index) set(output, Dtype::kFloat32, {n, facts_.observation_rows});
  }
  set(kReward, Dtype::kFloat32, {n});
  set(kTerminated, Dtype::kBool, {n});
  set(kTruncated, Dtype::kBool, {n});
  set(kEpisodeReturn, Dtype::kFloat32, {n});
  set(kEpisodeLength, Dtype::kInt32, {n});
  set(kTerms, Dtype::kFloat32, {n, facts_.n_terms});
  flags_ = ArrayPool(Dtype::kBool, {n});
}

void Batch::close() {
  if (handle_ == nullptr) return;
  if (is_held_) {
    raise(GALLOP_BUSY, "the environment is in use by another thread, and cannot be closed now");
  }
  gallop_batch_destroy(handle_);
  handle_ = nullptr;
  bound_ = Bound();
}

nb::dict Batch::info() {
  nb::dict all;
  all["n_envs"] = facts_.n_envs;
  all["discrete_observations"] = facts_.observation_kind == GALLOP_DISCRETE;
  all["discrete_actions"] = facts_.action_kind == GALLOP_DISCRETE;
  all["observation_size"] = facts_.observation_size;
  all["action_size"] = facts_.action_size;
  all["observation_rows"] = facts_.observation_rows;
  all["action_rows"] = facts_.action_rows;
  all["n_state"] = facts_.n_state;
  all["n_terms"] = facts_.n_terms;
  all["time_limit"] = facts_.time_limit;
  if (handle_ == nullptr) return all;
  const Hold hold(*this);
  auto now = sized<gallop_batch_info>();
  check(gallop_batch_get_info(handle_, &now));
  all["seed"] = now.seed;
  all["time"] = now.time;
  return all;
}

void Batch::reset(std::optional<std::uint64_t> seed) {
  const Hold hold(*this);
  released(
      [&] { return seed ? gallop_batch_reset_seed(handle_, *seed) : gallop_batch_reset(handle_); });
  started_ = true;
}

void Batch::reset_seeds(nb::handle seeds, nb::handle mask) {
  const Hold hold(*this);
  if (!mask.is_none()) require_started("reset of some instances");
  nb::object owner, mask_owner;
  const auto* given = reinterpret_cast<const std::uint64_t*>(
      flat<std::int64_t>(seeds, GALLOP_INT64, facts_.n_envs, "seeds", owner));
  const std::uint8_t* chosen = nullptr;
  if (!mask.is_none()) {
    chosen = flat<std::uint8_t>(mask, GALLOP_BOOL, facts_.n_envs, "the mask", mask_owner);
  }
  released(
      [&] { return gallop_batch_reset_seeds(handle_, given, chosen, std::size_t(facts_.n_envs)); });
  started_ = true;
}

void Batch::reset_where(nb::handle mask) {
  const Hold hold(*this);
  require_started("reset of some instances");
  nb::object owner;
  const Described given = describe(mask, "the mask", owner);
  const gallop_array array = given.array();
  released([&] { return gallop_batch_reset_where(handle_, &array); });
}

nb::object Batch::observe() {
  const Hold hold(*this);
  require_started("observation");
  void* data = nullptr;
  nb::object observation = pools_[kObservation].take(data);
  Described to = layouts_[kObservation];
  to.data = data;
  const gallop_array array = to.array();
  released([&] { return gallop_batch_observe(handle_, &array); });
  return observation;
}

void Batch::observe_into(nb::handle given) {
  const Hold hold(*this);
  require_started("observation");
  nb::object owner;
  const Described to = describe(given, "obs", owner);
  const gallop_array array = to.array();
  released([&] { return gallop_batch_observe(handle_, &array); });
}

void Batch::set_parameter(const std::string& name, double value) {
  const Hold hold(*this);
  released([&] { return gallop_batch_set_parameter(handle_, name.c_str(), value); });
  if (!started_) lay_out();
}

void Batch::set_parameters(const std::string& name, nb::handle values) {
  const Hold hold(*this);
  nb::object owner;
  const float* const given =
      flat<float>(values, GALLOP_FLOAT32, facts_.n_envs, name.c_str(), owner);
  released([&] {
    return gallop_batch_set_parameters(handle_, name.c_str(), given, std::size_t(facts_.n_envs));
  });
  if (!started_) lay_out();
}

nb::object Batch::parameters(const std::string& name) {
  const Hold hold(*this);
  nb::object values = new_array(Dtype::kFloat32, {facts_.n_envs});
  auto* const to = static_cast<float*>(data_of(values));
  check(gallop_batch_get_parameters(handle_, name.c_str(), to, std::size_t(facts_.n_envs)));
  return values;
}

void Batch::randomize(const std::string& name, double low, double high, bool logarithmic) {
  const Hold hold(*this);
  released([&] {
    return gallop_batch_randomize(handle_, name.c_str(), low, high, logarithmic ? 1 : 0);
  });
}

void Batch::stop_randomizing(const std::string& name) {
  const Hold hold(*this);
  released([&] { return gallop_batch_stop_randomizing(handle_, name.c_str()); });
}

nb::object Batch::range(const std::string& name) {
  const Hold hold(*this);
  int kind = 0;
  double low = 0, high = 0;
  check(gallop_batch_get_range(handle_, name.c_str(), &kind, &low, &high));
  if (kind == 0) return nb::none();
  return nb::make_tuple(kind == 2 ? "log_uniform" : "uniform", low, high);
}

void Batch::set_table(nb::handle table) {
  const Hold hold(*this);
  nb::object owner;
  const Described given = describe(table, "the table", owner);
  const float* const data = flat<float>(table, GALLOP_FLOAT32, given.shape[0], "the table", owner);
  released([&] { return gallop_batch_set_table(handle_, data, std::size_t(given.shape[0])); });
}

nb::object Batch::state() {
  const Hold hold(*this);
  nb::object values = new_array(Dtype::kFloat32, {facts_.n_state, facts_.n_envs});
  auto* const to = static_cast<float*>(data_of(values));
  const std::size_t size = std::size_t(facts_.n_state) * std::size_t(facts_.n_envs);
  released([&] { return gallop_batch_get_state(handle_, to, size); });
  return values;
}

void Batch::set_state(nb::handle state) {
  const Hold hold(*this);
  nb::object owner;
  const std::int64_t size = std::int64_t(facts_.n_state) * facts_.n_envs;
  const float* const values = flat<float>(state, GALLOP_FLOAT32, size, "the state", owner);
  released([&] { return gallop_batch_set_state(handle_, values, std::size_t(size)); });
  started_ = true;
}

nb::object Batch::episodes() {
  const Hold hold(*this);
  auto buffers = sized<gallop_batch_buffers>();
  check(gallop_batch_get_buffers(handle_, &buffers));
  const auto copied = [&](const void* from, Dtype dtype, std::size_t bytes) {
    nb::object to = new_array(dtype, {facts_.n_envs});
    void* const data = data_of(to);
    released([&] {
      return gallop_copy(backend_->get(), data, from, bytes * std::size_t(facts_.n_envs),
                         GALLOP_TO_HOST);
    });
    return to;
  };
  return nb::make_tuple(
      copied(buffers.episode, Dtype::kInt32, 4), copied(buffers.episode_return, Dtype::kFloat32, 4),
      copied(buffers.episode_length, Dtype::kInt32, 4), copied(buffers.ended, Dtype::kBool, 1));
}

nb::bytes Batch::snapshot() {
  const Hold hold(*this);
  const void* data = nullptr;
  std::size_t size = 0;
  released([&] { return gallop_batch_snapshot(handle_, &data, &size); });
  return nb::bytes(data, size);
}

void Batch::restore(const nb::bytes& bytes) {
  const Hold hold(*this);
  released([&] { return gallop_batch_restore(handle_, bytes.data(), bytes.size()); });
  lay_out();
  started_ = facts_.started != 0;
}

nb::object Batch::nonfinite() {
  const Hold hold(*this);
  auto found = sized<gallop_nonfinite>();
  released([&] { return gallop_batch_get_nonfinite(handle_, &found); });
  if (found.found == 0) return nb::none();
  return nb::make_tuple(found.instance, found.time);
}

nb::bytes Batch::draw(int instance, int width, int height) {
  const Hold hold(*this);
  require_started("render");
  std::vector<std::uint8_t> pixels(std::size_t(width) * std::size_t(height) * 3);
  released([&] {
    return gallop_batch_draw(handle_, instance, width, height, pixels.data(), pixels.size());
  });
  return nb::bytes(pixels.data(), pixels.size());
}

void bind_batch(nb::module_& module) {
  module.attr("numpy_layout_known") = numpy().is_layout_known;
  module.def(
      "use_numpy_layout", [](bool use) { numpy().is_layout_known = use; },
      "For tests: whether arrays are read where NumPy keeps their description.");
  nb::class_<Batch>(module, "Batch", "A batch of environments on a backend.")
      .def(nb::init<nb::object, const std::string&, const nb::dict&>(), nb::arg("backend"),
           nb::arg("environment"), nb::arg("options"))
      .def("close", &Batch::close)
      .def_prop_ro("is_closed", &Batch::is_closed)
      .def_prop_ro("is_started", &Batch::is_started)
      .def("info", &Batch::info)
      .def("reset", &Batch::reset, nb::arg("seed").none() = nb::none())
      .def("reset_seeds", &Batch::reset_seeds, nb::arg("seeds"), nb::arg("mask").none())
      .def("reset_where", &Batch::reset_where, nb::arg("mask"))
      .def("observe", &Batch::observe)
      .def("observe_into", &Batch::observe_into, nb::arg("array"))
      .def("step", &Batch::step, nb::arg("actions").none())
      .def("advance", &Batch::advance)
      .def("step_bound", &Batch::step_bound, nb::arg("actions").none())
      .def("bind", &Batch::bind, nb::arg("arrays"))
      .def("rollout", &Batch::rollout, nb::arg("policy").none(), nb::arg("deterministic"),
           nb::arg("n_steps"), nb::arg("arrays"))
      .def("set_parameter", &Batch::set_parameter, nb::arg("name"), nb::arg("value"))
      .def("set_parameters", &Batch::set_parameters, nb::arg("name"), nb::arg("values"))
      .def("parameters", &Batch::parameters, nb::arg("name"))
      .def("randomize", &Batch::randomize, nb::arg("name"), nb::arg("low"), nb::arg("high"),
           nb::arg("logarithmic"))
      .def("stop_randomizing", &Batch::stop_randomizing, nb::arg("name"))
      .def("range", &Batch::range, nb::arg("name"))
      .def("set_table", &Batch::set_table, nb::arg("table"))
      .def("state", &Batch::state, "[S, N]")
      .def("set_state", &Batch::set_state, nb::arg("state"))
      .def("episodes", &Batch::episodes)
      .def("snapshot", &Batch::snapshot)
      .def("restore", &Batch::restore, nb::arg("bytes"))
      .def("nonfinite", &Batch::nonfinite)
      .def("draw", &Batch::draw, nb::arg("instance"), nb::arg("width"), nb::arg("height"));
}

}  // namespace gallop::python
