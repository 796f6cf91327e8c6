#pragma once

#include <string>

#include <gallop/host/rendering/film.h>

namespace gallop {

enum class FilmFormat { kGif, kMp4, kHtml };

// By the end of the file's name. A value error for another one, or where the settings do not suit
// the format; an I/O error for .mp4 where there is no ffmpeg.
FilmFormat require_film_format(const std::string& path, const FilmSettings& settings);

// With the limits of the format where the caller has set no frames a second.
FilmSettings settings_for(FilmFormat format, FilmSettings settings);

// An animated GIF. The file appears whole, in place of one that was there.
std::string gif_bytes(const Film& film);
void write_gif(const Film& film, const std::string& path);

}  // namespace gallop
