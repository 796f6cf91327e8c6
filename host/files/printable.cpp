#include <gallop/host/files/printable.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include <gallop/host/options/utf8.h>

namespace gallop {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr std::string_view kPlainInShells = "_-./:=@%+,";

// Bytes of the character at the front, 0 where there is none in UTF-8.
size_t character_length(std::string_view text) {
  for (size_t n = 1; n <= std::min<size_t>(4, text.size()); ++n) {
    if (is_utf8(text.substr(0, n))) return n;
  }
  return 0;
}

uint32_t code_of(std::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0);
  uint32_t code = byte(0) & (0xffu >> (character.size() + 1));
  for (size_t i = 1; i < character.size(); ++i) code = code << 6 | (byte(i) & 0x3fu);
  return code;
}

// What a terminal obeys in place of showing it: C0, DEL, C1, and the marks of bidirectional text.
bool is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c ||
         (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

bool is_plain_in_shells(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kPlainInShells.find(c) != std::string_view::npos;
}

}  // namespace

std::string printable(std::string_view text, bool keeps_breaks) {
  std::string result;
  while (!text.empty()) {
    const size_t length = character_length(text);
    const std::string_view character = text.substr(0, std::max<size_t>(1, length));
    const bool kept_break = keeps_breaks && (character == "\n" || character == "\t");
    if (length > 0 && (kept_break || !is_control(code_of(character)))) {
      result += character;
    } else {
      for (const char c : character)
        result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    text.remove_prefix(character.size());
  }
  return result;
}

std::string utf8_text(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const size_t length = character_length(text);
    result += length > 0 ? text.substr(0, length) : kReplacement;
    text.remove_prefix(std::max<size_t>(1, length));
  }
  return result;
}

std::string shell_quoted(std::string_view text) {
  // A word that begins with a hyphen would be taken for a flag.
  const std::string word = (text.starts_with('-') ? "./" : "") + std::string(text);
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain_in_shells)) return word;
  if (printable(word) == word) {
    std::string quoted = "'";
    for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
    return quoted + "'";
  }
  std::string quoted = "$'";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f)
      quoted += fmt::format("\\x{:02x}", byte);
    else
      quoted += (c == '\'' || c == '\\' ? "\\" : "") + std::string(1, c);
  }
  return quoted + "'";
}

}  // namespace gallop
