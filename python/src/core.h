// What all of the extension has in common: C calls whose failures are Python's exceptions, and
// backends.
#pragma once

#include <gallop/host/c_api/gallop.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace gallop::python {

namespace nb = nanobind;

// Throws the exception of gallop._errors that belongs to a status, with the text of this thread's
// last failure.
[[noreturn]] void raise(int status);
// The same for a text of one's own.
[[noreturn]] void raise(int status, const std::string& text);

inline void check(int status) {
  if (status != GALLOP_OK) raise(status);
}

// Runs a C call while other Python threads go on; call() gives its status.
template <class Call>
void released(const Call& call) {
  int status;
  {
    const nb::gil_scoped_release others;
    status = call();
  }
  check(status);
}

// A backend, which lives as long as what was made on it.
class Backend {
 public:
  // `device` as in gallop_backend_options; `stream` a cudaStream_t, 0 for one of its own.
  Backend(const std::string& device, int threads, std::uintptr_t stream);
  ~Backend();
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  gallop_backend* get() const { return handle_; }
  bool is_cpu() const { return is_cpu_; }
  std::string name() const { return gallop_backend_name(handle_); }
  std::uintptr_t stream() const { return std::uintptr_t(gallop_backend_stream(handle_)); }
  void synchronize();
  // What it has told since the last call: about the device, warnings.
  std::vector<std::string> take_notes();

 private:
  gallop_backend* handle_ = nullptr;
  bool is_cpu_ = true;
  std::mutex mutex_;
  std::vector<std::string> notes_;
};

// A struct of the C interface with its size, all else 0.
template <class Struct>
Struct sized() {
  Struct made = {};
  made.size = sizeof made;
  return made;
}

void bind_backend(nb::module_& module);
void bind_registry(nb::module_& module);
void bind_batch(nb::module_& module);
void bind_policy(nb::module_& module);
void bind_runs(nb::module_& module);
void bind_optimize(nb::module_& module);

}  // namespace gallop::python
