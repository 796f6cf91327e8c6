#include <gallop/host/runtime/environments.h>

#include <fmt/format.h>

#include <gallop/host/error.h>
#include <gallop/host/registry/registry.h>
#include <gallop/host/runtime/policy_check.h>

namespace gallop {
namespace {

constexpr long kStrideUnit = 64;
constexpr std::uint64_t kMaxIds = std::uint64_t(1) << 32;
constexpr std::uint64_t kMaxTime = 0xffffffffu;  // steps of a batch: counters have 32 bits

void require_both(const float* first_return, const std::int32_t* first_length) {
  if ((first_return == nullptr) == (first_length == nullptr)) return;
  throw value_error(
      "only one of first_return and first_length is given; the one is written where the other is "
      "0");
}

void require_memory(const void* memory, const char* what) {
  if (memory == nullptr) throw value_error(fmt::format("{} is null", what));
}

}  // namespace

Environments::Environments(Backend& backend, const EnvironmentEntry& entry,
                           const EnvironmentOptions& options)
    : backend_(&backend),
      entry_(&entry),
      spec_(&spec_of(entry)),
      options_(options),
      given_ids_(options.ids),
      time_limit_(options.time_limit < 0 ? spec_->time_limit : options.time_limit),
      stride_((long(options.n_envs) + kStrideUnit - 1) / kStrideUnit * kStrideUnit),
      parameter_values_(*spec_, options.n_envs, stride_),
      sizes_(parameter_values_.sizes()) {
  refuse_options();
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
    table_values_.assign(spec_->table_capacity, 0.0f);
    spec_->default_table(table_values_.data());
    table_.upload(table_values_);
  }
  if (!options.ids.empty()) {
    ids_ = DeviceArray<std::uint32_t>::zeroed(backend, stride_);
    ids_.upload(options.ids.data(), options.ids.size());
  }
  upload_parameters();
}

std::uint32_t Environments::id(int i) const {
  return options_.ids.empty() ? options_.id_offset + std::uint32_t(i) : options_.ids[i];
}

void Environments::refuse_options() const {
  const EnvironmentOptions& o = options_;
  if (o.n_envs < 1 || o.n_envs > 1 << 28) {
    throw value_error(fmt::format("n_envs is {}; expected 1 to {}", o.n_envs, 1 << 28));
  }
  if (o.seed > kMaxSeed) {
    throw value_error(fmt::format("seed is {}; expected at most {}", o.seed, kMaxSeed));
  }
  if (std::uint64_t(o.id_offset) + std::uint64_t(o.n_envs) > kMaxIds) {
    throw value_error(fmt::format("id_offset {} + n_envs {} passes 2^32; instances would share ids",
                                  o.id_offset, o.n_envs));
  }
  if (!o.ids.empty() && (o.id_offset != 0 || o.ids.size() != std::size_t(o.n_envs))) {
    throw value_error(
        fmt::format("{} ids for {} instances, and id_offset {}; expected none, or one for each "
                    "instance and no offset",
                    o.ids.size(), o.n_envs, o.id_offset));
  }
  if (o.time_limit < -1) {
    throw value_error(
        fmt::format("time_limit is {}; expected -1 (the environment's own), 0 (none) "
                    "or a number of steps",
                    o.time_limit));
  }
  if (o.reset_mode != ResetMode::kSameStep && o.reset_mode != ResetMode::kNextStep &&
      o.reset_mode != ResetMode::kDisabled) {
    throw value_error(
        fmt::format("reset_mode is {}; expected one of ResetMode's", int(o.reset_mode)));
  }
  if (o.arithmetic != Arithmetic::kStrict && o.arithmetic != Arithmetic::kFast) {
    throw value_error(
        fmt::format("arithmetic is {}; expected one of Arithmetic's", int(o.arithmetic)));
  }
}

int Environments::observation_rows() const {
  return spec_->observation_kind == SpaceKind::kDiscrete ? 1 : sizes_.observation;
}
int Environments::action_rows() const {
  return spec_->action_kind == SpaceKind::kDiscrete ? 1 : sizes_.action;
}

void Environments::set_parameter(std::string_view name, double value) {
  const int index = parameter_values_.find(name);
  parameter_values_.set(index, value, !started_);
  sizes_ = parameter_values_.sizes();
  if (parameter_values_.per_instance()) {
    const std::vector<float> row(stride_, float(value));
    parameters_.upload(row.data(), row.size(), std::size_t(index) * stride_);
  } else {
    upload_parameters();
  }
}

