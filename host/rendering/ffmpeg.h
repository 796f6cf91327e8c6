#pragma once

#include <string>

#include <gallop/host/rendering/film.h>

namespace gallop {

// The program on PATH. Throws an I/O error that says how to get it, or to do without, where there
// is none.
std::string find_ffmpeg();

// Pipes the frames to ffmpeg, which makes an H.264 video; the file appears whole by rename. Width
// and height must be even. Throws an I/O error with ffmpeg's own words where it fails.
void write_mp4(const Film& film, const std::string& ffmpeg, const std::string& path);

}  // namespace gallop
