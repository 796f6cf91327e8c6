#include <gallop/host/report/player.h>

#include <fmt/format.h>

#include <string_view>

#include <gallop/host/files/durable_file.h>
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
  const Episode& e = film.episode();
  const std::string subtitle = fmt::format("one episode: return {:.1f} over {} steps",
                                           e.return_before(e.length()), e.length());
  write_file_atomically(*posix_file_system(), path, film_page(film, e.spec().name, subtitle));
}

}  // namespace gallop