void Environments::set_parameter(std::string_view name, std::span<const float> values) {
  const int index = parameter_values_.find(name);
  const bool first = !parameter_values_.per_instance();
  parameter_values_.set(index, values);
  if (first) {
    upload_parameters();
  } else {
    parameters_.upload(values.data(), values.size(), std::size_t(index) * stride_);
  }
}

double Environments::parameter(std::string_view name) const {
  return parameter_values_.shared_value(parameter_values_.find(name));
}

std::vector<float> Environments::parameter_values(std::string_view name) const {
  const int index = parameter_values_.find(name);
  return ranges().has(index) ? drawn(index, episode_.download()) : parameter_values_.values(index);
}

void Environments::upload_parameters() {
  const std::vector<float> values = parameter_values_.rows();
  if (parameters_.size() != values.size()) {
    parameters_ = DeviceArray<float>(*backend_, values.size());
  }
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
  table_values_.assign(table.begin(), table.end());
  table_.upload(table_values_);
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
  batch.ids = {options_.id_offset, ids_.data()};
  batch.time_limit = time_limit_;
  batch.shared = {sizes_, table_.data()};
  batch.parameters_per_instance = parameter_values_.per_instance() ? 1 : 0;
  batch.parameters = parameters_.data();
  batch.ranges = ranges().empty() ? nullptr : ranges_.data();
  batch.state = state_.data();
  batch.episode = episode_.data();
  batch.elapsed = elapsed_.data();
  batch.episode_return = episode_return_.data();
  batch.ended = ended_.data();
  batch.nonfinite = nonfinite_.data();
  batch.nonfinite_any = nonfinite_any_.data();
  return batch;
}

void Environments::require_started(const char* call) const {
  if (started_) return;
  throw value_error(fmt::format("{} before reset: no instance has begun an episode", call));
}

void Environments::require_parameters() const {
  const std::string& fault = parameter_values_.fault();
  if (!fault.empty()) throw value_error(fault);
}

void Environments::reset() {
  require_parameters();
  if (!started_) {
    started_ = true;
    backend_->reset_instances(*entry_, {nullptr, view(), nullptr});
    return;
  }
  DeviceArray<std::uint8_t> all(*backend_, std::size_t(options_.n_envs));
  all.upload(std::vector<std::uint8_t>(options_.n_envs, 1));
  reset_where(all.data());
}

void Environments::reset_where(const std::uint8_t* mask) {
  require_started("reset_where");
  require_parameters();
  require_memory(mask, "the mask of instances to reset");
  backend_->reset_instances(*entry_, {nullptr, view(), mask});
}

void Environments::observe(float* observation) {
  require_started("observe");
  require_memory(observation, "the memory for observations");
  backend_->observe_instances(*entry_, {nullptr, view(), observation, options_.n_envs});
}

void Environments::step(const float* action, StepOutput out) {
  require_started("step");
  require_parameters();
  require_memory(action, "the actions");
  if (out.observation_stride != 0 && out.observation_stride < options_.n_envs) {
    throw value_error(
        fmt::format("observation_stride is {}; expected at least {} instances, or 0 "
                    "for as many",
                    out.observation_stride, options_.n_envs));
  }
  require_both(out.first_return, out.first_length);
  advance_time(1);
  out.time = time_;
  out.checks_actions = 1;
  if (out.observation_stride == 0) out.observation_stride = options_.n_envs;
  backend_->step_instances(*entry_, {nullptr, view(), action, options_.n_envs,
                                     options_.clip_actions ? 1 : 0, options_.reset_mode, out});
}

void Environments::require_view(const ArrayView& view, int rows, bool is_discrete,
                                const char* what) const {
  require_memory(view.data, what);
  if (view.kind != NumberKind::kFloat &&
      (!is_discrete || (view.kind != NumberKind::kInt32 && view.kind != NumberKind::kInt64))) {
    throw value_error(fmt::format("{} of {} are given as numbers of kind {}; expected floats{}",
                                  what, spec_->name, int(view.kind),
                                  is_discrete ? " or whole numbers of 32 or 64 bits" : ""));
  }
  const bool has_strides = (view.instance_stride != 0 || options_.n_envs == 1) &&
                           (view.component_stride != 0 || rows == 1);
  if (!has_strides) {
    throw value_error(fmt::format(
        "{} have strides {} from component to component and {} from instance to instance; expected "
        "numbers other than 0",
        what, view.component_stride, view.instance_stride));
  }
}

