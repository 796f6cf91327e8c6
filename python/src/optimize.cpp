// Black-box optimizers, and estimates of recorded rollouts.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>

#include "python/src/core.h"

namespace gallop::python {
namespace {

class Optimizer {
 public:
  Optimizer(nb::object backend, const std::string& method, const std::vector<double>& initial,
            std::uint64_t seed, const std::vector<std::string>& options)
      : backend_(std::move(backend)) {
    std::vector<const char*> texts;
    for (const std::string& text : options) texts.push_back(text.c_str());
    const auto* const on = nb::cast<const Backend*>(backend_);
    released([&] {
      return gallop_optimizer_create(on->get(), method.c_str(), initial.data(), initial.size(),
                                     seed, texts.data(), texts.size(), &handle_);
    });
  }
  ~Optimizer() { gallop_optimizer_destroy(handle_); }
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  nb::dict info() {
    const gallop_optimizer_info found = look();
    nb::dict all;
    all["method"] = nb::str(found.method);
    all["population"] = found.population;
    all["dimension"] = found.dimension;
    all["generation"] = found.generation;
    all["evaluations"] = found.evaluations;
    all["stop_reason"] =
        found.stop_reason == nullptr ? nb::none() : nb::object(nb::str(found.stop_reason));
    return all;
  }
  // [P * D] and [D] as float64, in bytes that NumPy reads.
  nb::bytes ask() {
    const gallop_optimizer_info found = look();
    std::vector<double> points(std::size_t(found.population) * found.dimension);
    released([&] { return gallop_optimizer_ask(handle_, points.data(), points.size()); });
    return bytes_of(points);
  }
  nb::bytes center() {
    std::vector<double> at(look().dimension);
    released([&] { return gallop_optimizer_get_center(handle_, at.data(), at.size()); });
    return bytes_of(at);
  }
  void tell(const std::vector<double>& fitness) {
    released([&] { return gallop_optimizer_tell(handle_, fitness.data(), fitness.size()); });
  }
  void skip() {
    released([&] { return gallop_optimizer_skip(handle_); });
  }

 private:
  gallop_optimizer_info look() {
    auto found = sized<gallop_optimizer_info>();
    check(gallop_optimizer_get_info(handle_, &found));
    return found;
  }
  static nb::bytes bytes_of(const std::vector<double>& values) {
    return nb::bytes(values.data(), values.size() * sizeof(double));
  }

  nb::object backend_;
  gallop_optimizer* handle_ = nullptr;
};

template <class T>
T* pointer(const nb::dict& arrays, const char* name) {
  return reinterpret_cast<T*>(nb::cast<std::uintptr_t>(arrays[name]));
}

// Addresses of contiguous arrays in the backend's memory, 0 for none.
gallop_recorded recorded_of(const nb::dict& arrays, int n_steps, int n_envs, float gamma,
                            float lambda) {
  auto recorded = sized<gallop_recorded>();
  recorded.n_steps = n_steps;
  recorded.n_envs = n_envs;
  recorded.gamma = gamma;
  recorded.lambda = lambda;
  recorded.reward = pointer<const float>(arrays, "reward");
  recorded.terminated = pointer<const std::uint8_t>(arrays, "terminated");
  recorded.truncated = pointer<const std::uint8_t>(arrays, "truncated");
  recorded.value = pointer<const float>(arrays, "value");
  recorded.final_value = pointer<const float>(arrays, "final_value");
  return recorded;
}

void gae(const Backend& backend, const nb::dict& arrays, int n_steps, int n_envs, float gamma,
         float lambda) {
  const gallop_recorded recorded = recorded_of(arrays, n_steps, n_envs, gamma, lambda);
  auto *const advantage = pointer<float>(arrays, "advantage"), *const target =
                                                                   pointer<float>(arrays, "target");
  released([&] { return gallop_gae(backend.get(), &recorded, advantage, target); });
}

void returns(const Backend& backend, const nb::dict& arrays, int n_steps, int n_envs, float gamma) {
  const gallop_recorded recorded = recorded_of(arrays, n_steps, n_envs, gamma, 0);
  auto* const to = pointer<float>(arrays, "returns");
  released([&] { return gallop_returns(backend.get(), &recorded, to); });
}

}  // namespace

void bind_optimize(nb::module_& module) {
  nb::class_<Optimizer>(module, "Optimizer", "Asks for points and is told how good each is.")
      .def(nb::init<nb::object, const std::string&, const std::vector<double>&, std::uint64_t,
                    const std::vector<std::string>&>(),
           nb::arg("backend"), nb::arg("method"), nb::arg("initial"), nb::arg("seed"),
           nb::arg("options"))
      .def("info", &Optimizer::info)
      .def("ask", &Optimizer::ask)
      .def("tell", &Optimizer::tell, nb::arg("fitness"))
      .def("skip", &Optimizer::skip)
      .def("center", &Optimizer::center);
  module.def("gae", &gae, nb::arg("backend"), nb::arg("arrays"), nb::arg("n_steps"),
             nb::arg("n_envs"), nb::arg("gamma"), nb::arg("lam"));
  module.def("returns", &returns, nb::arg("backend"), nb::arg("arrays"), nb::arg("n_steps"),
             nb::arg("n_envs"), nb::arg("gamma"));
}

}  // namespace gallop::python
