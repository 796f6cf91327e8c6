#include <gallop/host/files/json_value.h>

#include <nlohmann/json.hpp>

#include <gallop/host/error.h>

namespace gallop {

class JsonWriter {
 public:
  JsonWriter(int indent, bool in_ascii) : indent_(indent), in_ascii_(in_ascii) {}

  std::string written(const JsonValue& value) {
    write(value, 0);
    return std::move(text_);
  }

 private:
  void write(const JsonValue& value, int depth) {
    std::visit([&](const auto& held) { write_held(held, depth); }, value.value_);
  }
  void write_held(std::monostate, int) { text_ += "null"; }
  void write_held(const JsonValue::Array& values, int depth) {
    begin('[');
    for (const JsonValue& value : values) {
      begin_element(&value == &values.front(), depth + 1);
      write(value, depth + 1);
    }
    end(']', values.empty(), depth);
  }
  void write_held(const JsonValue::Object& members, int depth) {
    begin('{');
    for (const auto& member : members) {
      begin_element(&member == &members.front(), depth + 1);
      write_held(member.first, depth);
      text_ += indent_ < 0 ? ":" : ": ";
      write(member.second, depth + 1);
    }
    end('}', members.empty(), depth);
  }
  template <class Scalar>
  void write_held(const Scalar& scalar, int) {
    text_ +=
        nlohmann::json(scalar).dump(-1, ' ', in_ascii_, nlohmann::json::error_handler_t::replace);
  }

  void begin(char bracket) { text_ += bracket; }
  void begin_element(bool is_first, int depth) {
    if (!is_first) text_ += ',';
    new_line(depth);
  }
  void end(char bracket, bool is_empty, int depth) {
    if (!is_empty) new_line(depth);
    text_ += bracket;
  }
  void new_line(int depth) {
    if (indent_ < 0) return;
    text_ += '\n';
    text_.append(std::size_t(indent_) * std::size_t(depth), ' ');
  }

  int indent_;
  bool in_ascii_;
  std::string text_;
};

// What the parser meets, made into values. Each event returns whether to go on.
class JsonReader {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  bool null() { return put(JsonValue()); }
  bool boolean(bool value) { return put(value); }
  bool number_integer(number_integer_t value) { return put(value); }
  bool number_unsigned(number_unsigned_t value) { return put(value); }
  bool number_float(number_float_t value, const string_t&) { return put(value); }
  bool string(string_t& value) { return put(std::move(value)); }
  bool binary(binary_t&) { return false; }
  bool start_object(std::size_t) { return open(JsonValue::object()); }
  bool start_array(std::size_t) { return open(JsonValue::array()); }
  bool key(string_t& name) {
    open_.back().name = std::move(name);
    return true;
  }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) {
    return false;
  }

  JsonValue result;

 private:
  struct Open {
    JsonValue value;
    std::string name;  // of the member that comes next
  };

  bool open(JsonValue value) {
    if (int(open_.size()) == JsonValue::kDeepest) return false;
    open_.push_back({std::move(value), ""});
    return true;
  }
  bool close() {
    JsonValue value = std::move(open_.back().value);
    open_.pop_back();
    return put(std::move(value));
  }
  bool put(JsonValue value) {
    if (open_.empty()) {
      result = std::move(value);
    } else if (auto* values = std::get_if<JsonValue::Array>(&open_.back().value.value_)) {
      values->push_back(std::move(value));
    } else {  // without a look at the others, of which a text may have a million
      std::get<JsonValue::Object>(open_.back().value.value_)
          .emplace_back(std::move(open_.back().name), std::move(value));
    }
    return true;
  }

  std::vector<Open> open_;
};

std::optional<JsonValue> JsonValue::read(std::string_view text) {
  JsonReader reader;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &reader)) return std::nullopt;
  return std::move(reader.result);
}

JsonValue& JsonValue::operator[](std::string_view name) {
  if (std::holds_alternative<std::monostate>(value_)) value_ = Object();
  Object* members = std::get_if<Object>(&value_);
  if (members == nullptr) throw internal_error("a member of a JSON value that is no object");
  for (auto& [known, value] : *members) {
    if (known == name) return value;
  }
  return members->emplace_back(std::string(name), JsonValue()).second;
}

void JsonValue::push_back(JsonValue value) {
  if (std::holds_alternative<std::monostate>(value_)) value_ = Array();
  Array* values = std::get_if<Array>(&value_);
  if (values == nullptr) throw internal_error("an element of a JSON value that is no array");
  values->push_back(std::move(value));
}

const JsonValue* JsonValue::find(std::string_view name) const {
  const Object* members = std::get_if<Object>(&value_);
  if (members == nullptr) return nullptr;
  for (const auto& [known, value] : *members) {
    if (known == name) return &value;
  }
  return nullptr;
}

std::optional<double> JsonValue::number() const {
  if (const auto* integer = std::get_if<std::int64_t>(&value_)) return double(*integer);
  if (const auto* integer = std::get_if<std::uint64_t>(&value_)) return double(*integer);
  if (const auto* real = std::get_if<double>(&value_)) return *real;
  return std::nullopt;
}

const std::string* JsonValue::string() const { return std::get_if<std::string>(&value_); }

std::string JsonValue::text(int indent, bool in_ascii) const {
  return JsonWriter(indent, in_ascii).written(*this);
}

}  // namespace gallop