void Environments::observe(const ArrayView& observation) {
  const int rows = observation_rows();
  require_view(observation, rows, has_index_observations(), "the observations");
  const std::size_t size = std::size_t(rows) * options_.n_envs;
  if (own_observation_.size() == 0) own_observation_ = DeviceArray<float>(*backend_, size);
  observe(own_observation_.data());
  backend_->rearrange({rows,
                       options_.n_envs,
                       {own_observation_.data(), NumberKind::kFloat, options_.n_envs, 1},
                       observation});
}

void Environments::step(const ArrayView& action, const ArrayView& observation, StepOutput out) {
  const int rows = action_rows(), n = options_.n_envs;
  require_started("step");
  require_view(action, rows, spec_->action_kind == SpaceKind::kDiscrete, "the actions");
  const bool observes = observation.data != nullptr;
  if (observes) {
    require_view(observation, observation_rows(), has_index_observations(), "the observations");
    const std::size_t size = std::size_t(observation_rows()) * n;
    if (own_observation_.size() == 0) own_observation_ = DeviceArray<float>(*backend_, size);
  }
  if (given_action_.size() == 0)
    given_action_ = DeviceArray<float>(*backend_, std::size_t(rows) * n);
  backend_->rearrange({rows, n, action, {given_action_.data(), NumberKind::kFloat, n, 1}});
  out.observation = observes ? own_observation_.data() : nullptr;
  out.observation_stride = n;
  step(given_action_.data(), out);
  if (!observes) return;
  backend_->rearrange(
      {observation_rows(), n, {own_observation_.data(), NumberKind::kFloat, n, 1}, observation});
}

void Environments::rollout(ActionSource source, const PolicyView& policy, bool deterministic,
                           const Trajectory& out) {
  require_started("rollout");
  require_parameters();
  if (out.n_envs != options_.n_envs || out.n_steps < 1) {
    throw value_error(
        fmt::format("a rollout of {} steps of {} instances; expected at least 1 step "
                    "of {}",
                    out.n_steps, out.n_envs, options_.n_envs));
  }
  require_both(out.first_return, out.first_length);
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
  if (source == ActionSource::kPolicy && request.arithmetic == Arithmetic::kFast &&
      !backend_->has_fast_rollout(*entry_, request)) {
    note_strict_rollout();
  }
  backend_->rollout(*entry_, request);
}

void Environments::note_strict_rollout() {
  if (noted_strict_) return;
  noted_strict_ = true;
  backend_->note(fmt::format(
      "mode fast has no rollout on tensor cores of {} under this policy, only under two hidden "
      "layers of a width that the environment lists (kFusedWidths), with log sigma, if any, as a "
      "parameter, and without recorded states; the strict one runs",
      spec_->name));
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
  request.action_seed_bits = action_seed_bits_;
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

std::vector<std::uint32_t> Environments::nonfinite_times() const {
  std::vector<std::uint32_t> times(options_.n_envs);
  nonfinite_.download(times.data(), times.size());
  return times;
}

void Environments::restart_nonfinite() {
  const std::vector<std::uint32_t> times = nonfinite_times();
  DeviceArray<std::uint8_t> mask(*backend_, times.size());
  std::vector<std::uint8_t> chosen;
  for (const std::uint32_t time : times) chosen.push_back(time != 0 ? 1 : 0);
  mask.upload(chosen);
  reset_where(mask.data());
  nonfinite_.upload(std::vector<std::uint32_t>(stride_, 0));
  const std::uint32_t none = 0;
  nonfinite_any_.upload(&none, 1);
}

NonFinite Environments::first_nonfinite() const {
  NonFinite first;
  std::uint32_t any = 0;
  nonfinite_any_.download(&any, 1);
  if (any == 0) return first;
  const std::vector<std::uint32_t> times = nonfinite_.download();
  for (int i = 0; i < options_.n_envs; i++) {
    if (times[i] == 0 || (first.found && times[i] >= first.time)) continue;
    first = {true, id(i), times[i]};
  }
  return first;
}

}  // namespace gallop
