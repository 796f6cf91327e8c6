#pragma once

#include <string>

#include <gallop/host/rendering/film_file.h>

namespace gallop {

// A film as part of a page that needs nothing else: a canvas, buttons and the frames as JSON, which
// the page's script draws. Equal films give equal bytes.
std::string player_html(const Film& film);

// A whole page with it.
std::string film_page(const Film& film, const std::string& title, const std::string& subtitle);

// Writes the film's page, titled by its environment; the file appears whole, in place of one that
// was there.
void write_film_page(const Film& film, const std::string& path);

// Writes a film in any format, and removes what an interrupted write of it has left.
void write_film(const Film& film, FilmFormat format, const std::string& path);

}  // namespace gallop
