#include <gallop/host/rendering/gif.h>

#include <algorithm>
#include <utility>

namespace gallop {
namespace {

constexpr int kMostCodes = 4096;
constexpr std::size_t kLongestBlock = 255;

void put_16(std::string& bytes, int value) {
  bytes += char(value & 255);
  bytes += char(value >> 8 & 255);
}

// Codes of 3 to 12 bits, lowest bit first.
class CodeBits {
 public:
  void put(int code, int bits) {
    held_ |= std::uint32_t(code) << n_held_;
    n_held_ += bits;
    for (; n_held_ >= 8; n_held_ -= 8, held_ >>= 8) bytes_ += char(held_ & 255);
  }
  std::string finish() {
    if (n_held_ > 0) bytes_ += char(held_ & 255);
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
  std::uint32_t held_ = 0;
  int n_held_ = 0;
};

// The code of each known row of symbols by the code of all but its last one, and that.
class CodeTable {
 public:
  // The place for the pair: empty, or its own.
  int find(int prefix, int symbol) const {
    const int key = prefix << 8 | symbol;
    int at = int(std::uint32_t(key) * 40503u >> 3) & (kPlaces - 1);
    while (codes_[at] >= 0 && keys_[at] != key) at = (at + 1) & (kPlaces - 1);
    return at;
  }
  int code(int place) const { return codes_[place]; }
  void put(int place, int prefix, int symbol, int code) {
    keys_[place] = prefix << 8 | symbol;
    codes_[place] = code;
  }
  void clear() { std::fill(codes_.begin(), codes_.end(), -1); }

 private:
  static constexpr int kPlaces = 16384;
  std::vector<int> keys_ = std::vector<int>(kPlaces), codes_ = std::vector<int>(kPlaces, -1);
};

struct Rectangle {
  int left, top, width, height;
};

// What differs; one pixel where nothing does, for a frame cannot be empty.
Rectangle changed(const std::vector<std::uint8_t>& before, const std::vector<std::uint8_t>& after,
                  int width, int height) {
  if (before.empty()) return {0, 0, width, height};
  int left = width, right = -1, top = height, bottom = -1;
  for (int y = 0; y < height; y++) {
    const std::uint8_t *a = &before[std::size_t(y) * width], *b = &after[std::size_t(y) * width];
    const int first = int(std::mismatch(a, a + width, b).first - a);
    if (first == width) continue;
    int last = width - 1;
    while (a[last] == b[last]) last--;
    left = std::min(left, first);
    right = std::max(right, last);
    top = std::min(top, y);
    bottom = y;
  }
  if (right < 0) return {0, 0, 1, 1};
  return {left, top, right - left + 1, bottom - top + 1};
}

}  // namespace

std::string lzw_compressed(const std::vector<std::uint8_t>& symbols, int code_size) {
  const int clear = 1 << code_size, end = clear + 1;
  CodeBits out;
  CodeTable table;
  int bits = code_size + 1, next = end + 1;
  out.put(clear, bits);
  int prefix = -1;
  for (const int symbol : symbols) {
    if (prefix < 0) {
      prefix = symbol;
      continue;
    }
    const int place = table.find(prefix, symbol);
    if (table.code(place) >= 0) {
      prefix = table.code(place);
      continue;
    }
    out.put(prefix, bits);
    if (next < kMostCodes) {
      // The reader knows a code only after the one that follows it, so that codes grow one later.
      if (next == 1 << bits) bits++;
      table.put(place, prefix, symbol, next++);
    } else {
      out.put(clear, bits);
      table.clear();
      bits = code_size + 1;
      next = end + 1;
    }
    prefix = symbol;
  }
  if (prefix >= 0) {
    out.put(prefix, bits);
    if (next < kMostCodes && next == 1 << bits) bits++;
  }
  out.put(end, bits);
  return out.finish();
}

GifWriter::GifWriter(int width, int height, Palette palette)
    : width_(width), height_(height), palette_(std::move(palette)) {
  code_size_ = 2;
  while (1u << code_size_ < palette_.colors().size() + 1) code_size_++;
  bytes_ = "GIF89a";
  put_16(bytes_, width);
  put_16(bytes_, height);
  bytes_ += char(0x80 | 7 << 4 | (code_size_ - 1));  // a table of colours for all frames
  bytes_ += '\0';                                    // its first one is the background
  bytes_ += '\0';                                    // pixels are square
  for (int i = 0; i < 1 << code_size_; i++) {
    const Color c = std::size_t(i) < palette_.colors().size() ? palette_.colors()[i] : Color{};
    bytes_ += char(c.red);
    bytes_ += char(c.green);
    bytes_ += char(c.blue);
  }
  bytes_ += "\x21\xff\x0bNETSCAPE2.0\x03\x01";  // repeats
  put_16(bytes_, 0);                            // for ever
  bytes_ += '\0';
}

void GifWriter::write_control(int hundredths) {
  bytes_ += "\x21\xf9\x04";
  bytes_ += char(1 << 2 | 1);  // leave the frame in place under the next one; one is transparent
  put_16(bytes_, std::clamp(hundredths, 0, 65535));
  bytes_ += char(palette_.colors().size());
  bytes_ += '\0';
}

void GifWriter::add(const Canvas& frame, int hundredths) {
  std::vector<std::uint8_t> places(std::size_t(width_) * height_);
  const std::uint8_t* p = frame.pixels().data();
  for (std::size_t i = 0; i < places.size(); i++, p += 3) {
    const bool as_before = i > 0 && std::equal(p, p + 3, p - 3);
    places[i] = as_before ? places[i - 1] : palette_.index_of({p[0], p[1], p[2]});
  }
  const Rectangle r = changed(shown_, places, width_, height_);
  write_control(hundredths);
  bytes_ += '\x2c';
  for (const int value : {r.left, r.top, r.width, r.height}) put_16(bytes_, value);
  bytes_ += '\0';  // no table of its own, rows from top to bottom
  bytes_ += char(code_size_);
  const std::uint8_t transparent = std::uint8_t(palette_.colors().size());
  std::vector<std::uint8_t> symbols;
  symbols.reserve(std::size_t(r.width) * r.height);
  for (int y = r.top; y < r.top + r.height; y++) {
    for (int x = r.left; x < r.left + r.width; x++) {
      const std::size_t at = std::size_t(y) * width_ + x;
      const bool as_before = !shown_.empty() && shown_[at] == places[at];
      symbols.push_back(as_before ? transparent : places[at]);
    }
  }
  const std::string data = lzw_compressed(symbols, code_size_);
  for (std::size_t at = 0; at < data.size(); at += kLongestBlock) {
    const std::size_t length = std::min(kLongestBlock, data.size() - at);
    bytes_ += char(length);
    bytes_.append(data, at, length);
  }
  bytes_ += '\0';
  shown_ = std::move(places);
}

std::string GifWriter::finish() {
  bytes_ += '\x3b';
  return std::move(bytes_);
}

}  // namespace gallop
