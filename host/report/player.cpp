#include <gallop/host/report/player.h>

#include <fmt/format.h>

#include <string_view>

#include <gallop/host/files/durable_file.h>
#include <gallop/host/rendering/ffmpeg.h>
#include <gallop/host/rendering/replay.h>
#include <gallop/host/report/page.h>

namespace gallop {

std::string player_html(const Film& film) {
  std::string html =
      "<div class=\"replay\">\n<canvas></canvas>\n<form onsubmit=\"return false\">"
      "<button type=\"button\">Play</button>"
      "<input type=\"range\" min=\"0\" step=\"1\" aria-label=\"frame\">"
      "<select aria-label=\"speed\">";
  for (const char* speed : {"0.25", "0.5", "1", "2", "4"}) {
    html += fmt::format("<option value=\"{}\"{}>{}x</option>", speed,
                        std::string_view(speed) == "1" ? " selected" : "", speed);
  }
  return html + "</select></form>\n<script type=\"application/json\">" + replay_json(film) +
         "</script>\n</div>\n";
}

std::string film_page(const Film& film, const std::string& title, const std::string& subtitle) {
  return render_page(title, subtitle, card("Episode", player_html(film), false));
}

void write_film_page(const Film& film, const std::string& path) {
  const std::string subtitle =
      fmt::format("one episode: return {:.1f} over {} steps", film.total_return(), film.length());
  write_file_atomically(*posix_file_system(), path, film_page(film, film.name(), subtitle));
}

void write_film(const Film& film, FilmFormat format, const std::string& path) {
  const std::shared_ptr<FileSystem> files = posix_file_system();
  for (const std::string& leftover : leftovers_of(*files, path)) files->remove(leftover);
  switch (format) {
    case FilmFormat::kGif:
      return write_gif(film, path);
    case FilmFormat::kMp4:
      return write_mp4(film, find_ffmpeg(), path);
    case FilmFormat::kHtml:
      return write_film_page(film, path);
  }
}

}  // namespace gallop
