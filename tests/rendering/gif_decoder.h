#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gallop::testing {

struct DecodedFrame {
  std::vector<std::uint8_t> pixels;  // [height, width, 3]
  int hundredths = 0;
};
struct DecodedGif {
  int width = 0, height = 0;
  bool for_ever = false;
  std::vector<DecodedFrame> frames;
};

// Reads an animated GIF as strictly as the standard allows: every code must be known, every
// rectangle inside, every pixel there and none too many, no byte left over. Throws
// std::runtime_error that says what is wrong.
DecodedGif decode_gif(const std::string& bytes);

// The symbols of a stream of LZW codes that ends with its last byte.
std::vector<std::uint8_t> lzw_expanded(const std::string& data, int code_size);

}  // namespace gallop::testing
