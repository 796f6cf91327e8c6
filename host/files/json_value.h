#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gallop/host/variant.h>

namespace gallop {

// A JSON document: null, true or false, a number, a text, an array, or an object whose members keep
// the order that they were given in. The library that reads and writes its texts makes no tree
// here: its trees take memory where they are destroyed, and end the program where there is none.
class JsonValue {
 public:
  JsonValue() = default;
  JsonValue(bool value) : value_(value) {}
  JsonValue(std::signed_integral auto value) : value_(std::int64_t(value)) {}
  JsonValue(std::unsigned_integral auto value) : value_(std::uint64_t(value)) {}
  JsonValue(double value) : value_(value) {}  // null where it is not finite
  JsonValue(const char* value) : value_(std::string(value)) {}
  JsonValue(std::string value) : value_(std::move(value)) {}
  template <class T>
  JsonValue(const std::vector<T>& values) : value_(Array(values.begin(), values.end())) {}
  // What a text says; nothing where it is no JSON, or nested deeper than kDeepest. Of several
  // members of one name all stay, and the first is found.
  static std::optional<JsonValue> read(std::string_view text);
  static constexpr int kDeepest = 32;
  static JsonValue array() { return JsonValue(Array()); }
  static JsonValue object() { return JsonValue(Object()); }

  // The member of that name, made where there is none; null becomes an object.
  JsonValue& operator[](std::string_view name);
  // Null becomes an array.
  void push_back(JsonValue value);

  // The member of that name; null where there is none.
  const JsonValue* find(std::string_view name) const;
  std::optional<double> number() const;  // nothing for what is none
  const std::string* string() const;     // null for what is none

  // On one line, or over lines with that many blanks of indentation. Shortest numbers that read
  // back the same; bytes that are no UTF-8 become U+FFFD. Where `in_ascii`, all other characters
  // are escaped.
  std::string text(int indent = -1, bool in_ascii = false) const;

 private:
  using Array = std::vector<JsonValue>;
  using Object = std::vector<std::pair<std::string, JsonValue>>;
  friend class JsonWriter;
  friend class JsonReader;

  explicit JsonValue(Array value) : value_(std::move(value)) {}
  explicit JsonValue(Object value) : value_(std::move(value)) {}

  Variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object>
      value_;
};

}  // namespace gallop
