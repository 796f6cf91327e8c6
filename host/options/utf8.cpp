#include <gallop/host/options/utf8.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace gallop {
namespace {

// Bytes that follow a lead byte, or -1 for a byte that leads nothing.
int following_bytes(unsigned char lead) {
  if (lead < 0x80) return 0;
  if (lead >= 0xc2 && lead < 0xe0) return 1;
  if (lead >= 0xe0 && lead < 0xf0) return 2;
  if (lead >= 0xf0 && lead < 0xf5) return 3;
  return -1;
}

// Bytes of the character that `text` begins with, 0 where it begins with none.
size_t character_length(std::string_view text) {
  constexpr uint32_t kSmallest[4] = {0, 0x80, 0x800, 0x10000};
  const auto lead = static_cast<unsigned char>(text[0]);
  const int following = following_bytes(lead);
  if (following < 0 || text.size() <= static_cast<size_t>(following)) return 0;
  uint32_t code = following == 0 ? lead : lead & (0x3fu >> following);
  for (int i = 1; i <= following; ++i) {
    const auto byte = static_cast<unsigned char>(text[static_cast<size_t>(i)]);
    if ((byte & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte & 0x3fu);
  }
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code < kSmallest[following] || surrogate || code > 0x10ffff) return 0;
  return static_cast<size_t>(following) + 1;
}

// The controls of ASCII and those of two bytes, U+0080 to U+009F.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = character_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

const char* other_encoding(std::string_view text) {
  using namespace std::string_view_literals;
  if (text.starts_with("\xff\xfe\0\0"sv) || text.starts_with("\0\0\xfe\xff"sv)) return "UTF-32";
  if (text.starts_with("\xff\xfe"sv) || text.starts_with("\xfe\xff"sv)) return "UTF-16";
  // Without a mark: every second byte of what is written in Latin letters is 0.
  const std::string_view begin = text.substr(0, 64);
  size_t zeros[2] = {0, 0};
  for (size_t i = 0; i < begin.size(); ++i) zeros[i % 2] += begin[i] == '\0';
  const size_t pairs = begin.size() / 2;
  const bool one_side = (zeros[0] == 0) != (zeros[1] == 0);
  return pairs >= 2 && one_side && 4 * (zeros[0] + zeros[1]) >= 3 * pairs ? "UTF-16" : nullptr;
}

std::string in_quotes(std::string_view text, size_t limit) {
  std::string result = "'";
  while (!text.empty() && result.size() <= limit) {
    const size_t length = character_length(text);
    if (length == 0 || is_control(text.substr(0, length))) {
      for (const char c : text.substr(0, std::max<size_t>(length, 1))) {
        result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      }
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return result + (text.empty() ? "'" : "...'");
}

}  // namespace gallop
