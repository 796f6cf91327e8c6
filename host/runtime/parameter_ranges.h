// Parameters of an environment that every episode draws anew, as the host knows them
// (kernels/environment/parameter_range.h).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gallop/kernels/environment/parameter_range.h>
#include <gallop/kernels/environment/spec.h>

namespace gallop {

// The place of a parameter among the specification's. Throws a usage error, with the nearest names,
// where there is none.
int parameter_index(const EnvironmentSpec& spec, std::string_view name);

// What is wrong with a value of parameter `index`, "" where nothing is.
std::string parameter_fault(const EnvironmentSpec& spec, int index, double value);

// What a parameter is drawn from: uniform from `low` to `high`, or where `logarithmic` with a
// logarithm that is uniform. A parameter that is a whole number is drawn among those, ends
// included.
struct DrawnRange {
  double low = 0, high = 0;
  bool logarithmic = false;
};

// Reads "0.05..0.3" and "0.1..10:log". `name` is the parameter's, for the value error that any
// other text throws.
DrawnRange parse_range(std::string_view name, std::string_view text);
// What parse_range takes back to the same range.
std::string range_text(const DrawnRange& range);

// Which parameters of an environment are drawn, and from what.
class ParameterRanges {
 public:
  explicit ParameterRanges(const EnvironmentSpec& spec) : spec_(&spec) {}

  // Throws a value error for numbers that are not finite, a low end above the high one, an end that
  // the parameter cannot have, a logarithm of what is not above 0 or of a whole number, and for a
  // parameter that sets the sizes of a batch; nothing has changed then.
  void set(int index, const DrawnRange& range);
  void clear(int index);

  bool empty() const { return given_.empty(); }
  bool has(int index) const { return find(index) != nullptr; }
  // Null where the parameter is not drawn.
  const DrawnRange* find(int index) const;
  // Which intervals between two parameters could come out empty, "" for none. `low` and `high`
  // [n_parameters] are the least and greatest values that those which are not drawn have.
  std::string fault(std::span<const double> low, std::span<const double> high) const;
  // As kernels have them [n_parameters].
  std::vector<ParameterRange> rows() const;

 private:
  struct Given {
    int index;
    DrawnRange range;
  };
  const EnvironmentSpec* spec_;
  std::vector<Given> given_;  // by index
};

}  // namespace gallop
