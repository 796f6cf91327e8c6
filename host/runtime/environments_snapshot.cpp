// A batch begun anew, and a batch as bytes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <gallop/host/error.h>
#include <gallop/host/files/safetensors.h>
#include <gallop/host/files/tensor_file.h>
#include <gallop/host/runtime/environments.h>
#include <gallop/kernels/random/stream.h>

namespace gallop {
namespace {

constexpr const char* kFormat = "gallop batch 1";
constexpr const char* kOrigin = "a snapshot of a batch";
const std::string kBatch = "batch";

template <class T>
void require_same(const char* what, const T& in_snapshot, const T& here) {
  if (in_snapshot == here) return;
  throw checkpoint_error(
      fmt::format("{}: its {} is {}, and this batch's is {}", kOrigin, what, in_snapshot, here));
}

template <class T>
void copy_whole(Backend& backend, const DeviceArray<T>& to, const DeviceArray<T>& from) {
  require_within(0, to.size(), from.size());
  if (to.size() > 0) backend.copy_bytes(to.data(), from.data(), to.size() * sizeof(T));
}

}  // namespace

void Environments::reset_anew(std::uint64_t seed) {
  require_parameters();
  if (seed > kMaxSeed) {
    throw value_error(fmt::format("seed is {}; expected at most {}", seed, kMaxSeed));
  }
  set_ids(given_ids_);
  options_.seed = seed;
  action_seed_bits_ = 0;
  time_ = 0;
  nonfinite_.upload(std::vector<std::uint32_t>(stride_, 0));
  const std::uint32_t none = 0;
  nonfinite_any_.upload(&none, 1);
  started_ = true;
  backend_->reset_instances(*entry_, {nullptr, view(), nullptr});
}

void Environments::set_ids(std::vector<std::uint32_t> ids) {
  if (!ids.empty()) {
    if (ids_.size() == 0) ids_ = DeviceArray<std::uint32_t>::zeroed(*backend_, stride_);
    ids_.upload(ids.data(), ids.size());
  } else {
    ids_ = {};
  }
  options_.ids = std::move(ids);
}

void Environments::reset_with_ids(std::span<const std::uint32_t> ids,
                                  std::span<const std::uint8_t> mask) {
  require_parameters();
  const std::size_t n = std::size_t(options_.n_envs);
  if (ids.size() != n || (!mask.empty() && mask.size() != n)) {
    throw value_error(
        fmt::format("{} ids and a mask of {} for {} instances; expected {} of each, or "
                    "no mask",
                    ids.size(), mask.size(), n, n));
  }
  const auto is_chosen = [&](std::size_t i) { return mask.empty() || mask[i] != 0; };
  std::vector<std::uint32_t> now(n);
  std::vector<std::uint8_t> chosen(n);
  bool all = true;
  for (std::size_t i = 0; i < n; i++) {
    chosen[i] = is_chosen(i) ? 1 : 0;
    all = all && is_chosen(i);
    now[i] = is_chosen(i) ? ids[i] : id(int(i));
    if (is_chosen(i) && ids[i] >= kEvaluationIds) {
      throw value_error(
          fmt::format("the id of instance {} is {}; expected one below 2^31", i, ids[i]));
    }
  }
  if (!all) require_started("reset_with_ids with a mask");
  set_ids(std::move(now));
  if (all) {
    started_ = true;
    backend_->reset_instances(*entry_, {nullptr, view(), nullptr});
    return;
  }
  // The next episode of these instances is episode 0.
  std::vector<std::uint32_t> episodes = episode_.download();
  for (std::size_t i = 0; i < n; i++) {
    if (chosen[i] != 0) episodes[i] = 0xffffffffu;
  }
  episode_.upload(episodes);
  DeviceArray<std::uint8_t> device_mask(*backend_, n);
  device_mask.upload(chosen);
  reset_where(device_mask.data());
}

std::vector<std::byte> Environments::snapshot() const {
  TensorFile file;
  file.set_text("format", kFormat);
  file.set_text("environment", spec_->name);
  file.put_scalar<std::int32_t>("n_envs", options_.n_envs);
  file.put_scalar<std::int32_t>("reset_mode", std::int32_t(options_.reset_mode));
  file.put_scalar<std::int32_t>("time_limit", time_limit_);
  file.put_scalar<std::uint8_t>("clip_actions", options_.clip_actions ? 1 : 0);
  file.put_scalar<std::uint64_t>("seed", options_.seed);
  file.put_scalar<std::uint32_t>("id_offset", options_.id_offset);
  file.put_scalar<std::uint8_t>("started", started_ ? 1 : 0);
  file.put<std::uint32_t>("ids", {options_.ids.size()}, options_.ids);
  file.put<std::uint32_t>("given_ids", {given_ids_.size()}, given_ids_);
  file.put<float>("table", {table_values_.size()}, table_values_);
  save_ranges(file);
  if (started_) {
    save(file, kBatch);
  } else {
    const std::vector<float> rows = parameter_values_.rows();
    file.put<float>(kBatch + "/parameters", {rows.size()}, rows);
  }
  return write_safetensors(file);
}

void Environments::restore(std::span<const std::byte> snapshot) {
  const TensorFile file = read_safetensors(snapshot, kOrigin);
  require_same<std::string>("format", file.text("format"), kFormat);
  require_same<std::string>("environment", file.text("environment"), spec_->name);
  require_same("number of instances", file.get_scalar<std::int32_t>("n_envs"), options_.n_envs);
  require_same("reset mode", file.get_scalar<std::int32_t>("reset_mode"),
               std::int32_t(options_.reset_mode));
  const auto ids_called = [&](const char* name) {
    const bool has_some = file.tensor(name).shape != TensorShape{0};
    std::vector<std::uint32_t> ids(has_some ? options_.n_envs : 0);
    file.get<std::uint32_t>(name, {ids.size()}, ids);
    return ids;
  };
  EnvironmentOptions options = options_;
  options.time_limit = file.get_scalar<std::int32_t>("time_limit");
  options.clip_actions = file.get_scalar<std::uint8_t>("clip_actions") != 0;
  options.seed = file.get_scalar<std::uint64_t>("seed");
  options.id_offset = file.get_scalar<std::uint32_t>("id_offset");
  options.ids.clear();
  std::vector<float> table(table_values_.size());
  file.get<float>("table", {table.size()}, table);
  const bool is_finite =
      std::all_of(table.begin(), table.end(), [](float x) { return std::isfinite(x); });
  if (!is_finite || options.time_limit < 0) {
    throw checkpoint_error(fmt::format(
        "{}: its {}", kOrigin,
        is_finite ? "time limit is negative" : "table holds numbers that are not finite"));
  }
  try {
    Environments other(*backend_, *entry_, options);
    other.given_ids_ = ids_called("given_ids");
    other.set_ids(ids_called("ids"));
    other.parameter_values_ = parameter_values_;
    other.sizes_ = sizes_;
    other.stop_randomizing();
    if (!table.empty()) other.set_table(table);
    if (file.get_scalar<std::uint8_t>("started") != 0) {
      other.restore_ranges(file);
      other.load(file, kBatch);
    } else {
      other.take_parameters(file);
      other.restore_ranges(file);
    }
    take(std::move(other));
  } catch (const Error& error) {
    if (error.code() != ExitCode::value) throw;
    throw checkpoint_error(fmt::format("{}: {}", kOrigin, error.what()));
  }
}

// Of a batch before its first reset, whose sizes the parameters may choose.
void Environments::take_parameters(const TensorFile& file) {
  const std::string name = kBatch + "/parameters";
  const std::size_t n = std::size_t(spec_->n_parameters);
  const bool own = file.tensor(name).shape == TensorShape{n * std::size_t(stride_)};
  std::vector<float> rows(own ? n * std::size_t(stride_) : n);
  file.get<float>(name, {rows.size()}, rows);
  for (std::size_t k = 0; !own && k < n; k++) {
    parameter_values_.set(int(k), double(rows[k]), true);
  }
  const std::string fault = parameter_values_.take_rows(std::move(rows));
  if (!fault.empty()) throw checkpoint_error(fmt::format("tensor '{}': {}", name, fault));
  sizes_ = parameter_values_.sizes();
  upload_parameters();
}

void Environments::take(Environments&& other) {
  copy_whole(*backend_, state_, other.state_);
  copy_whole(*backend_, episode_return_, other.episode_return_);
  copy_whole(*backend_, episode_, other.episode_);
  copy_whole(*backend_, elapsed_, other.elapsed_);
  copy_whole(*backend_, ended_, other.ended_);
  copy_whole(*backend_, nonfinite_, other.nonfinite_);
  copy_whole(*backend_, nonfinite_any_, other.nonfinite_any_);
  copy_whole(*backend_, table_, other.table_);
  parameters_ = std::move(other.parameters_);
  ranges_ = std::move(other.ranges_);
  ids_ = std::move(other.ids_);
  options_ = std::move(other.options_);
  given_ids_ = std::move(other.given_ids_);
  parameter_values_ = std::move(other.parameter_values_);
  table_values_ = std::move(other.table_values_);
  sizes_ = other.sizes_;
  time_limit_ = other.time_limit_;
  time_ = other.time_;
  started_ = other.started_;
  given_action_ = {};  // their sizes may be others
  own_observation_ = {};
}

}  // namespace gallop
