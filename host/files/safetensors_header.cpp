#include <gallop/host/files/safetensors_header.h>

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include <gallop/host/error.h>

namespace gallop {
namespace {

using Json = nlohmann::json;

std::optional<DType> dtype_named(std::string_view name) {
  for (const DType dtype :
       {DType::f32, DType::f64, DType::i64, DType::i32, DType::u64, DType::u32, DType::u8}) {
    if (name == dtype_name(dtype)) return dtype;
  }
  return std::nullopt;
}

// Takes the parser's events as they come, so that nothing is built that the format has no room for:
// the header is an object of objects, and only "shape" and "data_offsets" hold arrays, of natural
// numbers. Returning false stops the parser; what was wrong stays in `problem`.
class HeaderEvents : public nlohmann::json_sax<Json> {
 public:
  SafetensorsHeader header;
  std::string problem;

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_integer(Json::number_integer_t value) override {
    return unexpected(fmt::format("the number {}", value));
  }
  bool number_float(Json::number_float_t, const Json::string_t& text) override {
    return unexpected(fmt::format("the number {}", text.substr(0, 40)));
  }
  bool binary(Json::binary_t&) override { return unexpected("binary data"); }

  bool number_unsigned(Json::number_unsigned_t value) override {
    if (place_ == Place::shape) {
      if (entry_.shape.size() == kHighestRank) {
        return refuse(
            fmt::format("tensor '{}' has more than {} dimensions", entry_.name, kHighestRank));
      }
      entry_.shape.push_back(value);
      return true;
    }
    if (place_ == Place::offsets) {
      if (n_offsets_ == 2)
        return refuse(fmt::format("tensor '{}' has more than 2 offsets", entry_.name));
      (n_offsets_++ == 0 ? entry_.begin : entry_.end) = value;
      return true;
    }
    return unexpected(fmt::format("the number {}", value));
  }

  bool string(Json::string_t& value) override {
    if (place_ == Place::metadata) {
      header.metadata.emplace_back(std::move(metadata_key_), std::move(value));
      return true;
    }
    if (place_ == Place::tensor && field_ == "dtype") {
      const std::optional<DType> dtype = dtype_named(value);
      if (!dtype) {
        return refuse(
            fmt::format("tensor '{}' has the type '{}', expected one of F32 F64 I64 I32 U64 U32 U8",
                        entry_.name, printable(value)));
      }
      entry_.dtype = *dtype;
      return true;
    }
    return unexpected("a string");
  }

  bool start_object(size_t) override {
    if (place_ == Place::start) return enter(Place::top);
    if (place_ != Place::top) return unexpected("an object");
    return enter(in_metadata_ ? Place::metadata : Place::tensor);
  }

  bool key(Json::string_t& name) override {
    if (place_ == Place::top) return top_key(name);
    if (place_ == Place::metadata) return metadata_key(name);
    if (name != "dtype" && name != "shape" && name != "data_offsets") {
      return refuse(
          fmt::format("tensor '{}' has an unknown field '{}'", entry_.name, printable(name)));
    }
    field_ = name;
    return fields_.insert(field_).second ||
           refuse(fmt::format("tensor '{}' has the field '{}' twice", entry_.name, field_));
  }

  bool end_object() override {
    if (place_ == Place::top) return enter(Place::start);
    if (place_ == Place::tensor) {
      if (fields_.size() != 3 || n_offsets_ != 2) {
        return refuse(
            fmt::format("tensor '{}' lacks dtype, shape or two data_offsets", entry_.name));
      }
      header.tensors.push_back(std::move(entry_));
    }
    return enter(Place::top);
  }

  bool start_array(size_t) override {
    if (place_ == Place::tensor && field_ == "shape") return enter(Place::shape);
    if (place_ == Place::tensor && field_ == "data_offsets") return enter(Place::offsets);
    return unexpected("an array");
  }
  bool end_array() override { return enter(Place::tensor); }

  bool parse_error(size_t position, const std::string&, const Json::exception&) override {
    return refuse(fmt::format("malformed JSON at byte {} of the header", position));
  }

 private:
  enum class Place { start, top, metadata, tensor, shape, offsets };

  bool enter(Place place) {
    place_ = place;
    return true;
  }

  bool refuse(std::string what) {
    if (problem.empty()) problem = std::move(what);
    return false;
  }

