#include "host/options/utf8.h"

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

}  // namespace

bool is_utf8(std::string_view text) {
  constexpr uint32_t kSmallest[4] = {0, 0x80, 0x800, 0x10000};
  size_t at = 0;
  while (at < text.size()) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const int following = following_bytes(lead);
    if (following < 0 || text.size() - at <= static_cast<size_t>(following)) return false;
    uint32_t code = following == 0 ? lead : lead & (0x3fu >> following);
    for (int i = 1; i <= following; ++i) {
      const auto byte = static_cast<unsigned char>(text[at + static_cast<size_t>(i)]);
      if ((byte & 0xc0) != 0x80) return false;
      code = code << 6 | (byte & 0x3fu);
    }
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    if (code < kSmallest[following] || surrogate || code > 0x10ffff) return false;
    at += static_cast<size_t>(following) + 1;
  }
  return true;
}

}  // namespace gallop
