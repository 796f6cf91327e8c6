#include "host/runtime/environments.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/checkpoint/tensor_file.h"
#include "host/error.h"
#include "host/options/nearest.h"
#include "host/registry/registry.h"
#include "host/runtime/policy_check.h"

namespace gallop {
namespace {

constexpr long kStrideUnit = 64;
constexpr std::uint64_t kMaxIds = std::uint64_t(1) << 32;
constexpr std::uint64_t kMaxTime = 0xffffffffu;  // steps of a batch: counters have 32 bits

template <class T>
void put(TensorFile& file, const std::string& name, const DeviceArray<T>& array) {
  const std::vector<T> values = array.download();
  file.put<T>(name, {values.size()}, values);
}

template <class T>
void get(const TensorFile& file, const std::string& name, DeviceArray<T>& array) {
  std::vector<T> values(array.size());
  file.get<T>(name, {values.size()}, values);
  array.upload(values);
}

}  // namespace

Environments::Environments(Backend& backend, const EnvironmentEntry& entry,
                           const EnvironmentOptions& options)
    : backend_(&backend), entry_(&entry), spec_(&spec_of(entry)), options_(options) {
  if (options.n_envs < 1 || options.n_envs > 1 << 28) {
    throw value_error(fmt::format("n_envs is {}; expected 1 to {}", options.n_envs, 1 << 28));
  }
  if (options.seed > kMaxSeed) {
    throw value_error(fmt::format("seed is {}; expected at most {}", options.seed, kMaxSeed));
  }
  if (std::uint64_t(options.id_offset) + std::uint64_t(options.n_envs) > kMaxIds) {
    throw value_error(fmt::format("id_offset {} + n_envs {} passes 2^32; instances would share ids",
                                  options.id_offset, options.n_envs));
  }
  if (options.time_limit < -1) {
    throw value_error(
        fmt::format("time_limit is {}; expected -1 (the environment's own), 0 (none) "
                    "or a number of steps",
                    options.time_limit));
  }
  time_limit_ = options.time_limit < 0 ? spec_->time_limit : options.time_limit;
  stride_ = (options.n_envs + kStrideUnit - 1) / kStrideUnit * kStrideUnit;
  for (int k = 0; k < spec_->n_parameters; k++) {
    parameter_values_.push_back(spec_->parameters[k].value);
  }
  sizes_ = spec_->sizes != nullptr ? spec_->sizes(parameter_values_.data())
                                   : Sizes{spec_->observation_capacity, spec_->action_capacity};
  // Beyond n_envs too: checkpoints hold whole rows.
  state_ = DeviceArray<float>::zeroed(backend, std::size_t(spec_->n_state) * stride_);
  episode_return_ = DeviceArray<float>::zeroed(backend, stride_);
  episode_ = DeviceArray<std::uint32_t>::zeroed(backend, stride_);
  elapsed_ = DeviceArray<std::int32_t>::zeroed(backend, stride_);
  ended_ = DeviceArray<std::uint8_t>::zeroed(backend, stride_);
  nonfinite_ = DeviceArray<std::uint32_t>::zeroed(backend, stride_);
  nonfinite_any_ = DeviceArray<std::uint32_t>::zeroed(backend, 1);
  if (spec_->table_capacity > 0) {
    table_ = DeviceArray<float>(backend, spec_->table_capacity);
    std::vector<float> table(spec_->table_capacity, 0.0f);
    spec_->default_table(table.data());
    table_.upload(table);
  }
  upload_parameters();
}

int Environments::observation_rows() const {
  return spec_->observation_kind == SpaceKind::kDiscrete ? 1 : sizes_.observation;
}
int Environments::action_rows() const {
  return spec_->action_kind == SpaceKind::kDiscrete ? 1 : sizes_.action;
}

int Environments::find_parameter(std::string_view name) const {
  std::vector<std::string> known;
  for (int k = 0; k < spec_->n_parameters; k++) {
    if (name == spec_->parameters[k].name) return k;
    known.emplace_back(spec_->parameters[k].name);
  }
  throw usage_error(fmt::format("environment {} has no parameter '{}'{}", spec_->name, name,
                                did_you_mean(name, known)));
}

void Environments::check_parameter(int index, double value) const {
  const ParameterSpec& p = spec_->parameters[index];
  if (value >= p.low && value <= p.high) return;
  throw value_error(fmt::format("parameter {} of {} is {}; expected {} to {}{}{}", p.name,
                                spec_->name, value, p.low, p.high, *p.unit != 0 ? " " : "",
                                p.unit));
}

void Environments::set_parameter(std::string_view name, double value) {
  const int index = find_parameter(name);
  check_parameter(index, value);
  std::vector<double> values = parameter_values_;
  values[index] = value;
  if (spec_->sizes != nullptr) {
    const Sizes sizes = spec_->sizes(values.data());
    if (started_ && (sizes.observation != sizes_.observation || sizes.action != sizes_.action)) {
      throw value_error(
          fmt::format("parameter {} of {} cannot change to {}: it sets the sizes of a "
                      "batch that has begun",
                      name, spec_->name, value));
    }
  }
  parameter_values_ = values;
  if (spec_->sizes != nullptr) sizes_ = spec_->sizes(values.data());
  if (per_instance_) {
    const std::vector<float> row(stride_, float(value));
    parameters_.upload(row.data(), row.size(), std::size_t(index) * stride_);
  } else {
    upload_parameters();
  }
}

double Environments::parameter(std::string_view name) const {
  return parameter_values_[find_parameter(name)];
}

void Environments::set_parameter(std::string_view name, std::span<const float> values) {
  const int index = find_parameter(name);
  if (long(values.size()) != options_.n_envs) {
    throw value_error(
        fmt::format("{} values for parameter {}; expected one for each of {} instances",
                    values.size(), name, options_.n_envs));
  }
  for (const float value : values) check_parameter(index, value);
  if (spec_->sizes != nullptr) {
    std::vector<double> candidate = parameter_values_;
    for (const float value : values) {
      candidate[index] = value;
      const Sizes sizes = spec_->sizes(candidate.data());
      if (sizes.observation != sizes_.observation || sizes.action != sizes_.action) {
        throw value_error(
            fmt::format("parameter {} of {} sets the sizes of the batch; expected one "
                        "value for all instances",
                        name, spec_->name));
      }
    }
  }
  if (!per_instance_) {
    per_instance_ = true;
    std::vector<float> all;
    for (const double value : parameter_values_) all.insert(all.end(), stride_, float(value));
    parameters_ = DeviceArray<float>(*backend_, all.size());
    parameters_.upload(all);
  }
  parameters_.upload(values.data(), values.size(), std::size_t(index) * stride_);
}

void Environments::upload_parameters() {
  const std::vector<float> values(parameter_values_.begin(), parameter_values_.end());
  parameters_ = DeviceArray<float>(*backend_, values.size());
  parameters_.upload(values);
}

void Environments::set_table(std::span<const float> table) {
  if (spec_->table_capacity == 0) {
    throw value_error(fmt::format("environment {} has no table", spec_->name));
  }
  if (long(table.size()) != spec_->table_capacity) {
    throw value_error(fmt::format("a table of {} floats for {}; expected {}", table.size(),
                                  spec_->name, spec_->table_capacity));
  }
  table_.upload(table.data(), table.size());
}

void Environments::set_time_limit(int steps) {
  if (steps < 0) throw value_error(fmt::format("time_limit is {}; expected at least 0", steps));
  time_limit_ = steps;
}

EnvironmentBatch Environments::view() const {
  EnvironmentBatch batch = {};
  batch.n_envs = options_.n_envs;
  batch.stride = stride_;
  batch.seed = options_.seed;
  batch.id_offset = options_.id_offset;
  batch.time_limit = time_limit_;
  batch.shared = {sizes_, table_.data()};
  batch.parameters_per_instance = per_instance_ ? 1 : 0;
  batch.parameters = parameters_.data();
  batch.state = state_.data();
  batch.episode = episode_.data();
  batch.elapsed = elapsed_.data();
  batch.episode_return = episode_return_.data();
  batch.ended = ended_.data();
  batch.nonfinite = nonfinite_.data();
  batch.nonfinite_any = nonfinite_any_.data();
  return batch;
}

void Environments::reset() {
  started_ = true;
  backend_->reset(*entry_, view(), nullptr);
}

void Environments::reset_where(const std::uint8_t* mask) {
  if (!started_) throw value_error("reset_where before reset: no instance has begun an episode");
  backend_->reset(*entry_, view(), mask);
}

void Environments::observe(float* observation) { backend_->observe(*entry_, view(), observation); }

void Environments::refuse_ended() const {
  const std::vector<std::uint8_t> ended = ended_.download();
  for (int i = 0; i < options_.n_envs; i++) {
    if (ended[i] != 0) {
      throw value_error(
          fmt::format("instance {} ended its episode and resets are disabled; call "
                      "reset_where before the next step",
                      options_.id_offset + std::uint32_t(i)));
    }
  }
}

void Environments::step(const float* action, StepOutput out) {
  if (!started_) throw value_error("step before reset: no instance has begun an episode");
  if (options_.reset_mode == ResetMode::kDisabled) refuse_ended();
  advance_time(1);
  out.time = time_;
  if (out.observation_stride == 0) out.observation_stride = options_.n_envs;
  backend_->step(*entry_, view(), action, options_.clip_actions, options_.reset_mode, out);
}

void Environments::rollout(ActionSource source, const PolicyView& policy, bool deterministic,
                           const Trajectory& out) {
  if (!started_) throw value_error("rollout before reset: no instance has begun an episode");
  if (out.n_envs != options_.n_envs || out.n_steps < 1) {
    throw value_error(
        fmt::format("a rollout of {} steps of {} instances; expected at least 1 step "
                    "of {}",
                    out.n_steps, out.n_envs, options_.n_envs));
  }
  if (options_.reset_mode == ResetMode::kDisabled) {
    throw value_error("a fused rollout needs automatic resets; the batch has them disabled");
  }
  if (out.final_observation != nullptr && out.observation == nullptr) {
    throw value_error(
        "a rollout is to record final observations without observations; the two share their rows' "
        "stride, so record both or neither");
  }
  if (source == ActionSource::kPolicy) require_policy_fits(policy, *spec_, sizes_);
  RolloutRequest request = rollout_request(source, policy);
  request.deterministic = deterministic ? 1 : 0;
  request.out = out;
  advance_time(out.n_steps);
  backend_->rollout(*entry_, request);
}

bool Environments::has_fast_rollout(const PolicyView& policy) const {
  return options_.arithmetic == Arithmetic::kFast &&
         backend_->has_fast_rollout(*entry_, rollout_request(ActionSource::kPolicy, policy));
}

RolloutRequest Environments::rollout_request(ActionSource source, const PolicyView& policy) const {
  RolloutRequest request = {};
  request.batch = view();
  request.time = time_;
  request.source = source;
  request.policy = policy;
  request.clip = options_.clip_actions ? 1 : 0;
  request.mode = options_.reset_mode;
  request.arithmetic = options_.arithmetic;
  return request;
}

void Environments::advance_time(int steps) {
  if (std::uint64_t(time_) + std::uint64_t(steps) > kMaxTime) {
    throw value_error(
        fmt::format("instances of {} cannot take {} steps after {}: random counters hold "
                    "2^32 steps; begin a new batch with another seed",
                    spec_->name, steps, time_));
  }
  time_ += std::uint32_t(steps);
}

NonFinite Environments::first_nonfinite() const {
  NonFinite first;
  std::uint32_t any = 0;
  nonfinite_any_.download(&any, 1);
  if (any == 0) return first;
  const std::vector<std::uint32_t> times = nonfinite_.download();
  for (int i = 0; i < options_.n_envs; i++) {
    if (times[i] == 0 || (first.found && times[i] >= first.time)) continue;
    first = {true, options_.id_offset + std::uint32_t(i), times[i]};
  }
  return first;
}

std::vector<float> Environments::get_state() const {
  const std::vector<float> padded = state_.download();
  std::vector<float> state;
  for (int k = 0; k < spec_->n_state; k++) {
    const auto row = padded.begin() + k * stride_;
    state.insert(state.end(), row, row + options_.n_envs);
  }
  return state;
}

void Environments::set_state(std::span<const float> state) {
  const std::size_t n = std::size_t(options_.n_envs);
  if (state.size() != spec_->n_state * n) {
    throw value_error(
        fmt::format("a state of {} floats; expected {} ({} components of {} instances)",
                    state.size(), spec_->n_state * n, spec_->n_state, n));
  }
  for (int k = 0; k < spec_->n_state; k++) {
    state_.upload(state.data() + k * n, n, std::size_t(k) * stride_);
  }
  elapsed_.upload(std::vector<std::int32_t>(stride_, 0));
  episode_return_.upload(std::vector<float>(stride_, 0.0f));
  ended_.upload(std::vector<std::uint8_t>(stride_, 0));
  started_ = true;
}

void Environments::save(TensorFile& file, const std::string& prefix) const {
  put(file, prefix + "/state", state_);
  put(file, prefix + "/episode", episode_);
  put(file, prefix + "/elapsed", elapsed_);
  put(file, prefix + "/episode_return", episode_return_);
  put(file, prefix + "/ended", ended_);
  put(file, prefix + "/nonfinite", nonfinite_);
  put(file, prefix + "/parameters", parameters_);
  file.put_scalar<std::uint32_t>(prefix + "/time", time_);
}

void Environments::load(const TensorFile& file, const std::string& prefix) {
  get(file, prefix + "/state", state_);
  get(file, prefix + "/episode", episode_);
  get(file, prefix + "/elapsed", elapsed_);
  get(file, prefix + "/episode_return", episode_return_);
  get(file, prefix + "/ended", ended_);
  get(file, prefix + "/nonfinite", nonfinite_);
  get(file, prefix + "/parameters", parameters_);
  const std::vector<std::uint32_t> nonfinite = nonfinite_.download();
  const std::uint32_t any =
      std::any_of(nonfinite.begin(), nonfinite.end(), [](std::uint32_t time) { return time != 0; })
          ? 1
          : 0;
  nonfinite_any_.upload(&any, 1);
  time_ = file.get_scalar<std::uint32_t>(prefix + "/time");
  started_ = true;
}

}  // namespace gallop
