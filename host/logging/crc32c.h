#pragma once

#include <cstdint>
#include <string_view>

namespace gallop {

// CRC-32C (Castagnoli, RFC 3720 appendix B.4), as TFRecord files use it.
uint32_t crc32c(std::string_view bytes);

// TFRecord's rotation and offset, for checksums that lie beside what they check.
uint32_t masked_crc32c(std::string_view bytes);

}  // namespace gallop
