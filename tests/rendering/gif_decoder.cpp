#include "tests/rendering/gif_decoder.h"

#include <stdexcept>

namespace gallop::testing {
namespace {

void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error("no strict GIF: " + what);
}

class Reader {
 public:
  explicit Reader(const std::string& bytes) : bytes_(bytes) {}
  int byte() {
    require(at_ < bytes_.size(), "it ends too early");
    return static_cast<unsigned char>(bytes_[at_++]);
  }
  int word() {
    const int low = byte();
    return low | byte() << 8;
  }
  std::string text(std::size_t n) {
    require(at_ + n <= bytes_.size(), "it ends too early");
    at_ += n;
    return bytes_.substr(at_ - n, n);
  }
  std::string blocks() {
    std::string data;
    for (int n = byte(); n > 0; n = byte()) data += text(std::size_t(n));
    return data;
  }
  bool at_end() const { return at_ == bytes_.size(); }

 private:
  const std::string& bytes_;
  std::size_t at_ = 0;
};

struct Code {
  int prefix, last, length;
};

}  // namespace

std::vector<std::uint8_t> lzw_expanded(const std::string& data, int code_size) {
  const int clear = 1 << code_size, end = clear + 1;
  std::vector<Code> codes;
  const auto reset = [&] {
    codes.clear();
    for (int k = 0; k <= end; k++) codes.push_back({-1, k, 1});
  };
  reset();
  std::vector<std::uint8_t> symbols;
  int bits = code_size + 1, before = -1;
  std::size_t at_bit = 0;
  const auto next_code = [&] {
    int code = 0;
    for (int k = 0; k < bits; k++, at_bit++) {
      require(at_bit / 8 < data.size(), "its codes end without the end code");
      code |= (static_cast<unsigned char>(data[at_bit / 8]) >> (at_bit % 8) & 1) << k;
    }
    return code;
  };
  require(next_code() == clear, "its codes do not begin with the clear code");
  for (int code = next_code(); code != end; code = next_code()) {
    if (code == clear) {
      reset();
      bits = code_size + 1;
      before = -1;
      continue;
    }
    require(code < int(codes.size()) || (code == int(codes.size()) && before >= 0),
            "unknown code " + std::to_string(code));
    // A code that is just being made is its predecessor and that one's first symbol.
    const int known = code < int(codes.size()) ? code : before;
    const int length = codes[known].length;
    const std::size_t start = symbols.size();
    symbols.resize(start + std::size_t(length));
    for (int k = length - 1, c = known; k >= 0; k--, c = codes[c].prefix) {
      symbols[start + std::size_t(k)] = std::uint8_t(codes[c].last);
    }
    const std::uint8_t first = symbols[start];
    if (code != known) symbols.push_back(first);
    if (before >= 0 && codes.size() < 4096) {
      codes.push_back({before, first, codes[before].length + 1});
      if (int(codes.size()) == 1 << bits && bits < 12) bits++;
    }
    before = code;
  }
  require((at_bit + 7) / 8 == data.size(), "bytes follow the end code");
  for (; at_bit % 8 != 0; at_bit++) {
    require((static_cast<unsigned char>(data.back()) >> (at_bit % 8) & 1) == 0, "bits are left");
  }
  return symbols;
}

DecodedGif decode_gif(const std::string& bytes) {
  Reader in(bytes);
  require(in.text(6) == "GIF89a", "its signature");
  DecodedGif gif;
  gif.width = in.word();
  gif.height = in.word();
  const int packed = in.byte();
  require((packed & 0x80) != 0, "it has no global table of colours");
  const int n_colors = 2 << (packed & 7);
  in.text(2);
  const std::string colors = in.text(3 * std::size_t(n_colors));
  std::vector<std::uint8_t> canvas(std::size_t(gif.width) * gif.height * 3, 0);
  int hundredths = -1, transparent = -1;
  for (int kind = in.byte(); kind != 0x3b; kind = in.byte()) {
    if (kind == 0x21) {
      const int label = in.byte();
      const std::string data = in.blocks();
      if (label == 0xff) {
        require(data == "NETSCAPE2.0" + std::string("\x01\0\0", 3), "its application extension");
        gif.for_ever = true;
      } else {
        require(label == 0xf9 && data.size() == 4, "its extension " + std::to_string(label));
        require((data[0] & 0x1c) == 1 << 2, "how it disposes of frames");
        hundredths = static_cast<unsigned char>(data[1]) | static_cast<unsigned char>(data[2]) << 8;
        transparent = (data[0] & 1) != 0 ? static_cast<unsigned char>(data[3]) : -1;
      }
      continue;
    }
    require(kind == 0x2c && hundredths >= 0, "a block " + std::to_string(kind));
    const int left = in.word(), top = in.word(), width = in.word(), height = in.word();
    require(width > 0 && height > 0 && left + width <= gif.width && top + height <= gif.height,
            "a rectangle is not inside");
    require(in.byte() == 0, "a frame has a table of its own or is interlaced");
    const int code_size = in.byte();
    require(code_size >= 2 && code_size <= 8, "the size of its codes");
    const std::vector<std::uint8_t> symbols = lzw_expanded(in.blocks(), code_size);
    require(symbols.size() == std::size_t(width) * height, "the number of pixels of a frame");
    for (std::size_t i = 0; i < symbols.size(); i++) {
      require(symbols[i] < n_colors, "a colour is not in the table");
      require(symbols[i] != transparent || !gif.frames.empty(), "the first frame has holes");
      if (symbols[i] == transparent) continue;
      const std::size_t x = std::size_t(left) + i % width, y = std::size_t(top) + i / width;
      for (int k = 0; k < 3; k++) {
        canvas[(y * gif.width + x) * 3 + k] = std::uint8_t(colors[3 * symbols[i] + k]);
      }
    }
    gif.frames.push_back({canvas, hundredths});
    hundredths = transparent = -1;
  }
  require(in.at_end(), "bytes follow its end");
  require(!gif.frames.empty(), "it has no frames");
  return gif;
}

}  // namespace gallop::testing
