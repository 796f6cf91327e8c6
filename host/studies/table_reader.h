#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/options/toml_document.h>
#include <gallop/host/options/toml_library.h>

namespace gallop {

constexpr std::size_t kMostTables = 64;  // of an array of tables

// Whether a row of a run is decided by a study itself: it cannot be one of its options.
bool is_own_row(std::string_view name);
// Equal for all names of an option: "gravity", "Gravity", "parameters.gravity".
std::string option_key(std::string_view name);

// Reads one table of a study; every key has to be asked for. What does not fit throws a value error
// that names file, line and key. `what` follows the key in messages: " of a variant".
class TableReader {
 public:
  // References outlive the reader.
  TableReader(const toml::table& table, std::string_view origin, std::string what)
      : table_(table), origin_(origin), what_(std::move(what)) {}

  std::string place(const toml::node& node) const;  // "file:line"
  std::string place() const { return place(table_); }

  const toml::node* find(const char* key);
  [[noreturn]] void refuse(const toml::node& node, const char* key,
                           const std::string& expected) const;

  std::string text(const char* key, const std::string& fallback);
  std::string choice(const char* key, const std::string& fallback,
                     const std::vector<std::string>& choices);
  // An array of strings, or a single string; empty where there is none.
  std::vector<std::string> texts(const char* key);
  // An array of integers within [low, high], each once; empty where there is none.
  std::vector<std::int64_t> integers(const char* key, double low, double high);
  std::optional<double> number(const char* key, double low, double high);
  std::int64_t integer(const char* key, std::int64_t fallback, double low, double high);
  const toml::table* table(const char* key);
  std::vector<const toml::table*> tables(const char* key);

  // Everything that was not asked for, as options; tables inside are names with a dot.
  std::vector<TomlEntry> options() const;
  // Throws a usage error with the nearest keys where there is something that was not asked for.
  void refuse_unknown_keys() const;

 private:
  TomlEntry option(std::string name, const toml::node& node) const;
  bool is_known(const std::string& name) const;

  const toml::table& table_;
  std::string origin_, what_;
  std::vector<std::string> known_;
};

}  // namespace gallop
