#pragma once

#include <functional>
#include <string>

#include <gallop/host/runtime/environments.h>

namespace gallop {

// A controller that comes with an environment (kernels/environment/contract.h), as a policy in the
// memory of a backend, which outlives it.
class Controller {
 public:
  // By its name. Throws a usage error with the names that there are, a value error where the
  // environment as `configure` sets it observes something else than its controllers read.
  Controller(Backend& backend, const EnvironmentEntry& environment, const std::string& name,
             const std::function<void(Environments&)>& configure);

  PolicyView view() const { return {shape_, parameters_.data(), {}}; }

 private:
  PolicyShape shape_ = {};
  DeviceArray<float> parameters_;
};

}  // namespace gallop
