#include <gallop/host/rendering/palette.h>

#include <algorithm>
#include <array>

namespace gallop {
namespace {

std::uint32_t bits_of(Color c) {
  return std::uint32_t(c.red) << 16 | std::uint32_t(c.green) << 8 | c.blue;
}
Color color_of(std::uint32_t bits) {
  return {std::uint8_t(bits >> 16), std::uint8_t(bits >> 8), std::uint8_t(bits)};
}
int channel(std::uint32_t bits, int k) { return int(bits >> (16 - 8 * k) & 255); }

struct Count {
  std::uint32_t bits;
  long pixels;
};

std::vector<Count> counts_of(std::span<const std::uint8_t> pixels) {
  std::vector<std::uint32_t> all;
  all.reserve(pixels.size() / 3);
  for (std::size_t i = 0; i + 2 < pixels.size(); i += 3) {
    all.push_back(bits_of({pixels[i], pixels[i + 1], pixels[i + 2]}));
  }
  std::sort(all.begin(), all.end());
  std::vector<Count> counts;
  for (const std::uint32_t bits : all) {
    if (counts.empty() || counts.back().bits != bits) counts.push_back({bits, 0});
    counts.back().pixels++;
  }
  return counts;
}

// A box of colours: its longest side, and how much halving it gains.
struct Box {
  std::span<Count> counts;
  int longest = 0;
  double weight = 0;

  explicit Box(std::span<Count> of) : counts(of) {
    int extent = -1;
    for (int k = 0; k < 3; k++) {
      int low = 255, high = 0;
      for (const Count& c : counts) {
        low = std::min(low, channel(c.bits, k));
        high = std::max(high, channel(c.bits, k));
      }
      if (high - low > extent) extent = high - low, longest = k;
    }
    long pixels = 0;
    for (const Count& c : counts) pixels += c.pixels;
    // Edges are few pixels of many colours, and are seen: the extent counts more than the number.
    weight = counts.size() < 2 ? 0 : double(extent) * extent * std::min(pixels, 2000L);
  }

  std::array<Box, 2> halves() {
    std::sort(counts.begin(), counts.end(), [this](const Count& a, const Count& b) {
      const int x = channel(a.bits, longest), y = channel(b.bits, longest);
      return x != y ? x < y : a.bits < b.bits;
    });
    long pixels = 0, passed = 0;
    for (const Count& c : counts) pixels += c.pixels;
    std::size_t at = 0;
    while (at + 1 < counts.size() && 2 * passed < pixels) passed += counts[at++].pixels;
    at = std::max<std::size_t>(at, 1);
    return {Box(counts.first(at)), Box(counts.subspan(at))};
  }

  Color mean() const {
    double sum[3] = {}, pixels = 0;
    for (const Count& c : counts) {
      pixels += double(c.pixels);
      for (int k = 0; k < 3; k++) sum[k] += double(c.pixels) * channel(c.bits, k);
    }
    const auto of = [&](int k) { return std::uint8_t(sum[k] / pixels + 0.5); };
    return {of(0), of(1), of(2)};
  }
};

}  // namespace

Palette::Palette(std::span<const std::uint8_t> pixels) {
  std::vector<Count> counts = counts_of(pixels);
  if (counts.empty()) counts.push_back({0, 1});
  if (counts.size() <= kMostColors) {
    for (const Count& c : counts) colors_.push_back(color_of(c.bits));
    return;
  }
  std::vector<Box> boxes = {Box(counts)};
  while (boxes.size() < kMostColors) {
    const auto fullest = std::max_element(
        boxes.begin(), boxes.end(), [](const Box& a, const Box& b) { return a.weight < b.weight; });
    const std::array<Box, 2> halves = fullest->halves();
    *fullest = halves[0];
    boxes.push_back(halves[1]);
  }
  for (const Box& box : boxes) colors_.push_back(box.mean());
}

std::uint8_t Palette::index_of(Color color) {
  const auto [place, is_new] = known_.try_emplace(bits_of(color), 0);
  if (!is_new) return place->second;
  int nearest = 1 << 30;
  for (std::size_t i = 0; i < colors_.size(); i++) {
    const int r = int(color.red) - colors_[i].red, g = int(color.green) - colors_[i].green,
              b = int(color.blue) - colors_[i].blue;
    const int distance = r * r + g * g + b * b;
    if (distance < nearest) nearest = distance, place->second = std::uint8_t(i);
  }
  return place->second;
}

}  // namespace gallop
