#include <gallop/host/runtime/parameter_values.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>

namespace gallop {
namespace {

// "" or what the first empty interval is. `value(k)` gives parameter k.
template <class Value>
std::string interval_fault(const EnvironmentSpec& spec, const Value& value) {
  for (int i = 0; i < spec.n_intervals; i++) {
    const IntervalSpec& interval = spec.intervals[i];
    const int low = parameter_index(spec, interval.low),
              high = parameter_index(spec, interval.high);
    const double a = value(low), b = value(high);
    if (interval.open ? a < b : a <= b) continue;
    return fmt::format("parameter {} of {} is {}, {} {}, which is {}; expected it {}", interval.low,
                       spec.name, a, a > b ? "above" : "not below", interval.high, b,
                       interval.open ? "to be less" : "to be at most that");
  }
  return "";
}

}  // namespace

std::string parameters_fault(const EnvironmentSpec& spec, std::span<const double> values) {
  for (int k = 0; k < spec.n_parameters; k++) {
    std::string fault = parameter_fault(spec, k, values[k]);
    if (!fault.empty()) return fault;
  }
  return interval_fault(spec, [&](int k) { return values[k]; });
}

ParameterValues::ParameterValues(const EnvironmentSpec& spec, int n_envs, long stride)
    : spec_(&spec), n_envs_(n_envs), stride_(stride), ranges_(spec) {
  for (int k = 0; k < spec.n_parameters; k++) shared_.push_back(spec.parameters[k].value);
}

int ParameterValues::find(std::string_view name) const { return parameter_index(*spec_, name); }

void ParameterValues::check(int index, double value) const {
  refuse_drawn(index, "stop that before it is set");
  const std::string fault = parameter_fault(*spec_, index, value);
  if (!fault.empty()) throw value_error(fault);
}

void ParameterValues::refuse_drawn(int index, const char* instead) const {
  const DrawnRange* const range = ranges_.find(index);
  if (range == nullptr) return;
  throw value_error(fmt::format("parameter {} of {} is drawn for each episode, from {}; {}",
                                spec_->parameters[index].name, spec_->name, range_text(*range),
                                instead));
}

void ParameterValues::set_range(int index, const DrawnRange& range) {
  ranges_.set(index, range);
  checked_ = false;
}

void ParameterValues::clear_range(int index) {
  ranges_.clear(index);
  checked_ = false;
}

Sizes ParameterValues::sizes() const {
  return spec_->sizes != nullptr ? spec_->sizes(shared_.data())
                                 : Sizes{spec_->observation_capacity, spec_->action_capacity};
}

void ParameterValues::set(int index, double value, bool may_resize) {
  check(index, value);
  std::vector<double> changed = shared_;
  changed[index] = value;
  if (spec_->sizes != nullptr && !may_resize) {
    const Sizes now = sizes(), then = spec_->sizes(changed.data());
    if (then.observation != now.observation || then.action != now.action) {
      throw value_error(
          fmt::format("parameter {} of {} cannot change to {}: it sets the sizes of a "
                      "batch that has begun",
                      spec_->parameters[index].name, spec_->name, value));
    }
  }
  shared_ = changed;
  if (per_instance()) std::fill_n(rows_.begin() + index * stride_, stride_, float(value));
  checked_ = false;
}

void ParameterValues::set(int index, std::span<const float> values) {
  const char* name = spec_->parameters[index].name;
  if (long(values.size()) != n_envs_) {
    throw value_error(
        fmt::format("{} values for parameter {}; expected one for each of {} instances",
                    values.size(), name, n_envs_));
  }
  for (const float value : values) check(index, value);
  if (spec_->sizes != nullptr) {
    std::vector<double> candidate = shared_;
    const Sizes now = sizes();
    for (const float value : values) {
      candidate[index] = value;
      const Sizes then = spec_->sizes(candidate.data());
      if (then.observation != now.observation || then.action != now.action) {
        throw value_error(
            fmt::format("parameter {} of {} sets the sizes of the batch; expected one "
                        "value for all instances",
                        name, spec_->name));
      }
    }
  }
  if (!per_instance()) {
    for (const double value : shared_) rows_.insert(rows_.end(), stride_, float(value));
  }
  std::copy(values.begin(), values.end(), rows_.begin() + index * stride_);
  checked_ = false;
}

double ParameterValues::shared_value(int index) const {
  refuse_drawn(index, "parameter_values() gives what the present episodes drew");
  if (!per_instance()) return shared_[index];
  const auto row = rows_.begin() + index * stride_;
  const auto other = std::find_if(row, row + n_envs_, [&](float x) { return x != *row; });
  if (other == row + n_envs_) {
    // The number that was set for all, where it is that: 9.8 and not what a float makes of it.
    return float(shared_[index]) == *row ? shared_[index] : double(*row);
  }
  throw value_error(
      fmt::format("parameter {} of {} is {} for instance 0 of the batch and {} for instance {}; "
                  "parameter_values() gives the values of all",
                  spec_->parameters[index].name, spec_->name, *row, *other, other - row));
}

std::vector<float> ParameterValues::values(int index) const {
  if (!per_instance()) return std::vector<float>(n_envs_, float(shared_[index]));
  const auto row = rows_.begin() + index * stride_;
  return std::vector<float>(row, row + n_envs_);
}

std::vector<double> ParameterValues::of(int instance) const {
  if (!per_instance()) return shared_;
  std::vector<double> values;
  for (int k = 0; k < spec_->n_parameters; k++) {
    values.push_back(double(rows_[k * stride_ + instance]));
  }
  return values;
}

const std::string& ParameterValues::fault() const {
  if (checked_) return fault_;
  fault_.clear();
  if (!per_instance()) {
    fault_ = interval_fault(*spec_, [&](int k) { return shared_[k]; });
  } else if (spec_->n_intervals > 0) {
    for (int i = 0; i < n_envs_ && fault_.empty(); i++) {
      fault_ = interval_fault(*spec_, [&](int k) { return double(rows_[k * stride_ + i]); });
      if (!fault_.empty()) fault_ += fmt::format(" (instance {} of the batch)", i);
    }
  }
  if (fault_.empty() && !ranges_.empty() && spec_->n_intervals > 0) {
    std::vector<double> low, high;
    for (int k = 0; k < spec_->n_parameters; k++) {
      const std::vector<float> all = values(k);
      const auto [least, most] = std::minmax_element(all.begin(), all.end());
      low.push_back(double(*least));
      high.push_back(double(*most));
    }
    fault_ = ranges_.fault(low, high);
  }
  checked_ = true;
  return fault_;
}

std::vector<float> ParameterValues::rows() const {
  if (per_instance()) return rows_;
  return std::vector<float>(shared_.begin(), shared_.end());
}

std::string ParameterValues::take_rows(std::vector<float> rows) {
  const std::size_t n = std::size_t(spec_->n_parameters);
  const bool own = rows.size() != n;
  for (std::size_t i = 0; i < rows.size(); i++) {
    const std::string fault = parameter_fault(*spec_, int(own ? i / stride_ : i), rows[i]);
    if (!fault.empty()) return fault;
  }
  ParameterValues changed = *this;
  changed.checked_ = false;
  changed.rows_.clear();
  for (std::size_t k = 0; k < n; k++) {
    const float value = rows[own ? k * stride_ : k];
    if (float(shared_[k]) != value) changed.shared_[k] = double(value);
  }
  if (own) changed.rows_ = std::move(rows);
  const Sizes now = sizes(), then = changed.sizes();
  if (then.observation != now.observation || then.action != now.action) {
    return fmt::format(
        "the parameters of {} make {} observations and {} actions, the batch has {} "
        "and {}",
        spec_->name, then.observation, then.action, now.observation, now.action);
  }
  if (!changed.fault().empty()) return changed.fault();
  *this = std::move(changed);
  return "";
}

}  // namespace gallop
