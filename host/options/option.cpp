#include <gallop/host/options/option.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/option_value.h>
#include <gallop/host/options/synonyms.h>
#include <gallop/host/options/toml_document.h>
#include <gallop/host/options/utf8.h>

namespace gallop {
namespace {

const char* type_name(OptionType type) {
  switch (type) {
    case OptionType::integer:
      return "integer";
    case OptionType::real:
      return "real";
    case OptionType::boolean:
      return "boolean";
    case OptionType::text:
      return "text";
    case OptionType::choice:
      return "choice";
    case OptionType::integers:
      return "integers";
    case OptionType::assignments:
      return "assignments";
  }
  return "unknown";
}

bool well_formed_name(std::string_view name) {
  int dots = 0;
  char previous = '.';
  for (const char c : name) {
    const bool letter = c >= 'a' && c <= 'z';
    const bool inner = (c >= '0' && c <= '9') || c == '_' || c == '.';
    if (!letter && (!inner || previous == '.')) return false;
    if (c == '.') ++dots;
    previous = c;
  }
  return !name.empty() && previous != '.' && dots <= 1;
}

std::string_view leaf_of(std::string_view name) { return name.substr(name.find('.') + 1); }

std::string summary_of(const OptionSpec& spec) {
  std::string result = spec.help;
  const std::string text = spec.default_value.text();
  const std::string fallback = text.empty() ? "empty" : text;
  result += fmt::format(" [{}", expected_values(spec));
  if (spec.unit[0] != '\0') result += fmt::format("; {}", spec.unit);
  return result + fmt::format("; default {}]", fallback);
}

}  // namespace

std::string OptionDefault::text() const {
  switch (kind_) {
    case Kind::text:
      return text_;
    case Kind::boolean:
      return integer_ != 0 ? "true" : "false";
    case Kind::integer:
      return std::to_string(integer_);
    case Kind::real:
      return fmt::format("{}", real_);
  }
  return "";
}

void Options::add(std::span<const OptionSpec> table) {
  std::vector<Entry> entries = entries_;
  for (const OptionSpec& spec : table) {
    if (!well_formed_name(spec.name)) {
      throw internal_error(fmt::format("options table: '{}' is not a snake_case name", spec.name));
    }
    for (const Entry& entry : entries) {
      if (entry.name == spec.name) {
        throw internal_error(fmt::format("options table: '{}' stands in it twice", spec.name));
      }
    }
    try {
      entries.push_back(
          {spec, parse_option(spec, spec.default_value.text(), "default"), "default", spec.name});
    } catch (const Error& error) {
      throw internal_error(fmt::format("options table: {}", error.what()));
    }
  }
  entries_ = std::move(entries);
}

const Options::Entry* Options::find(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (name == entry.name) return &entry;
  }
  return nullptr;
}

const Options::Entry& Options::require(std::string_view name, const char* type) const {
  const Entry* entry = find(name);
  if (entry == nullptr) throw internal_error(fmt::format("no option '{}' in the table", name));
  if (type != nullptr && std::string_view(type) != type_name(entry->spec.type)) {
    const bool text =
        (entry->spec.type == OptionType::choice || entry->spec.type == OptionType::assignments) &&
        std::string_view(type) == "text";
    if (!text) {
      throw internal_error(fmt::format("option '{}' is of type {}, read as {}", name,
                                       type_name(entry->spec.type), type));
    }
  }
  return *entry;
}

// An exact name wins over the last part of another.
int Options::meant(std::string_view name) const {
  const std::string wanted = folded_name(name);
  int found = -1;
  for (int i = 0; i < int(entries_.size()); ++i) {
    const std::string_view row = entries_[size_t(i)].name;
    if (row == wanted) return i;
    if (leaf_of(row) == wanted) found = found == -1 ? i : -2;
    const bool assigns = entries_[size_t(i)].spec.type == OptionType::assignments;
    if (assigns && wanted.starts_with(std::string(row) + ".")) return i;
  }
  return found;
}

std::optional<std::string> Options::resolved(std::string_view name) const {
  const int row = meant(name);
  return row < 0 ? std::nullopt : std::optional<std::string>(entries_[size_t(row)].spec.name);
}

Options::Entry& Options::known(std::string_view name, std::string_view origin) {
  const int row = meant(name);
  if (row >= 0) return entries_[size_t(row)];
  const bool full = name.find('.') != std::string_view::npos;
  throw usage_error(fmt::format("unknown option {} ({}){}", in_quotes(name), origin,
                                explanation_
                                    ? explanation_(*this, name)
                                    : what_is_meant(name, full ? names() : short_names(*this))));
}

void Options::set(std::string_view name, std::string_view text, std::string_view origin) {
  set_entry(known(name, origin), name, text, origin);
}

void Options::set_entry(Entry& entry, std::string_view name, std::string_view text,
                        std::string_view origin) {
  if (entry.spec.type == OptionType::assignments) {
    const size_t dot = name.find('.');
    const bool of_one = dot != std::string_view::npos;
    const std::string given =
        of_one ? fmt::format("{}={}", folded_name(name.substr(dot + 1)), text) : std::string(text);
    entry.value =
        changed_assignments(entry.spec, std::get<std::string>(entry.value), given, origin);
  } else {
    entry.value = parse_option(entry.spec, text, origin);
  }
  entry.origin = std::string(origin);
}

void Options::set_assignment(std::string_view assignment, std::string_view origin) {
  const Assignment parts = split_assignment(assignment, origin);
  set(parts.name, parts.text, origin);
}

