#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/runtime/parameter_ranges.h>

namespace gallop {

// What is wrong with values of parameters [n_parameters], "" where nothing is: one out of its
// range, a fraction where a whole number belongs, an interval that is empty.
std::string parameters_fault(const EnvironmentSpec& spec, std::span<const double> values);

// The parameters of a batch as the host knows them: one value of each, or one for each instance,
// and which of them episodes draw in place of that. Rows are `stride` long, and hold values beyond
// the instances too.
class ParameterValues {
 public:
  // The specification's defaults.
  ParameterValues(const EnvironmentSpec& spec, int n_envs, long stride);

  // Throws a usage error for an unknown name.
  int find(std::string_view name) const;

  // Throws a value error where the parameter cannot have that value, where episodes draw it, or,
  // unless `may_resize`, where it would change the batch's sizes; nothing has changed then. One
  // that other parameters have to allow is not refused before the batch runs: see fault().
  void set(int index, double value, bool may_resize);
  void set(int index, std::span<const float> values);  // [n_envs]

  // Has episodes draw a parameter (ParameterRanges::set), or not any more.
  void set_range(int index, const DrawnRange& range);
  void clear_range(int index);
  const ParameterRanges& ranges() const { return ranges_; }

  // Throws a value error where the instances differ, or may, since episodes draw it.
  double shared_value(int index) const;
  std::vector<float> values(int index) const;  // [n_envs], those that were set
  // Those of one instance [n_parameters].
  std::vector<double> of(int instance) const;
  bool per_instance() const { return !rows_.empty(); }
  Sizes sizes() const;
  // What parameters exclude each other, with the instance where they are its own; "" for none.
  const std::string& fault() const;

  // What the device has: [P], or [P, stride] where instances have their own.
  std::vector<float> rows() const;
  // Takes over such rows, which may be of the other kind. Returns what is wrong with them, and has
  // changed nothing then; "" for nothing.
  std::string take_rows(std::vector<float> rows);

 private:
  void check(int index, double value) const;
  void refuse_drawn(int index, const char* instead) const;

  const EnvironmentSpec* spec_;
  int n_envs_;
  long stride_;
  std::vector<double> shared_;  // [P]; where instances have their own, what was set for all last
  std::vector<float> rows_;     // [P, stride] or none
  ParameterRanges ranges_;
  // fault() of these values, once it was asked for.
  mutable bool checked_ = false;
  mutable std::string fault_;
};

}  // namespace gallop
