#include <gallop/host/rendering/film_file.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/files/durable_file.h>
#include <gallop/host/rendering/canvas.h>
#include <gallop/host/rendering/ffmpeg.h>
#include <gallop/host/rendering/gif.h>
#include <gallop/host/rendering/replay.h>

namespace gallop {
namespace {

// Players show a GIF's frames for whole hundredths of a second, and less than 2 of them as 10.
constexpr double kGifFps = 25, kMostGifFps = 50;
constexpr int kMostGifFrames = 500;
constexpr int kPaletteFrames = 8;  // that the colours of a GIF are taken from

}  // namespace

FilmFormat require_film_format(const std::string& path, const FilmSettings& settings) {
  if (path.ends_with(".html")) return FilmFormat::kHtml;
  if (path.ends_with(".gif")) {
    if (settings.fps <= kMostGifFps) return FilmFormat::kGif;
    throw value_error(fmt::format("{} frames a second for '{}'; players show at most {} of a .gif",
                                  settings.fps, path, kMostGifFps));
  }
  if (path.ends_with(".mp4")) {
    if (settings.width % 2 != 0 || settings.height % 2 != 0) {
      throw value_error(fmt::format("the size {}x{} of '{}'; expected even numbers for .mp4",
                                    settings.width, settings.height, path));
    }
    find_ffmpeg();
    return FilmFormat::kMp4;
  }
  throw value_error(
      fmt::format("the file '{}' is to be written; expected .gif, .mp4 or .html", path));
}

FilmSettings settings_for(FilmFormat format, FilmSettings settings) {
  if (format == FilmFormat::kGif) {
    settings.most_fps = kGifFps;
    settings.most_frames = kMostGifFrames;
  }
  if (format == FilmFormat::kHtml) settings.most_frames = kMostReplayFrames;
  return settings;
}

std::string gif_bytes(const Film& film) {
  Canvas canvas(film.width(), film.height());
  std::vector<std::uint8_t> sample;
  const int looks = std::min(kPaletteFrames, film.n_frames());
  for (int k = 0; k < looks; k++) {
    canvas.draw(film.picture(looks == 1 ? 0 : k * (film.n_frames() - 1) / (looks - 1)));
    sample.insert(sample.end(), canvas.pixels().begin(), canvas.pixels().end());
  }
  GifWriter writer(film.width(), film.height(), Palette(sample));
  const auto hundredths_until = [&](int frame) { return std::lround(100 * frame / film.fps()); };
  for (int k = 0; k < film.n_frames(); k++) {
    canvas.draw(film.picture(k));
    // Rounded so that the errors of many frames do not add up. The last one stays for a second.
    const bool last = k + 1 == film.n_frames();
    writer.add(canvas, last ? 100 : int(hundredths_until(k + 1) - hundredths_until(k)));
  }
  return writer.finish();
}

void write_gif(const Film& film, const std::string& path) {
  write_file_atomically(*posix_file_system(), path, gif_bytes(film));
}

}  // namespace gallop
