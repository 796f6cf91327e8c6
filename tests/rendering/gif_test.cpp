// GIF files, read back by a strict decoder: what was drawn is what is shown.
#include <gallop/host/rendering/gif.h>

#include <gtest/gtest.h>

#include <random>

#include "tests/rendering/gif_decoder.h"

namespace gallop::testing {
namespace {

Color color_of(unsigned k) {
  return {std::uint8_t(k * 37), std::uint8_t(k * 101 + 5), std::uint8_t(255 - k)};
}

// A picture of single pixels with one of `n_colors` colours each.
Picture noise(int width, int height, unsigned n_colors, unsigned seed) {
  std::mt19937 random(seed);
  Picture picture;
  picture.width = width;
  picture.height = height;
  for (int y = 0; y < height; y++) {
    for (int x = 0; x < width; x++) {
      Figure pixel;
      pixel.kind = ShapeKind::kPolygon;
      const double a = x, b = y;
      pixel.points = {{a, b}, {a + 1, b}, {a + 1, b + 1}, {a, b + 1}};
      pixel.fill = color_of(random() % n_colors);
      picture.figures.push_back(pixel);
    }
  }
  return picture;
}

std::vector<std::uint8_t> bytes_of(const Canvas& canvas) {
  return {canvas.pixels().begin(), canvas.pixels().end()};
}

void expect_read_back(int width, int height, unsigned n_colors, int n_frames) {
  std::vector<std::vector<std::uint8_t>> drawn;
  std::vector<std::uint8_t> all;
  Canvas canvas(width, height);
  std::vector<Picture> pictures;
  for (int k = 0; k < n_frames; k++) {
    pictures.push_back(noise(width, height, n_colors, unsigned(k)));
    canvas.draw(pictures.back());
    drawn.push_back(bytes_of(canvas));
    all.insert(all.end(), drawn.back().begin(), drawn.back().end());
  }
  GifWriter writer(width, height, Palette(all));
  for (int k = 0; k < n_frames; k++) {
    canvas.draw(pictures[k]);
    writer.add(canvas, 4 + k);
  }
  const DecodedGif gif = decode_gif(writer.finish());
  EXPECT_EQ(gif.width, width);
  EXPECT_EQ(gif.height, height);
  EXPECT_TRUE(gif.for_ever);
  ASSERT_EQ(int(gif.frames.size()), n_frames);
  for (int k = 0; k < n_frames; k++) {
    EXPECT_EQ(gif.frames[k].hundredths, 4 + k);
    EXPECT_TRUE(gif.frames[k].pixels == drawn[k])
        << "frame " << k << " of " << width << "x" << height << ", " << n_colors << " colours";
  }
}

TEST(Gif, ShowsEveryPixelOfEveryFrame) {
  for (const unsigned n_colors : {1u, 2u, 3u, 4u, 7u, 8u, 9u, 31u, 100u, 255u}) {
    expect_read_back(17, 11, n_colors, 3);
  }
  expect_read_back(1, 1, 1, 2);
  expect_read_back(150, 120, 255, 2);  // more than one table of codes
  expect_read_back(150, 120, 2, 2);
}

TEST(Gif, CodesComeBackForEverySizeAndLength) {
  std::mt19937 random(7);
  for (int code_size = 2; code_size <= 8; code_size++) {
    for (const int length : {0, 1, 2, 3, 100, 4093, 4097, 30000}) {
      for (const unsigned n_symbols : {1u, 2u, 1u << code_size}) {
        std::vector<std::uint8_t> symbols(static_cast<std::size_t>(length));
        for (std::uint8_t& s : symbols) s = std::uint8_t(random() % n_symbols);
        EXPECT_TRUE(lzw_expanded(lzw_compressed(symbols, code_size), code_size) == symbols)
            << code_size << " bits, " << length << " of " << n_symbols << " symbols";
      }
    }
  }
}

TEST(Gif, TheDecoderIsStrict) {
  Canvas canvas(8, 8);
  canvas.draw(noise(8, 8, 5, 1));
  GifWriter writer(8, 8, Palette(canvas.pixels()));
  writer.add(canvas, 10);
  const std::string good = writer.finish();
  EXPECT_NO_THROW(decode_gif(good));
  EXPECT_THROW(decode_gif(good + "x"), std::runtime_error);
  for (std::size_t n = 0; n < good.size(); n++) {
    EXPECT_THROW(decode_gif(good.substr(0, n)), std::runtime_error) << n;
  }
}

TEST(Palette, KeepsFewColorsAndStandsForMany) {
  std::vector<std::uint8_t> few, many;
  for (unsigned k = 0; k < 255; k++) {
    const Color c = color_of(k);
    few.insert(few.end(), {c.red, c.green, c.blue});
  }
  Palette exact(few);
  EXPECT_EQ(exact.colors().size(), 255u);
  for (unsigned k = 0; k < 255; k++) {
    EXPECT_TRUE(exact.colors()[exact.index_of(color_of(k))] == color_of(k)) << k;
  }
  // Two colours and all between them: what is shown is near.
  const Color from = {58, 120, 214}, to = {247, 248, 250};
  for (int k = 0; k <= 2000; k++) {
    const Color c = mixed(mixed(from, to, k / 2000.0), {38, 47, 61}, (k % 40) / 40.0);
    many.insert(many.end(), {c.red, c.green, c.blue});
  }
  Palette near(many);
  EXPECT_LE(near.colors().size(), 255u);
  for (std::size_t i = 0; i < many.size(); i += 3) {
    const Color c = {many[i], many[i + 1], many[i + 2]}, shown = near.colors()[near.index_of(c)];
    EXPECT_LE(std::abs(c.red - shown.red) + std::abs(c.green - shown.green) +
                  std::abs(c.blue - shown.blue),
              40);
  }
  Palette empty{std::span<const std::uint8_t>()};
  EXPECT_EQ(empty.index_of({9, 9, 9}), 0);
}

}  // namespace
}  // namespace gallop::testing