  bool unexpected(const std::string& what) {
    return refuse(entry_.name.empty()
                      ? fmt::format("the header has {} where none belongs", what)
                      : fmt::format("near tensor '{}' the header has {} where none belongs",
                                    entry_.name, what));
  }

  static std::string printable(std::string_view text) {
    std::string result;
    for (const char c : text.substr(0, 40)) result += c >= 0x20 && c < 0x7f ? c : '?';
    return result;
  }

  bool metadata_key(std::string& name) {
    if (!is_tensor_name(name)) {
      return refuse(fmt::format("'{}' is not allowed as a metadata key", printable(name)));
    }
    if (metadata_keys_.size() == kMostTexts) {
      return refuse(fmt::format("there are more than {} metadata", kMostTexts));
    }
    metadata_key_ = name;
    return metadata_keys_.insert(std::move(name)).second ||
           refuse(fmt::format("the metadata key '{}' stands twice", metadata_key_));
  }

  bool top_key(std::string& name) {
    in_metadata_ = name == "__metadata__";
    if (in_metadata_) {
      if (seen_metadata_) return refuse("the metadata stand twice");
      seen_metadata_ = true;
      return true;
    }
    if (!is_tensor_name(name)) {
      return refuse(fmt::format("'{}' is not allowed as the name of a tensor", printable(name)));
    }
    if (header.tensors.size() == kMostTensors) {
      return refuse(fmt::format("there are more than {} tensors", kMostTensors));
    }
    entry_ = TensorEntry();
    entry_.name = std::move(name);
    fields_.clear();
    n_offsets_ = 0;
    return true;
  }

  Place place_ = Place::start;
  bool in_metadata_ = false;
  bool seen_metadata_ = false;
  std::string metadata_key_;
  std::set<std::string> metadata_keys_;
  TensorEntry entry_;
  std::string field_;
  std::set<std::string> fields_;
  int n_offsets_ = 0;
};

void check_layout(SafetensorsHeader& header, uint64_t data_size, std::string_view origin) {
  std::vector<TensorEntry>& tensors = header.tensors;
  std::vector<const TensorEntry*> by_name;
  for (const TensorEntry& entry : tensors) by_name.push_back(&entry);
  std::sort(by_name.begin(), by_name.end(), [](auto* a, auto* b) { return a->name < b->name; });
  for (size_t i = 1; i < by_name.size(); ++i) {
    if (by_name[i]->name == by_name[i - 1]->name) {
      throw checkpoint_error(fmt::format("{}: tensor '{}' stands twice", origin, by_name[i]->name));
    }
  }
  std::sort(tensors.begin(), tensors.end(), [](const TensorEntry& a, const TensorEntry& b) {
    if (a.begin != b.begin) return a.begin < b.begin;
    return a.end != b.end ? a.end < b.end : a.name < b.name;
  });
  uint64_t at = 0;
  for (const TensorEntry& entry : tensors) {
    uint64_t bytes = 0;
    if (!tensor_bytes(entry.dtype, entry.shape, bytes)) {
      throw checkpoint_error(fmt::format("{}: tensor '{}' has the shape {}, which is too large",
                                         origin, entry.name, shape_text(entry.shape)));
    }
    if (entry.begin != at || entry.end < entry.begin || entry.end - entry.begin != bytes ||
        entry.end > data_size) {
      throw checkpoint_error(
          fmt::format("{}: tensor '{}' lies at bytes {} to {}, expected {} bytes from {} within {}",
                      origin, entry.name, entry.begin, entry.end, bytes, at, data_size));
    }
    at = entry.end;
  }
  if (at != data_size) {
    throw checkpoint_error(
        fmt::format("{}: {} bytes follow the header, its tensors have {}; the file is cut "
                    "or has something appended",
                    origin, data_size, at));
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, uint64_t data_size,
                                           std::string_view origin) {
  // The parser skips a byte order mark and takes a NUL for the end; the format knows neither.
  if (!json.starts_with('{') || json.find('\0') != std::string_view::npos) {
    throw checkpoint_error(fmt::format("{}: the header is not a JSON object", origin));
  }
  HeaderEvents events;
  if (!Json::sax_parse(json.begin(), json.end(), &events) || !events.problem.empty()) {
    throw checkpoint_error(fmt::format("{}: {}", origin, events.problem));
  }
  check_layout(events.header, data_size, origin);
  return std::move(events.header);
}

}  // namespace gallop
