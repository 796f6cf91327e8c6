#include <gallop/host/runtime/state_values.h>

#include <fmt/format.h>

#include <cmath>

#include <gallop/host/registry/registry.h>
#include <gallop/host/runtime/processor.h>
#include <gallop/kernels/environment/environment_table.h>

namespace gallop {
namespace {

StateRange range_of(const EnvironmentSpec& spec, const Sizes& sizes, int k) {
  return spec.state_range != nullptr ? spec.state_range(k, sizes) : StateRange{};
}

std::string range_text(const StateRange& range) {
  const char* kind = range.whole ? "a whole number" : "a finite number";
  const bool below = std::isinf(range.low), above = std::isinf(range.high);
  if (below && above) return kind;
  if (above) return fmt::format("{} of at least {}", kind, range.low);
  if (below) return fmt::format("{} of at most {}", kind, range.high);
  return fmt::format("{} from {} to {}", kind, range.low, range.high);
}

bool is_within(const StateRange& range, double value) {
  return std::isfinite(value) && value >= range.low && value <= range.high &&
         (!range.whole || value == std::floor(value));
}

}  // namespace

std::string state_fault(const EnvironmentSpec& spec, const Sizes& sizes, int k, double value) {
  const StateRange range = range_of(spec, sizes, k);
  if (is_within(range, value)) return "";
  return fmt::format("{} of {} is {}; expected {}", spec.state_names[k], spec.name, value,
                     range_text(range));
}

bool is_open(const EnvironmentSpec& spec, const Sizes& sizes, std::span<const double> state) {
  bool possible = true;
  for (int k = spec.n_given_state; k < spec.n_state; k++) {
    if (state[k] != 0) return false;
    possible = possible && is_within(range_of(spec, sizes, k), 0);
  }
  return !possible;
}

StateValues::StateValues(const EnvironmentEntry& entry, const EnvironmentBatch& batch)
    : entry_(entry), spec_(spec_of(entry)), batch_(batch) {}

void StateValues::complete(bool always) {
  const int given = spec_.n_given_state, n = spec_.n_state;
  if (given == n) return;
  const auto complete = entry_.transitions()->complete_float;
  const bool own = batch_.parameters_per_instance != 0;
  std::vector<double> parameters(spec_.n_parameters), state(n);
  for (int i = 0; i < batch_.n_envs; i++) {
    for (int k = 0; k < n; k++) state[k] = double(batch_.state[k * batch_.stride + i]);
    if (!always && !is_open(spec_, batch_.shared.sizes, state)) continue;
    for (int k = 0; k < spec_.n_parameters; k++) {
      parameters[k] = double(batch_.parameters[own ? k * batch_.stride + i : k]);
    }
    complete(parameters.data(), state.data());
    for (int k = 0; k < n; k++) batch_.state[k * batch_.stride + i] = float(state[k]);
  }
}

StateValues::Fault StateValues::fault(const std::uint32_t* noted) const {
  const Sizes& sizes = batch_.shared.sizes;
  for (int i = 0; i < batch_.n_envs; i++) {
    for (int k = 0; k < spec_.n_state; k++) {
      const float value = batch_.state[k * batch_.stride + i];
      if (noted != nullptr && noted[i] != 0 && !range_of(spec_, sizes, k).whole) continue;
      std::string what = state_fault(spec_, sizes, k, double(value));
      if (!what.empty()) return {i, std::move(what)};
    }
  }
  return observation_fault();
}

// Whatever an environment makes its index of.
StateValues::Fault StateValues::observation_fault() const {
  if (spec_.observation_kind != SpaceKind::kDiscrete) return {};
  std::vector<float> index(batch_.n_envs);
  environment_table(entry_, processor_isa())
      .observe(batch_, 0, batch_.n_envs, index.data(), batch_.n_envs);
  const StateRange range = {0, batch_.shared.sizes.observation - 1.0, true};
  for (int i = 0; i < batch_.n_envs; i++) {
    if (is_within(range, double(index[i]))) continue;
    return {i, fmt::format("the observation of {} is {}; expected {}", spec_.name, index[i],
                           range_text(range))};
  }
  return {};
}

}  // namespace gallop
