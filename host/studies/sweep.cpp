#include <gallop/host/studies/sweep.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/option_value.h>
#include <gallop/host/options/split.h>
#include <gallop/host/options/toml_library.h>
#include <gallop/host/studies/table_reader.h>

namespace gallop {
namespace {

constexpr double kMostSettings = 100000, kMostSeeds = 100, kMostOfGeneration = 4096;
constexpr double kMostSteps = 1e15, kGreatest = 1e300;
constexpr const char* kSweep = "sweep";

SweepAxis read_axis(std::string option, const toml::node& node, std::string_view origin) {
  SweepAxis axis;
  axis.option = std::move(option);
  axis.origin = fmt::format("{}:{}", origin, node.source().begin.line);
  const std::string what = fmt::format(" of '{}' in [sweep]", axis.option);
  if (is_own_row(axis.option)) {
    throw value_error(fmt::format("{}: '{}' cannot be searched", axis.origin, axis.option));
  }
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    throw value_error(fmt::format(
        "{}: '{}' in [sweep] is {}, expected {{low = A, high = B}}, with scale = \"log\" where it "
        "goes by powers, or {{values = [...]}}",
        axis.origin, axis.option, toml_kind(node)));
  }
  TableReader reader(*table, origin, what);
  if (const toml::node* values = reader.find("values")) {
    const toml::array* array = values->as_array();
    if (array == nullptr || array->empty() || array->size() > kMostTables) {
      reader.refuse(*values, "values", fmt::format("an array of 1 to {} values", kMostTables));
    }
    for (const toml::node& value : *array) {
      axis.values.push_back(toml_entry(axis.option, value, origin));
    }
    reader.refuse_unknown_keys();
    return axis;
  }
  const std::optional<double> low = reader.number("low", -kGreatest, kGreatest);
  const std::optional<double> high = reader.number("high", -kGreatest, kGreatest);
  axis.is_log = reader.choice("scale", "linear", {"linear", "log"}) == "log";
  reader.refuse_unknown_keys();
  if (!low || !high) {
    throw value_error(
        fmt::format("{}: there is no '{}'{}", axis.origin, !low ? "low" : "high", what));
  }
  axis.low = *low;
  axis.high = *high;
  if (axis.low >= axis.high || (axis.is_log && axis.low <= 0)) {
    throw value_error(fmt::format("{}: low is {} and high is {}{}, expected {}low < high",
                                  axis.origin, axis.low, axis.high, what,
                                  axis.is_log ? "0 < " : ""));
  }
  return axis;
}

// A document's tables are sorted by name; the axes are taken in the order of the file.
std::vector<SweepAxis> read_axes(const toml::table& table, std::string_view origin) {
  std::vector<std::pair<std::pair<unsigned, unsigned>, SweepAxis>> found;
  for (const auto& [key, node] : table) {
    found.push_back({{key.source().begin.line, key.source().begin.column},
                     read_axis(std::string(key.str()), node, origin)});
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<SweepAxis> axes;
  for (auto& [place, axis] : found) {
    for (const SweepAxis& other : axes) {
      if (option_key(other.option) != option_key(axis.option)) continue;
      throw value_error(fmt::format("{}: '{}' is searched twice", axis.origin, axis.option));
    }
    axes.push_back(std::move(axis));
  }
  if (axes.empty()) throw value_error(fmt::format("{}: [sweep] has no option", origin));
  return axes;
}

std::string axis_toml(const SweepAxis& axis) {
  const std::string name =
      axis.option.find('.') == std::string::npos ? axis.option : option_toml(axis.option);
  if (axis.values.empty()) {
    return fmt::format("{} = {{low = {}, high = {}{}}}\n", name, option_toml(axis.low),
                       option_toml(axis.high), axis.is_log ? ", scale = \"log\"" : "");
  }
  std::vector<std::string> values;
  for (const TomlEntry& value : axis.values) values.push_back(option_toml(value.value));
  return fmt::format("{} = {{values = [{}]}}\n", name, fmt::join(values, ", "));
}

std::string options_toml(const char* table, const std::vector<TomlEntry>& options) {
  if (options.empty()) return "";
  std::string toml = fmt::format("\n[{}]\n", table);
  for (const TomlEntry& o : options) {
    const std::string name = o.name.find('.') == std::string::npos ? o.name : option_toml(o.name);
    toml += fmt::format("{} = {}\n", name, option_toml(o.value));
  }
  return toml;
}

std::vector<TomlEntry> entries_of(TableReader& top, const char* key, std::string_view origin) {
  const toml::table* table = top.table(key);
  if (table == nullptr) return {};
  return TableReader(*table, origin, fmt::format(" of [{}]", key)).options();
}

const OptionSpec& row_of(const std::vector<OptionSpec>& rows, const Options& options,
                         const SweepAxis& axis) {
  const std::string name = options.resolved(axis.option).value_or(axis.option);
  return *std::find_if(rows.begin(), rows.end(),
                       [&](const OptionSpec& row) { return name == row.name; });
}

}  // namespace

bool is_sweep(std::string_view toml, std::string_view origin) {
  return parse_toml_document(toml, origin).contains(kSweep);
}

OptionSweep parse_sweep(std::string_view toml, std::string_view origin) {
  const toml::table document = parse_toml_document(toml, origin);
  TableReader top(document, origin, "");
  OptionSweep sweep;
  sweep.title = top.text("title", "");
  sweep.about = top.text("about", "");
  sweep.environment = top.text("environment", "");
  sweep.algorithm = top.text("algorithm", kDefaultAlgorithm);
  sweep.search = top.text("search", sweep.search);
  sweep.steps = top.integer("steps", 0, 1, kMostSteps);
  sweep.seeds = top.integer("seeds", sweep.seeds, 1, kMostSeeds);
  sweep.settings = top.integer("settings", 0, 1, kMostSettings);
  sweep.generation = top.integer("generation", sweep.generation, 1, kMostOfGeneration);
  sweep.seed = top.integer("search_seed", sweep.seed, 0, kExactIntegers);
  sweep.median_stop = top.choice("early_stop", "median", {"median", "none"}) == "median";
  for (const std::string& text : top.texts("set")) sweep.assignments.push_back(text);
  sweep.options = entries_of(top, "options", origin);
  sweep.search_options = entries_of(top, "search_options", origin);
  sweep.axes = read_axes(*top.table(kSweep), origin);
  top.refuse_unknown_keys();
  for (const auto& [key, is_there] :
       {std::pair("environment", !sweep.environment.empty()), std::pair("steps", sweep.steps > 0),
        std::pair("settings", sweep.settings > 0)}) {
    if (!is_there) throw value_error(fmt::format("{}: there is no '{}'", origin, key));
  }
  if (sweep.is_random() && !sweep.search_options.empty()) {
    throw value_error(fmt::format(
        "{}: [search_options] are those of a black-box optimizer, but the search is random",
        origin));
  }
  return sweep;
}

std::string sweep_toml(const OptionSweep& s) {
  const auto line = [](const char* key, const OptionValue& value) {
    return fmt::format("{} = {}\n", key, option_toml(value));
  };
  std::vector<std::string> assignments;
  for (const std::string& text : s.assignments) assignments.push_back(option_toml(text));
  std::string toml = line("title", s.title) + line("about", s.about) +
                     line("environment", s.environment) + line("algorithm", s.algorithm) +
                     line("search", s.search) + line("steps", s.steps) + line("seeds", s.seeds) +
                     line("settings", s.settings) + line("generation", s.generation) +
                     line("search_seed", s.seed) +
                     line("early_stop", std::string(s.median_stop ? "median" : "none"));
  if (!assignments.empty()) toml += fmt::format("set = [{}]\n", fmt::join(assignments, ", "));
  toml += options_toml("options", s.options) + options_toml("search_options", s.search_options);
  toml += "\n[sweep]\n";
  for (const SweepAxis& axis : s.axes) toml += axis_toml(axis);
  return toml;
}

std::string value_at(const SweepAxis& axis, const OptionSpec& row, double u) {
  const double within = std::clamp(u, 0.0, 1.0);
  if (!axis.values.empty()) {
    const std::size_t n = axis.values.size();
    return option_text(axis.values[std::min(n - 1, std::size_t(within * double(n)))].value);
  }
  const bool is_whole = row.type == OptionType::integer || row.type == OptionType::integers;
  // A whole number stands for all that rounds to it.
  const double half = is_whole && !axis.is_log ? 0.5 : 0.0;
  const double low = axis.low - half, high = axis.high + half;
  double value =
      axis.is_log ? axis.low * std::pow(axis.high / axis.low, within) : low + (high - low) * within;
  if (is_whole) value = std::clamp(std::round(value), axis.low, axis.high);
  return is_whole ? fmt::format("{}", std::int64_t(value)) : fmt::format("{:.6g}", value);
}

double place_of(const SweepAxis& axis, const std::string& value) {
  if (!axis.values.empty()) {
    for (std::size_t k = 0; k < axis.values.size(); k++) {
      if (option_text(axis.values[k].value) != value) continue;
      return axis.values.size() == 1 ? 0.5 : double(k) / double(axis.values.size() - 1);
    }
    return 0;
  }
  const double x = std::strtod(value.c_str(), nullptr);
  return axis.is_log ? std::log(x / axis.low) / std::log(axis.high / axis.low)
                     : (x - axis.low) / (axis.high - axis.low);
}

RunOptions sweep_options(const OptionSweep& sweep, std::span<const double> point) {
  RunOptions options(sweep.environment, sweep.algorithm);
  options.values().set("steps", std::to_string(sweep.steps), "steps");
  for (const TomlEntry& o : sweep.options) options.values().apply_entry(o);
  const std::vector<OptionSpec> rows = options.values().rows();
  for (std::size_t k = 0; k < sweep.axes.size(); k++) {
    const SweepAxis& axis = sweep.axes[k];
    if (!options.values().resolved(axis.option)) options.set(axis.option, "", axis.origin);
    const OptionSpec& row = row_of(rows, options.values(), axis);
    const bool is_number = row.type == OptionType::integer || row.type == OptionType::real;
    if (axis.values.empty() && !is_number && row.type != OptionType::integers) {
      throw value_error(fmt::format("{}: '{}' is {}, expected {{values = [...]}}, not an interval",
                                    axis.origin, axis.option, expected_values(row)));
    }
    options.set(axis.option, value_at(axis, row, point[k]), axis.origin);
  }
  for (const std::string& assignment : sweep.assignments) {
    options.set_assignment(assignment, "--set");
  }
  return options;
}

}  // namespace gallop
