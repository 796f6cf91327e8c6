#pragma once

#include <optional>
#include <string>
#include <vector>

#include <gallop/host/c_api/handles.h>
#include <gallop/host/export/portable_policy.h>
#include <gallop/host/training/run_options.h>

// A policy's numbers in the memory of a backend, and nothing else of the learner that made it.
struct gallop_policy {
  std::shared_ptr<gallop::c_api::Device> device;
  gallop::PolicyView view = {};
  gallop::DeviceArray<float> parameters, mean, inverse_std;
  std::optional<gallop::RunOptions> options;  // of the run that it is from
  gallop::PolicyDescription about;
  std::string checkpoint;
  std::vector<double> action_low, action_high;  // of `about`
};

namespace gallop::c_api {

// Throws a value error where the policy is of another backend.
void require_same_device(const gallop_policy& policy, const Device& device);

}  // namespace gallop::c_api
