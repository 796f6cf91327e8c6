#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gallop {

// A message in protobuf's wire format, field by field.
class ProtobufMessage {
 public:
  void add_integer(std::uint32_t field, std::uint64_t value) {
    add_key(field, 0);
    add_varint(value);
  }
  void add_double(std::uint32_t field, double value) {
    add_key(field, 1);
    add_little_endian(std::bit_cast<std::uint64_t>(value));
  }
  void add_bytes(std::uint32_t field, std::string_view bytes) {
    add_key(field, 2);
    add_varint(bytes.size());
    text_ += bytes;
  }
  void add_message(std::uint32_t field, const ProtobufMessage& message) {
    add_bytes(field, message.text_);
  }
  void add_float(std::uint32_t field, float value) {
    add_key(field, 5);
    add_little_endian(std::bit_cast<std::uint32_t>(value));
  }

  const std::string& text() const { return text_; }

 private:
  // A field's number with its wire type: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.
  void add_key(std::uint32_t field, std::uint32_t wire_type) {
    add_varint(std::uint64_t{field} << 3 | wire_type);
  }
  void add_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) text_ += static_cast<char>(value | 0x80);
    text_ += static_cast<char>(value);
  }
  template <class T>
  void add_little_endian(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) text_ += static_cast<char>(value >> (8 * i) & 0xff);
  }

  std::string text_;
};

}  // namespace gallop
