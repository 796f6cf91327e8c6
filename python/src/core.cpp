#include "python/src/core.h"

#include <nanobind/stl/vector.h>

namespace gallop::python {

void raise(int status, const std::string& text) {
  const nb::object error = nb::module_::import_("gallop._errors").attr("error_of")(status, text);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
  throw nb::python_error();
}

void raise(int status) { raise(status, gallop_last_error()); }

Backend::Backend(const std::string& device, int threads, std::uintptr_t stream) {
  auto options = sized<gallop_backend_options>();
  options.threads = threads;
  options.device = device.c_str();
  options.stream = reinterpret_cast<void*>(stream);
  options.user = this;
  options.note = [](void* user, const char* text) {
    auto& backend = *static_cast<Backend*>(user);
    const std::lock_guard lock(backend.mutex_);
    backend.notes_.emplace_back(text);
  };
  released([&] { return gallop_backend_create(&options, &handle_); });
  is_cpu_ = name() == "cpu";
}

Backend::~Backend() { gallop_backend_destroy(handle_); }

void Backend::synchronize() {
  released([&] { return gallop_synchronize(handle_); });
}

std::vector<std::string> Backend::take_notes() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> taken;
  taken.swap(notes_);
  return taken;
}

void bind_backend(nb::module_& module) {
  nb::class_<Backend>(module, "Backend",
                      "A device, or threads of the CPU, that batches and policies are made on. It "
                      "serves one call at a time.")
      .def(nb::init<const std::string&, int, std::uintptr_t>(), nb::arg("device") = "cpu",
           nb::arg("threads") = 0, nb::arg("stream") = 0)
      .def_prop_ro("name", &Backend::name)
      .def_prop_ro("stream", &Backend::stream)
      .def("synchronize", &Backend::synchronize)
      .def("take_notes", &Backend::take_notes);
}

}  // namespace gallop::python
