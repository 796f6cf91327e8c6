#include "host/rendering/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <unordered_map>

#include "host/logging/page.h"

namespace gallop {
namespace {

constexpr std::string_view kStyle = R"css(<style>
.replay canvas { display: block; width: 100%; max-width: 720px; margin: 0 auto; border-radius: 6px; }
.replay form { display: flex; gap: 12px; align-items: center; max-width: 720px;
  margin: 10px auto 0; }
.replay input { flex: 1; min-width: 0; accent-color: var(--c0); }
.replay button, .replay select { font: inherit; color: var(--ink); background: var(--page);
  border: 1px solid var(--rule); border-radius: 6px; padding: 3px 12px; }
.replay button { min-width: 5.5em; }
</style>)css";

// Figures are [kind, style, numbers...]: 0 a capsule x, y, r (, x, y, r), 1 a polygon, 2 a line, 3
// a text; a frame is a list of places in the list of all figures.
constexpr std::string_view kScript = R"js(<script>
(() => {
  const root = document.currentScript.parentElement;
  const film = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const canvas = root.querySelector('canvas'), button = root.querySelector('button');
  const slider = root.querySelector('input'), speed = root.querySelector('select');
  const pen = canvas.getContext('2d'), dense = Math.max(1, window.devicePixelRatio || 1) * 1.5;
  canvas.width = film.width * dense;
  canvas.height = film.height * dense;
  const trace = (f) => {
    pen.beginPath();
    for (let i = 2; i < f.length; i += 2) pen.lineTo(f[i], f[i + 1]);
  };
  const hull = (x, y, r, u, v, s) => {
    const d = Math.hypot(u - x, v - y);
    pen.beginPath();
    if (d <= Math.abs(r - s)) {
      if (r >= s) pen.arc(x, y, r, 0, 7); else pen.arc(u, v, s, 0, 7);
      return;
    }
    const way = Math.atan2(v - y, u - x), side = Math.acos((r - s) / d);
    pen.arc(x, y, r, way + side, way - side);
    pen.arc(u, v, s, way - side, way + side);
    pen.closePath();
  };
  const figure = (f) => {
    const style = film.styles[f[1]];
    pen.fillStyle = style.fill;
    if (f[0] == 3) {
      pen.font = `${style.size}px system-ui, sans-serif`;
      pen.textAlign = style.align;
      pen.textBaseline = 'middle';
      pen.fillText(f[4], f[2], f[3]);
    } else if (f[0] == 2) {
      pen.strokeStyle = style.fill;
      pen.lineWidth = style.width;
      trace(f);
      pen.stroke();
    } else {
      const edge = style.width || 0;
      if (f[0] == 0) {
        const g = f.length == 5 ? f.concat(f.slice(2)) : f;
        hull(g[2], g[3], Math.max(0, g[4] - edge / 2), g[5], g[6], Math.max(0, g[7] - edge / 2));
      } else {
        trace(f);
        pen.closePath();
      }
      pen.fill();
      if (!edge) return;
      pen.strokeStyle = style.edge;
      pen.lineWidth = edge;
      pen.stroke();
    }
  };
  const draw = () => {
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.fillStyle = film.background;
    pen.fillRect(0, 0, film.width, film.height);
    pen.lineCap = pen.lineJoin = 'round';
    for (const k of film.frames[slider.value]) figure(film.figures[k]);
  };
  const last = film.frames.length - 1;
  let playing = false, at = 0, before = 0;
  const play = (on) => {
    playing = on;
    button.textContent = on ? 'Pause' : 'Play';
    if (!on) return;
    if (at >= last) at = 0;
    before = performance.now();
    requestAnimationFrame(tick);
  };
  const tick = (now) => {
    if (!playing) return;
    at += Math.max(0, now - before) / 1000 * film.fps * speed.value;
    before = now;
    if (at >= last + film.fps) at = 0;
    slider.value = Math.min(last, Math.floor(at));
    draw();
    requestAnimationFrame(tick);
  };
  slider.max = last;
  slider.value = 0;
  slider.oninput = () => { play(false); at = +slider.value; draw(); };
  button.onclick = () => play(!playing);
  draw();
  if (!matchMedia('(prefers-reduced-motion: reduce)').matches) play(true);
})();
</script>)js";

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

std::string film_json(const Film& film) {
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

}  // namespace

std::string replay_html(const Film& film) {
  std::string html(kStyle);
  html += "\n<div class=\"replay\">\n<canvas></canvas>\n<form onsubmit=\"return false\">";
  html += "<button type=\"button\">Play</button>";
  html += "<input type=\"range\" min=\"0\" step=\"1\" aria-label=\"frame\">";
  html += "<select aria-label=\"speed\">";
  for (const char* speed : {"0.25", "0.5", "1", "2", "4"}) {
    html += fmt::format("<option value=\"{}\"{}>{}x</option>", speed,
                        std::string_view(speed) == "1" ? " selected" : "", speed);
  }
  html += "</select></form>\n<script type=\"application/json\">" + film_json(film) + "</script>\n";
  html += kScript;
  return html + "\n</div>\n";
}

std::string replay_page(const Film& film, const std::string& title, const std::string& subtitle) {
  return render_page(title, subtitle, card("Episode", replay_html(film), false));
}

}  // namespace gallop