void Options::apply_toml(std::string_view toml, std::string_view origin) {
  Options changed = *this;
  std::map<std::string, std::string> places;  // where each was given
  for (const TomlEntry& entry : read_toml(toml, origin)) {
    changed.apply_entry(entry);
    const Entry& row = changed.entries_[size_t(changed.meant(entry.name))];
    std::string& place =
        places[row.spec.type == OptionType::assignments ? folded_name(entry.name) : row.spec.name];
    if (!place.empty()) {
      throw value_error(fmt::format("option {} is given twice ({} and {}); leave one of them out",
                                    in_quotes(entry.name), place, entry.origin));
    }
    place = entry.origin;
  }
  *this = std::move(changed);
}

void Options::apply_entry(const TomlEntry& toml_entry) {
  Entry& entry = known(toml_entry.name, toml_entry.origin);
  const bool array = std::holds_alternative<std::vector<int64_t>>(toml_entry.value);
  if (array && entry.spec.type != OptionType::integers) {
    refuse_option(entry.spec, option_toml(toml_entry.value), toml_entry.origin);
  }
  const double* const real = std::get_if<double>(&toml_entry.value);
  if (real != nullptr && entry.spec.type == OptionType::integer &&
      std::fabs(*real) >= kExactIntegers) {
    refuse_option(entry.spec, option_toml(toml_entry.value), toml_entry.origin);
  }
  set_entry(entry, toml_entry.name, option_text(toml_entry.value), toml_entry.origin);
}

int64_t Options::integer(std::string_view name) const {
  return std::get<int64_t>(require(name, "integer").value);
}
double Options::real(std::string_view name) const {
  return std::get<double>(require(name, "real").value);
}
bool Options::flag(std::string_view name) const {
  return std::get<bool>(require(name, "boolean").value);
}
const std::string& Options::text(std::string_view name) const {
  return std::get<std::string>(require(name, "text").value);
}
const std::vector<int64_t>& Options::integers(std::string_view name) const {
  return std::get<std::vector<int64_t>>(require(name, "integers").value);
}

const std::string& Options::origin(std::string_view name) const {
  return require(name, nullptr).origin;
}

std::string Options::value_text(std::string_view name) const {
  return option_text(require(name, nullptr).value);
}

std::string Options::default_text(std::string_view name) const {
  const OptionSpec& spec = require(name, nullptr).spec;
  return option_text(parse_option(spec, spec.default_value.text(), "default"));
}

std::vector<std::string> Options::names() const {
  std::vector<std::string> result;
  for (const Entry& entry : entries_) result.emplace_back(entry.spec.name);
  return result;
}

std::vector<OptionSpec> Options::rows() const {
  std::vector<OptionSpec> result;
  for (const Entry& entry : entries_) result.push_back(entry.spec);
  return result;
}

std::string Options::to_toml() const {
  std::string result;
  std::vector<std::string> tables;
  for (const Entry& entry : entries_) {
    const std::string_view name = entry.spec.name;
    const size_t dot = name.find('.');
    if (entry.spec.type == OptionType::assignments) continue;
    if (dot == std::string_view::npos) {
      result += fmt::format("{} = {}\n", name, option_toml(entry.value));
    } else if (std::find(tables.begin(), tables.end(), name.substr(0, dot)) == tables.end()) {
      tables.emplace_back(name.substr(0, dot));
    }
  }
  for (const std::string& table : tables) {
    result += fmt::format("{}[{}]\n", result.empty() ? "" : "\n", table);
    for (const Entry& entry : entries_) {
      const std::string_view name = entry.spec.name;
      if (name.starts_with(table + ".")) {
        result += fmt::format("{} = {}\n", name.substr(table.size() + 1), option_toml(entry.value));
      }
    }
  }
  for (const Entry& entry : entries_) {
    if (entry.spec.type != OptionType::assignments) continue;
    const std::vector<Assigned> all = assigned(std::get<std::string>(entry.value));
    if (all.empty()) continue;
    result += fmt::format("{}[{}]\n", result.empty() ? "" : "\n", entry.spec.name);
    for (const Assigned& one : all) result += fmt::format("{} = \"{}\"\n", one.name, one.text);
  }
  return result;
}

std::string Options::help_text() const {
  size_t width = 0;
  for (const Entry& entry : entries_)
    width = std::max(width, std::string_view(entry.spec.name).size());
  std::string result;
  for (const Entry& entry : entries_) {
    result += fmt::format("  {:<{}}  {}\n", entry.spec.name, width, summary_of(entry.spec));
  }
  return result;
}

std::vector<OptionDifference> Options::difference(const Options& other) const {
  std::vector<OptionDifference> result;
  for (const Entry& entry : entries_) {
    const Entry* match = other.find(entry.spec.name);
    if (match != nullptr && match->value == entry.value) continue;
    result.push_back({entry.spec.name, option_text(entry.value),
                      match == nullptr ? "" : option_text(match->value)});
  }
  for (const Entry& entry : other.entries_) {
    if (!has(entry.spec.name)) result.push_back({entry.spec.name, "", option_text(entry.value)});
  }
  return result;
}

std::string flag_of(std::string_view name) {
  std::string flag = "--" + std::string(leaf_of(name));
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

Assignment split_assignment(std::string_view assignment, std::string_view origin) {
  const size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw usage_error(fmt::format("{} ({}) is not an assignment, expected key=value",
                                  in_quotes(assignment), origin));
  }
  return {assignment.substr(0, equals), assignment.substr(equals + 1)};
}

std::vector<std::string> short_names(const Options& options) {
  std::vector<std::string> result = options.names();
  for (std::string& name : result) name = leaf_of(name);
  return result;
}

}  // namespace gallop
