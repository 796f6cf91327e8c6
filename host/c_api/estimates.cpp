// Advantages and returns of recorded rollouts.
#include <fmt/format.h>

#include <cmath>

#include <gallop/host/c_api/handles.h>

namespace gallop::c_api {
namespace {

void require_factor(float value, const char* name) {
  if (value >= 0 && value <= 1) return;
  throw value_error(fmt::format("{} is {}; expected a number from 0 to 1", name, value));
}

// Runs body(backend, recorded, zeros [T, N] for values that were not given) where sizes fit.
template <class Body>
int with_recorded(gallop_backend* backend, const gallop_recorded* recorded, const Body& body) {
  return guard([&] {
    require_pointer(backend, "backend");
    require_pointer(recorded, "recorded");
    const gallop_recorded given = taken(recorded, "gallop_recorded");
    constexpr int kMost = 1 << 28;
    if (given.n_steps < 1 || given.n_envs < 1 || given.n_steps > kMost / given.n_envs) {
      throw value_error(fmt::format(
          "n_steps and n_envs are {} and {}; expected at least 1 of each, and at most {} together",
          given.n_steps, given.n_envs, kMost));
    }
    require_factor(given.gamma, "gamma");
    require_pointer(given.reward, "reward");
    require_pointer(given.terminated, "terminated");
    require_pointer(given.truncated, "truncated");
    const Use use(*backend->device);
    body(*backend->device->backend, given);
  });
}

DeviceArray<float> zeros(Backend& backend, std::size_t n) {
  DeviceArray<float> array(backend, n);
  array.upload(std::vector<float>(n, 0.0f));
  return array;
}

}  // namespace
}  // namespace gallop::c_api

using namespace gallop;
using namespace gallop::c_api;

extern "C" {

int gallop_gae(gallop_backend* backend, const gallop_recorded* recorded, float* advantage,
               float* target) {
  return with_recorded(backend, recorded, [&](Backend& on, const gallop_recorded& r) {
    require_factor(r.lambda, "lambda");
    require_pointer(advantage, "advantage");
    require_pointer(r.value, "value");
    DeviceArray<float> none;
    if (r.final_value == nullptr) none = zeros(on, std::size_t(r.n_steps) * std::size_t(r.n_envs));
    on.gae({r.n_steps, r.n_envs, r.gamma, r.lambda, 1.0f, r.reward, r.terminated, r.truncated,
            r.value, r.final_value != nullptr ? r.final_value : none.data(), advantage, target,
            GaeWay::kByLength});
  });
}

int gallop_returns(gallop_backend* backend, const gallop_recorded* recorded, float* returns) {
  return with_recorded(backend, recorded, [&](Backend& on, const gallop_recorded& r) {
    require_pointer(returns, "returns");
    const float* const last =
        r.value == nullptr ? nullptr : r.value + std::size_t(r.n_steps) * std::size_t(r.n_envs);
    on.returns({r.n_steps, r.n_envs, r.gamma, 1.0f, r.reward, r.terminated, r.truncated, last,
                r.final_value, returns});
  });
}

}  // extern "C"
