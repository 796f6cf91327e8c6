#pragma once

#include <string>

#include "host/rendering/film.h"

namespace gallop {

constexpr int kMostReplayFrames = 500;

// The film as part of an HTML page that needs nothing else: a canvas, buttons, the frames' figures
// as JSON, and a small script that draws them. Equal films give equal bytes.
std::string replay_html(const Film& film);

// A whole page with it.
std::string replay_page(const Film& film, const std::string& title, const std::string& subtitle);

}  // namespace gallop
