#include <gallop/host/studies/table_reader.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>

namespace gallop {
namespace {

constexpr std::string_view kOwnRows[] = {"environment", "algorithm", "seed", "device", "threads"};

}  // namespace

bool is_own_row(std::string_view given) {
  const std::string name = folded_name(given);
  return std::find(std::begin(kOwnRows), std::end(kOwnRows), name) != std::end(kOwnRows);
}

std::string option_key(std::string_view name) {
  constexpr std::string_view kTable = "parameters.";
  const std::string folded = folded_name(name);
  return folded.starts_with(kTable) ? folded.substr(kTable.size()) : folded;
}

bool TableReader::is_known(const std::string& name) const {
  return std::find(known_.begin(), known_.end(), name) != known_.end();
}

std::string TableReader::place(const toml::node& node) const {
  return fmt::format("{}:{}", origin_, node.source().begin.line);
}

const toml::node* TableReader::find(const char* key) {
  known_.emplace_back(key);
  return table_.get(key);
}

void TableReader::refuse(const toml::node& node, const char* key,
                         const std::string& expected) const {
  throw value_error(fmt::format("{}: '{}'{} is {}, expected {}", place(node), key, what_,
                                toml_kind(node), expected));
}

std::string TableReader::text(const char* key, const std::string& fallback) {
  const toml::node* node = find(key);
  if (node == nullptr) return fallback;
  if (!node->is_string()) refuse(*node, key, "a string");
  return std::get<std::string>(toml_entry(key, *node, origin_).value);
}

std::string TableReader::choice(const char* key, const std::string& fallback,
                                const std::vector<std::string>& choices) {
  const std::string value = text(key, fallback);
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return value;
  std::string list;
  for (const std::string& one : choices) list += (list.empty() ? "" : ", ") + one;
  throw value_error(fmt::format("{}: '{}' is '{}', expected one of {}{}", place(*find(key)), key,
                                value, list, did_you_mean(value, choices)));
}

std::vector<std::string> TableReader::texts(const char* key) {
  const toml::node* node = find(key);
  if (node == nullptr) return {};
  if (node->is_string()) return {text(key, "")};
  if (!node->is_array()) refuse(*node, key, "a string or an array of strings");
  std::vector<std::string> result;
  for (const toml::node& element : *node->as_array()) {
    if (!element.is_string()) refuse(element, key, "an array of strings");
    result.push_back(std::get<std::string>(toml_entry(key, element, origin_).value));
  }
  if (result.empty() || result.size() > kMostTables) {
    throw value_error(fmt::format("{}: '{}'{} has {} names, expected 1 to {}", place(*node), key,
                                  what_, result.size(), kMostTables));
  }
  return result;
}

std::vector<std::int64_t> TableReader::integers(const char* key, double low, double high) {
  const toml::node* node = find(key);
  if (node == nullptr) return {};
  if (!node->is_array()) refuse(*node, key, "an array of whole numbers");
  std::vector<std::int64_t> result;
  for (const toml::node& element : *node->as_array()) {
    if (!element.is_integer()) refuse(element, key, "an array of whole numbers");
    const std::int64_t value = element.as_integer()->get();
    const bool again = std::find(result.begin(), result.end(), value) != result.end();
    if (again || double(value) < low || double(value) > high) {
      throw value_error(fmt::format("{}: '{}'{} has {}{}, expected numbers in [{}, {}], each once",
                                    place(element), key, what_, value, again ? " twice" : "", low,
                                    high));
    }
    result.push_back(value);
  }
  if (result.empty() || result.size() > kMostTables) {
    throw value_error(fmt::format("{}: '{}'{} has {} numbers, expected 1 to {}", place(*node), key,
                                  what_, result.size(), kMostTables));
  }
  return result;
}

std::optional<double> TableReader::number(const char* key, double low, double high) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  double value = std::nan("");
  if (node->is_integer()) value = double(node->as_integer()->get());
  if (node->is_floating_point()) value = node->as_floating_point()->get();
  if (value >= low && value <= high) return value;
  if (!node->is_number()) refuse(*node, key, "a number");
  throw value_error(fmt::format("{}: '{}'{} is {}, expected a finite number in [{}, {}]",
                                place(*node), key, what_, value, low, high));
}

std::int64_t TableReader::integer(const char* key, std::int64_t fallback, double low, double high) {
  const std::optional<double> value = number(key, low, high);
  if (!value) return fallback;
  if (std::trunc(*value) != *value) {
    throw value_error(fmt::format("{}: '{}'{} is {}, expected a whole number", place(*find(key)),
                                  key, what_, *value));
  }
  return std::int64_t(*value);
}

const toml::table* TableReader::table(const char* key) {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) refuse(*node, key, "a table");
  return node->as_table();
}

std::vector<const toml::table*> TableReader::tables(const char* key) {
  std::vector<const toml::table*> result;
  const toml::node* node = find(key);
  if (node == nullptr) return result;
  if (!node->is_array()) refuse(*node, key, "an array of tables");
  for (const toml::node& element : *node->as_array()) {
    if (!element.is_table()) refuse(element, key, "an array of tables");
    result.push_back(element.as_table());
  }
  if (result.empty() || result.size() > kMostTables) {
    throw value_error(fmt::format("{}: '{}' has {} tables, expected 1 to {}", place(*node), key,
                                  result.size(), kMostTables));
  }
  return result;
}

std::vector<TomlEntry> TableReader::options() const {
  std::vector<TomlEntry> result;
  const auto add = [&](std::string name, const toml::node& node) {
    for (const TomlEntry& other : result) {
      if (option_key(other.name) != option_key(name)) continue;
      throw value_error(fmt::format("{}: '{}'{} is given twice, before as '{}' ({})", place(node),
                                    name, what_, other.name, other.origin));
    }
    result.push_back(option(std::move(name), node));
  };
  for (const auto& [key, node] : table_) {
    const std::string name(key.str());
    if (is_known(name)) continue;
    if (const toml::table* inner = node.as_table()) {
      for (const auto& [inner_key, value] : *inner) {
        add(name + "." + std::string(inner_key.str()), value);
      }
    } else {
      add(name, node);
    }
  }
  return result;
}

void TableReader::refuse_unknown_keys() const {
  for (const auto& [key, node] : table_) {
    const std::string name(key.str());
    if (is_known(name)) continue;
    throw usage_error(fmt::format("{}: unknown key '{}'{}{}", place(node), name.substr(0, 80),
                                  what_, did_you_mean(name, known_)));
  }
}

TomlEntry TableReader::option(std::string name, const toml::node& node) const {
  if (is_own_row(name)) {
    throw value_error(fmt::format(
        "{}: '{}'{} is not an option of a run here; environments, algorithms and seeds have "
        "keys of their own, device and threads are flags",
        place(node), name, what_));
  }
  return toml_entry(std::move(name), node, origin_);
}

}  // namespace gallop
