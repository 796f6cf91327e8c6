#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include <gallop/host/rendering/scene.h>

namespace gallop {

constexpr int kMostColors = 255;  // of the 256 places of a GIF one says: as before

// Up to kMostColors colours that stand for all colours of some pictures.
class Palette {
 public:
  // From a sample of pixels, each red, green, blue: the very colours where there are not more of
  // them, else the means of as many boxes in the cube of colours, made by halving the fullest at
  // its median (Heckbert 1982). Equal samples give equal palettes.
  explicit Palette(std::span<const std::uint8_t> pixels);

  const std::vector<Color>& colors() const { return colors_; }
  // The place of the nearest colour.
  std::uint8_t index_of(Color color);

 private:
  std::vector<Color> colors_;
  std::unordered_map<std::uint32_t, std::uint8_t> known_;  // by the 24 bits of the colour
};

}  // namespace gallop
