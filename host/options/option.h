#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/variant.h>

namespace gallop {

enum class OptionType { integer, real, boolean, text, choice, integers };

inline constexpr double kUnbounded = std::numeric_limits<double>::infinity();

// The default of a row as it stands in a table: a number, true or false, or text, which is read as
// a value that is given is ("64,64" for a list).
class OptionDefault {
 public:
  constexpr OptionDefault(const char* text) : kind_(Kind::text), text_(text) {}
  constexpr OptionDefault(bool value) : kind_(Kind::boolean), integer_(value) {}
  constexpr OptionDefault(std::integral auto value) : kind_(Kind::integer), integer_(value) {}
  constexpr OptionDefault(double value) : kind_(Kind::real), real_(value) {}

  std::string text() const;

 private:
  enum class Kind { text, boolean, integer, real };

  Kind kind_;
  const char* text_ = "";
  int64_t integer_ = 0;
  double real_ = 0;
};

// One row of an options table: the only source of an option's default, validation, help, dump and
// documentation. A name is snake_case; one dot in it ("parameters.gravity") puts it into a TOML
// table. Limits are inclusive; for a list of integers they hold for each element. The texts must
// outlive every Options made from the row (string literals do).
struct OptionSpec {
  const char* name = "";
  OptionType type = OptionType::text;
  OptionDefault default_value = "";
  double min = -kUnbounded;
  double max = kUnbounded;
  const char* choices = nullptr;  // comma separated; only for OptionType::choice
  const char* unit = "";
  const char* help = "";
  // Of a list: how many elements it may have, and what they are.
  int most = 64;
  const char* elements = "integers";
};

using OptionValue = Variant<int64_t, double, bool, std::string, std::vector<int64_t>>;

struct TomlEntry;  // host/options/toml_document.h

// Where two sets of options disagree.
struct OptionDifference {
  std::string name;
  std::string mine;    // empty where this set does not know the name
  std::string theirs;  // empty where the other set does not know the name
};

// The options of one run: a table of rows and a validated value for each. Values come in layers:
// what is set later wins. A call that throws leaves the object as it was. Not thread-safe while
// being changed.
class Options {
 public:
  Options() = default;
  explicit Options(std::span<const OptionSpec> table) { add(table); }

  // Appends rows with their defaults. Throws an internal error for a broken row: a name given twice
  // or not snake_case, a default outside its own limits.
  void add(std::span<const OptionSpec> table);

  // The row that a person means by `name`: capitals count as small letters, hyphens as underscores,
  // and the "parameters." of "parameters.gravity" may be left out where no other row is called
  // "gravity". Nothing where there is no such row.
  std::optional<std::string> resolved(std::string_view name) const;

  // What stands behind "unknown option 'x'" in messages; the nearest names unless it is set.
  using Explanation = std::function<std::string(const Options&, std::string_view name)>;
  void explain_unknown(Explanation explanation) { explanation_ = std::move(explanation); }

  // Sets one option from text, by any name that `resolved` knows. `origin` says where the text came
  // from ("--set", "ppo.toml:3") and stands in messages. Throws a usage error for an unknown name,
  // a value error for text that is not a value of the type or not in its range.
  void set(std::string_view name, std::string_view text, std::string_view origin);

  // The same, from "name=value".
  void set_assignment(std::string_view assignment, std::string_view origin);

  // Sets every option named in a TOML document of at most 1 MiB and a depth of 32. A value is taken
  // as `set` takes its text. Throws as `set` does, and a value error with line and column for
  // malformed text and for an option that is given twice.
  void apply_toml(std::string_view toml, std::string_view origin);

  // Sets one option from a value that was read from a document; throws as apply_toml does.
  void apply_entry(const TomlEntry& entry);

  // Getters throw an internal error where the table has no such option of that type.
  int64_t integer(std::string_view name) const;
  double real(std::string_view name) const;
  bool flag(std::string_view name) const;
  const std::string& text(std::string_view name) const;  // text and choice
  const std::vector<int64_t>& integers(std::string_view name) const;

  bool has(std::string_view name) const { return find(name) != nullptr; }
  // "default", or the origin that the value was set with.
  const std::string& origin(std::string_view name) const;
  // The value as text that `set` takes back to the same value, bit for bit.
  std::string value_text(std::string_view name) const;
  // Likewise the default of its row.
  std::string default_text(std::string_view name) const;
  std::vector<std::string> names() const;
  std::vector<OptionSpec> rows() const;

  // Every option with its value, in the order of the table; equal values give equal bytes, and
  // apply_toml gives back equal values.
  std::string to_toml() const;

  // One paragraph an option: name, type, default, range, unit, help.
  std::string help_text() const;

  // The options whose values differ, or that only one side knows, in the order of this table.
  std::vector<OptionDifference> difference(const Options& other) const;

 private:
  struct Entry {
    OptionSpec spec;
    OptionValue value;
    std::string origin;
    std::string_view name;  // of the row
  };

  const Entry* find(std::string_view name) const;
  int meant(std::string_view name) const;  // index of the row, negative for none
  const Entry& require(std::string_view name, const char* type) const;
  Entry& known(std::string_view name, std::string_view origin);

  std::vector<Entry> entries_;
  Explanation explanation_;
};

// "name=value"; throws a usage error for anything else. The views are into the argument.
struct Assignment {
  std::string_view name, text;
};
Assignment split_assignment(std::string_view assignment, std::string_view origin);

// The flag of an option: "--eval-episodes", "--gravity" for "parameters.gravity".
std::string flag_of(std::string_view name);

// The names of the rows without their tables: "gravity" for "parameters.gravity".
std::vector<std::string> short_names(const Options& options);

}  // namespace gallop
