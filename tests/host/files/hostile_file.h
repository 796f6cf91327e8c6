#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/files/sha256.h>

namespace gallop::test {

inline constexpr std::string_view kDigestMetadata = R"("__metadata__":{"sha256":"@"})";

// A file with this header and `n_data` bytes behind it. '@' in the header stands for the digest,
// which is always right, so that what is refused is refused for what the header says.
inline std::vector<std::byte> file_with_header(std::string header, size_t n_data,
                                               int64_t claimed_length = -1) {
  const size_t place = header.find('@');
  if (place != std::string::npos) header.replace(place, 1, 64, '0');
  const uint64_t length =
      claimed_length < 0 ? header.size() : static_cast<uint64_t>(claimed_length);
  std::vector<std::byte> bytes(8 + header.size() + n_data);
  std::memcpy(bytes.data(), &length, 8);
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  for (size_t i = 0; i < n_data; ++i) bytes[8 + header.size() + i] = static_cast<std::byte>(i + 1);
  if (place != std::string::npos) {
    const std::string digest = sha256_hex(bytes);
    std::memcpy(bytes.data() + 8 + place, digest.data(), digest.size());
  }
  return bytes;
}

}  // namespace gallop::test
