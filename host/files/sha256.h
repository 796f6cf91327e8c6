#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace gallop {

// SHA-256 (FIPS 180-4), fed in pieces. It detects accidents to a file, not attacks on it.
class Sha256 {
 public:
  void update(std::span<const std::byte> bytes);

  // The digest of all bytes so far as 64 lower-case hexadecimal digits; the object is spent after
  // it.
  std::string hex_digest();

 private:
  void compress(const std::byte* block);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> block_ = {};
  uint64_t length_ = 0;  // bytes
};

std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace gallop
