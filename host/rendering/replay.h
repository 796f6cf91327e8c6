#pragma once

#include <string>

#include <gallop/host/rendering/film.h>

namespace gallop {

constexpr int kMostReplayFrames = 500;

// The film for a page that draws it (host/report/assets/player.js), as JSON that may stand in a
// <script>: width, height, fps, background, styles, figures, frames. A figure is
// [kind, style, numbers...]: 0 a capsule x, y, r (, x, y, r), 1 a polygon, 2 a line, 3 a text x, y,
// text; a frame is a list of places in the list of all figures, so that what stands still is stored
// once. Equal films give equal bytes.
std::string replay_json(const Film& film);

}  // namespace gallop
