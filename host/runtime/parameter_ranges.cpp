#include <gallop/host/runtime/parameter_ranges.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/split.h>
#include <gallop/host/options/utf8.h>

namespace gallop {
namespace {

constexpr double kMostWholes = 1 << 22;  // numbers whose floor is exact in a float

// Values of instances are floats, limits and defaults are not: 1e-6f is below 1e-6, and is meant.
bool is_within(const ParameterSpec& p, double value) {
  const bool within = (value >= p.low && value <= p.high) || value == double(float(p.low)) ||
                      value == double(float(p.high));
  return within && (!p.whole || value == std::floor(value));
}

bool parse_number(std::string_view text, double& value) {
  const std::string_view word = trimmed(text);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size() && !word.empty();
}

bool sets_sizes(const EnvironmentSpec& spec, int index, const DrawnRange& range) {
  if (spec.sizes == nullptr) return false;
  std::vector<double> values;
  for (int k = 0; k < spec.n_parameters; k++) values.push_back(spec.parameters[k].value);
  const Sizes before = spec.sizes(values.data());
  const auto differs = [&](double value) {
    values[index] = value;
    const Sizes then = spec.sizes(values.data());
    return then.observation != before.observation || then.action != before.action;
  };
  return differs(range.low) || differs(range.high);
}

}  // namespace

int parameter_index(const EnvironmentSpec& spec, std::string_view name) {
  std::vector<std::string> known;
  for (int k = 0; k < spec.n_parameters; k++) {
    if (name == spec.parameters[k].name) return k;
    known.emplace_back(spec.parameters[k].name);
  }
  throw usage_error(fmt::format("environment {} has no parameter '{}'{}", spec.name,
                                name.substr(0, 80), did_you_mean(name, known)));
}

std::string parameter_fault(const EnvironmentSpec& spec, int index, double value) {
  const ParameterSpec& p = spec.parameters[index];
  if (is_within(p, value)) return "";
  return fmt::format("parameter {} of {} is {}; expected {}{} to {}{}{}", p.name, spec.name, value,
                     p.whole ? "a whole number from " : "", p.low, p.high, *p.unit != 0 ? " " : "",
                     p.unit);
}

DrawnRange parse_range(std::string_view name, std::string_view text) {
  DrawnRange range;
  std::string_view ends = text;
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    range.logarithmic = trimmed(text.substr(colon + 1)) == "log";
    ends = text.substr(0, colon);
  }
  const std::size_t dots = ends.find("..");
  const bool is_range = dots != std::string_view::npos &&
                        range.logarithmic == (colon != std::string_view::npos) &&
                        parse_number(ends.substr(0, dots), range.low) &&
                        parse_number(ends.substr(dots + 2), range.high);
  if (is_range) return range;
  throw value_error(
      fmt::format("the range of parameter {} is {}; expected LOW..HIGH, as in 0.05..0.3, or "
                  "LOW..HIGH:log",
                  in_quotes(name), in_quotes(text)));
}

std::string range_text(const DrawnRange& range) {
  return fmt::format("{}..{}{}", range.low, range.high, range.logarithmic ? ":log" : "");
}

void ParameterRanges::set(int index, const DrawnRange& range) {
  const ParameterSpec& p = spec_->parameters[index];
  const std::string what =
      fmt::format("the range {} of parameter {} of {}", range_text(range), p.name, spec_->name);
  if (!std::isfinite(range.low) || !std::isfinite(range.high)) {
    throw value_error(what + " has an end that is not finite; expected finite numbers");
  }
  if (range.low > range.high) {
    throw value_error(what + " begins above its end; expected the lower end first");
  }
  for (const double end : {range.low, range.high}) {
    const std::string fault = parameter_fault(*spec_, index, end);
    if (!fault.empty()) throw value_error(fmt::format("{}: {}", what, fault));
  }
  if (range.logarithmic && (p.whole || float(range.low) <= 0)) {
    throw value_error(fmt::format("{}: {}", what,
                                  p.whole ? "a whole number is drawn without :log"
                                          : "expected ends above 0 for a logarithm"));
  }
  if (p.whole && range.high - range.low >= kMostWholes) {
    throw value_error(fmt::format("{} holds more than {} whole numbers", what, kMostWholes));
  }
  if (sets_sizes(*spec_, index, range)) {
    throw value_error(what + ": the parameter sets the sizes of a batch, which all episodes share");
  }
  clear(index);
  const auto place = std::find_if(given_.begin(), given_.end(),
                                  [&](const Given& other) { return other.index > index; });
  given_.insert(place, {index, range});
}

void ParameterRanges::clear(int index) {
  std::erase_if(given_, [&](const Given& one) { return one.index == index; });
}

const DrawnRange* ParameterRanges::find(int index) const {
  for (const Given& one : given_) {
    if (one.index == index) return &one.range;
  }
  return nullptr;
}

std::string ParameterRanges::fault(std::span<const double> low,
                                   std::span<const double> high) const {
  for (int i = 0; i < spec_->n_intervals; i++) {
    const IntervalSpec& interval = spec_->intervals[i];
    const int below = parameter_index(*spec_, interval.low),
              above = parameter_index(*spec_, interval.high);
    const DrawnRange *const first = find(below), *const last = find(above);
    if (first == nullptr && last == nullptr) continue;
    const double a = first != nullptr ? first->high : high[below];
    const double b = last != nullptr ? last->low : low[above];
    if (interval.open ? a < b : a <= b) continue;
    return fmt::format("parameter {} of {} can become {} where {} is {}; expected it {}",
                       interval.low, spec_->name, a, interval.high, b,
                       interval.open ? "to be less" : "to be at most that");
  }
  return "";
}

std::vector<ParameterRange> ParameterRanges::rows() const {
  std::vector<ParameterRange> rows(std::size_t(spec_->n_parameters));
  for (const auto& [index, range] : given_) {
    const bool whole = spec_->parameters[index].whole;
    const double from = range.logarithmic ? std::log(range.low) : range.low;
    const double to = range.logarithmic ? std::log(range.high) : range.high + (whole ? 1 : 0);
    rows[index] = {whole               ? ParameterDraw::kWhole
                   : range.logarithmic ? ParameterDraw::kLogUniform
                                       : ParameterDraw::kUniform,
                   float(range.low), float(range.high), float(from), float(to - from)};
  }
  return rows;
}

}  // namespace gallop
