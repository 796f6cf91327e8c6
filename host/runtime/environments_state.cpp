// What a batch of instances is in, between calls: given and taken by a caller, saved and loaded.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/files/tensor_file.h>
#include <gallop/host/runtime/environments.h>
#include <gallop/host/runtime/state_values.h>

namespace gallop {
namespace {

template <class T>
void put(TensorFile& file, const std::string& name, const DeviceArray<T>& array) {
  const std::vector<T> values = array.download();
  file.put<T>(name, {values.size()}, values);
}

template <class T>
std::vector<T> get(const TensorFile& file, const std::string& name, std::size_t size) {
  std::vector<T> values(size);
  file.get<T>(name, {size}, values);
  return values;
}

[[noreturn]] void refuse(const std::string& tensor, const std::string& what) {
  throw checkpoint_error(fmt::format("tensor '{}': {}", tensor, what));
}

// Checks values(i) of the n instances of a batch, and that the rest of the row holds nothing.
template <class T, class IsGood>
void require_row(const std::string& tensor, const std::vector<T>& row, int n,
                 const Environments& of, const std::string& expected, const IsGood& is_good) {
  for (int i = 0; i < n; i++) {
    if (is_good(i, row[i])) continue;
    refuse(tensor, fmt::format("instance {} has {}; expected {}", of.id(i), row[i], expected));
  }
  for (std::size_t i = std::size_t(n); i < row.size(); i++) {
    if (row[i] == T(0)) continue;
    refuse(tensor,
           fmt::format("element {}, behind the last instance, is {}; expected 0", i, row[i]));
  }
}

}  // namespace

// The arrays of a checkpoint on the host, checked before anything changes.
struct Environments::Saved {
  std::vector<float> state, episode_return;
  std::vector<std::uint32_t> episode, nonfinite;
  std::vector<std::int32_t> elapsed;
  std::vector<std::uint8_t> ended;
  ParameterValues parameters;
  std::vector<float> parameter_rows;
  std::uint32_t time;
};

// A batch in the host's memory, as far as states need it.
EnvironmentBatch Environments::host_view(float* state, std::span<const float> parameters) const {
  EnvironmentBatch batch = {};
  batch.n_envs = options_.n_envs;
  batch.stride = stride_;
  batch.shared = {sizes_, table_values_.data()};
  batch.parameters_per_instance = parameters.size() > std::size_t(spec_->n_parameters) ? 1 : 0;
  batch.parameters = parameters.data();
  batch.state = state;
  return batch;
}

std::vector<float> Environments::get_state() const {
  require_started("get_state");
  const std::vector<float> padded = state_.download();
  std::vector<float> state;
  for (int k = 0; k < spec_->n_state; k++) {
    const auto row = padded.begin() + k * stride_;
    state.insert(state.end(), row, row + options_.n_envs);
  }
  return state;
}

void Environments::set_state(std::span<const float> state) {
  require_parameters();
  const std::size_t n = std::size_t(options_.n_envs);
  const std::size_t rows = state.size() / n;
  const bool whole = rows == std::size_t(spec_->n_state);
  if (state.size() % n != 0 || (!whole && rows != std::size_t(spec_->n_given_state))) {
    const std::string given =
        spec_->n_given_state == spec_->n_state
            ? ""
            : fmt::format(", or {}: the first {} components, which determine the others",
                          spec_->n_given_state * n, spec_->n_given_state);
    throw value_error(
        fmt::format("a state of {} floats; expected {} ({} components of {} instances){}",
                    state.size(), spec_->n_state * n, spec_->n_state, n, given));
  }
  std::vector<float> padded(std::size_t(spec_->n_state) * stride_, 0.0f);
  for (std::size_t k = 0; k < rows; k++) {
    std::copy_n(state.begin() + k * n, n, padded.begin() + k * stride_);
  }
  const std::vector<float> parameters = rows_in(parameter_values_, episode_.download());
  StateValues values(*entry_, host_view(padded.data(), parameters));
  values.complete(!whole);
  const StateValues::Fault fault = values.fault(nullptr);
  if (fault.instance >= 0) {
    throw value_error(fmt::format("state of instance {}: {}", id(fault.instance), fault.what));
  }
  state_.upload(padded);
  elapsed_.upload(std::vector<std::int32_t>(stride_, 0));
  episode_return_.upload(std::vector<float>(stride_, 0.0f));
  ended_.upload(std::vector<std::uint8_t>(stride_, 0));
  started_ = true;
}

void Environments::save(TensorFile& file, const std::string& prefix) const {
  require_started("save");
  require_parameters();
  put(file, prefix + "/state", state_);
  put(file, prefix + "/episode", episode_);
  put(file, prefix + "/elapsed", elapsed_);
  put(file, prefix + "/episode_return", episode_return_);
  put(file, prefix + "/ended", ended_);
  put(file, prefix + "/nonfinite", nonfinite_);
  put(file, prefix + "/parameters", parameters_);
  file.put_scalar<std::uint32_t>(prefix + "/time", time_);
}

Environments::Saved Environments::read(const TensorFile& file, const std::string& prefix) const {
  const int n = options_.n_envs;
  const std::size_t stride = std::size_t(stride_);
  const std::size_t n_parameters = std::size_t(spec_->n_parameters);
  Saved s = {get<float>(file, prefix + "/state", spec_->n_state * stride),
             get<float>(file, prefix + "/episode_return", stride),
             get<std::uint32_t>(file, prefix + "/episode", stride),
             get<std::uint32_t>(file, prefix + "/nonfinite", stride),
             get<std::int32_t>(file, prefix + "/elapsed", stride),
             get<std::uint8_t>(file, prefix + "/ended", stride),
             parameter_values_,
             {},
             file.get_scalar<std::uint32_t>(prefix + "/time")};
  const std::string of = prefix + "/parameters";
  const bool own = file.tensor(of).shape == TensorShape{n_parameters * stride};
  s.parameter_rows = get<float>(file, of, own ? n_parameters * stride : n_parameters);
  const std::string fault = s.parameters.take_rows(s.parameter_rows);
  if (!fault.empty()) refuse(of, fault);
  require_counters(s, prefix);
  const std::string name = prefix + "/state";
  for (int k = 0; k < spec_->n_state; k++) {
    const auto row = s.state.begin() + k * stride_;
    require_row<float>(name, {row, row + stride_}, n, *this, "", [](int, float) { return true; });
  }
  const std::vector<float> parameters = rows_in(s.parameters, s.episode);
  const StateValues values(*entry_, host_view(s.state.data(), parameters));
  const StateValues::Fault wrong = values.fault(s.nonfinite.data());
  if (wrong.instance >= 0) {
    refuse(name, fmt::format("instance {}: {}", id(wrong.instance), wrong.what));
  }
  return s;
}

void Environments::require_counters(const Saved& s, const std::string& prefix) const {
  const int n = options_.n_envs;
  require_row(prefix + "/nonfinite", s.nonfinite, n, *this,
              fmt::format("0, or a step up to {}", s.time),
              [&](int, std::uint32_t time) { return time <= s.time; });
  require_row(prefix + "/episode", s.episode, n, *this, "",
              [](int, std::uint32_t) { return true; });
  // An instance that ended within its step has been reset by now, where the batch does that.
  const bool same_step = options_.reset_mode == ResetMode::kSameStep;
  std::int64_t most = s.time;
  if (time_limit_ > 0) most = std::min<std::int64_t>(most, time_limit_ - (same_step ? 1 : 0));
  require_row(prefix + "/elapsed", s.elapsed, n, *this,
              fmt::format("0 to {} steps: the batch has taken {}, and its time limit is {}", most,
                          s.time, time_limit_),
              [&](int, std::int32_t steps) { return steps >= 0 && steps <= most; });
  require_row(prefix + "/ended", s.ended, n, *this, same_step ? "0" : "0 or 1",
              [&](int, std::uint8_t flag) { return flag <= (same_step ? 0 : 1); });
  require_row(prefix + "/episode_return", s.episode_return, n, *this, "a finite number",
              [&](int i, float x) { return std::isfinite(x) || s.nonfinite[i] != 0; });
}

void Environments::load(const TensorFile& file, const std::string& prefix) {
  Saved s = read(file, prefix);
  if (parameters_.size() != s.parameter_rows.size()) {
    parameters_ = DeviceArray<float>(*backend_, s.parameter_rows.size());
  }
  parameters_.upload(s.parameter_rows);
  parameter_values_ = std::move(s.parameters);
  state_.upload(s.state);
  episode_.upload(s.episode);
  elapsed_.upload(s.elapsed);
  episode_return_.upload(s.episode_return);
  ended_.upload(s.ended);
  nonfinite_.upload(s.nonfinite);
  const std::uint32_t any =
      std::any_of(s.nonfinite.begin(), s.nonfinite.end(), [](std::uint32_t t) { return t != 0; });
  nonfinite_any_.upload(&any, 1);
  time_ = s.time;
  started_ = true;
}

}  // namespace gallop
