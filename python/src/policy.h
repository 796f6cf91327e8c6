// A policy of the C interface.
#pragma once

#include <cstdint>
#include <string>

#include "python/src/core.h"

namespace gallop::python {

class Policy {
 public:
  // Of a file or folder; and of the members of gallop_policy_options.
  Policy(nb::object backend, const std::string& path);
  Policy(nb::object backend, const nb::dict& options);
  ~Policy() { gallop_policy_destroy(handle_); }
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  const gallop_policy* get() const { return handle_; }
  std::uintptr_t handle() const { return std::uintptr_t(handle_); }
  nb::object backend() const { return backend_object_; }
  nb::dict info() const;
  nb::object parameters() const;
  void set_parameters(nb::handle values);
  nb::object normalization() const;  // None, or (mean, inverse_std)
  void export_to(const std::string& path, const std::string& format) const;
  // Actions, and where it is not None log_prob, of observations, into arrays of the caller's.
  // `options` are members of gallop_act_options.
  void act(nb::handle observation, const nb::dict& options, nb::handle action,
           nb::handle log_prob) const;

 private:
  nb::object backend_object_;
  const Backend* backend_;
  gallop_policy* handle_ = nullptr;
  gallop_policy_info info_ = {};
};

}  // namespace gallop::python
