// Animated GIF89a (CompuServe 1990), written here rather than by giflib: it takes 200 lines, only
// writing is needed, and the program installs and links one library less.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gallop/host/rendering/canvas.h>
#include <gallop/host/rendering/palette.h>

namespace gallop {

// A film that repeats for ever. Of each frame only the rectangle that changed is stored, and in
// it the pixels that did not are transparent. Equal frames give equal bytes.
class GifWriter {
 public:
  GifWriter(int width, int height, Palette palette);

  // A frame of the writer's size, shown for `hundredths` of a second; players show less than 2 as
  // 10.
  void add(const Canvas& frame, int hundredths);
  // The file. Call once, after at least one frame.
  std::string finish();

 private:
  void write_control(int hundredths);

  int width_, height_;
  Palette palette_;
  int code_size_;                    // bits of a colour's place, at least 2
  std::vector<std::uint8_t> shown_;  // places of the colours of the last frame
  std::string bytes_;
};

// The variable-length codes of Lempel, Ziv and Welch as GIF packs them, without the blocks around
// them: `code_size` bits are those of a symbol.
std::string lzw_compressed(const std::vector<std::uint8_t>& symbols, int code_size);

}  // namespace gallop
