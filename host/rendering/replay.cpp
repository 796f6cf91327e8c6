#include <gallop/host/rendering/replay.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <unordered_map>

namespace gallop {
namespace {

// Tenths of pixels are seen, no more.
void append_number(std::string& to, double x) {
  const long tenths = std::lround(std::min(1e6, std::max(-1e6, x)) * 10);
  if (tenths < 0) to += '-';
  fmt::format_int whole(std::labs(tenths) / 10);
  to.append(whole.data(), whole.size());
  if (tenths % 10 == 0) return;
  to += '.';
  to += char('0' + std::labs(tenths) % 10);
}

std::string css(Color c) { return fmt::format("#{:02x}{:02x}{:02x}", c.red, c.green, c.blue); }

std::string json_string(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    const bool plain = c >= ' ' && c != '"' && c != '\\' && c != '<';
    json += plain ? std::string(1, c) : fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
  }
  return json + "\"";
}

// Texts with the places that they were given, each once.
class Places {
 public:
  int of(const std::string& text) {
    const auto [found, is_new] = places_.try_emplace(text, int(places_.size()));
    if (is_new) list_ += (list_.empty() ? "" : ",\n") + text;
    return found->second;
  }
  const std::string& list() const { return list_; }

 private:
  std::unordered_map<std::string, int> places_;
  std::string list_;
};

std::string style_of(const Figure& f) {
  std::string json = fmt::format("{{\"fill\":\"{}\"", css(f.fill));
  if (f.kind == ShapeKind::kText) {
    const char* align = f.anchor == TextAnchor::kLeft    ? "left"
                        : f.anchor == TextAnchor::kRight ? "right"
                                                         : "center";
    return json + fmt::format(",\"size\":{:.1f},\"align\":\"{}\"}}", f.size, align);
  }
  if (f.width > 0) json += fmt::format(",\"width\":{:.2f}", f.width);
  if (f.width > 0 && f.kind != ShapeKind::kLine) json += ",\"edge\":\"" + css(f.edge) + "\"";
  return json + "}";
}

std::string figure_of(const Figure& f, int style) {
  const int kind = f.kind == ShapeKind::kCapsule   ? 0
                   : f.kind == ShapeKind::kPolygon ? 1
                   : f.kind == ShapeKind::kLine    ? 2
                                                   : 3;
  std::string json = fmt::format("[{},{}", kind, style);
  const bool disc = kind == 0 && f.points[0].x == f.points[1].x && f.points[0].y == f.points[1].y;
  for (std::size_t i = 0; i < (disc ? 1 : f.points.size()); i++) {
    json += ',';
    append_number(json, f.points[i].x);
    json += ',';
    append_number(json, f.points[i].y);
    if (kind != 0) continue;
    json += ',';
    append_number(json, f.radius[i]);
  }
  if (kind == 3) json += "," + json_string(f.text);
  return json + "]";
}

}  // namespace

std::string replay_json(const Film& film) {
  Places figures, styles;
  std::string frames;
  Color background;
  for (int k = 0; k < film.n_frames(); k++) {
    const Picture picture = film.picture(k);
    background = picture.background;
    frames += k == 0 ? "[" : ",\n[";
    for (std::size_t i = 0; i < picture.figures.size(); i++) {
      const Figure& f = picture.figures[i];
      if (i > 0) frames += ',';
      frames += std::to_string(figures.of(figure_of(f, styles.of(style_of(f)))));
    }
    frames += ']';
  }
  return fmt::format(
      "{{\"width\":{},\"height\":{},\"fps\":{:.4f},\"background\":\"{}\",\n\"styles\":[{}],\n"
      "\"figures\":[{}],\n\"frames\":[{}]}}",
      film.width(), film.height(), film.fps(), css(background), styles.list(), figures.list(),
      frames);
}

}  // namespace gallop
