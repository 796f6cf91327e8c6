#include <gallop/host/rendering/canvas.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/rendering/stroke_font.h>

namespace gallop {
namespace {

constexpr double kPen = 0.125;  // thickness of letters, of their size
constexpr int kRowParts = 4;    // scanlines of a polygon in a row of pixels

// Distance of p from the outline of the hull of two discs, negative inside (Quilez, "distance
// functions", uneven capsule).
class CapsuleDistance {
 public:
  CapsuleDistance(Point2 a, Point2 b, double radius_a, double radius_b)
      : a_(a), radius_a_(radius_a), radius_b_(radius_b) {
    along_ = {b.x - a.x, b.y - a.y};
    square_ = along_.x * along_.x + along_.y * along_.y;
    const double less = radius_a - radius_b;
    if (square_ <= less * less || square_ < 1e-12) {  // one disc holds the other
      if (radius_b > radius_a) a_ = b, radius_a_ = radius_b;
      square_ = 0;
      return;
    }
    cosine_ = std::sqrt(square_ - less * less);
    sine_ = less;
  }

  double operator()(double x, double y) const {
    const double px = x - a_.x, py = y - a_.y;
    if (square_ == 0) return std::sqrt(px * px + py * py) - radius_a_;
    const double across = std::abs(px * along_.y - py * along_.x) / square_;
    const double part = (px * along_.x + py * along_.y) / square_;
    const double n = across * across + part * part;
    const double k = cosine_ * part - sine_ * across;
    if (k < 0) return std::sqrt(square_ * n) - radius_a_;
    if (k > cosine_) return std::sqrt(std::max(0.0, square_ * (n + 1 - 2 * part))) - radius_b_;
    return cosine_ * across + sine_ * part - radius_a_;
  }

 private:
  Point2 a_, along_;
  double radius_a_, radius_b_, square_, cosine_ = 0, sine_ = 0;
};

double covered(double distance) { return std::clamp(0.5 - distance, 0.0, 1.0); }

// The first pixel of [0, n) that may lie beyond `from`, and the first that does not lie before
// `to`, however large these are.
int first_pixel(double from, int n) { return int(std::clamp(std::floor(from), 0.0, double(n))); }
int end_pixel(double to, int n) { return int(std::clamp(std::ceil(to), 0.0, double(n))); }

}  // namespace

Canvas::Canvas(int width, int height)
    : width_(width), height_(height), pixels_(std::size_t(3) * width * height), row_(width + 1) {}

Color Canvas::at(int x, int y) const {
  const std::uint8_t* p = &pixels_[3 * (std::size_t(y) * width_ + x)];
  return {p[0], p[1], p[2]};
}

void Canvas::draw(const Picture& picture) {
  const std::uint8_t background[3] = {picture.background.red, picture.background.green,
                                      picture.background.blue};
  for (std::size_t i = 0; i < pixels_.size(); i++) pixels_[i] = background[i % 3];
  for (const Figure& f : picture.figures) {
    switch (f.kind) {
      case ShapeKind::kCapsule:
        draw_capsule(f.points[0], f.points[1], f.radius[0], f.radius[1], f.fill, f.edge, f.width);
        break;
      case ShapeKind::kPolygon:
        draw_polygon(f);
        break;
      case ShapeKind::kLine:
        draw_line(f.points, f.width, f.fill);
        break;
      case ShapeKind::kText:
        draw_text(f);
        break;
    }
  }
}

void Canvas::blend(int x, int y, Color color, double coverage) {
  if (coverage <= 0) return;
  std::uint8_t* p = &pixels_[3 * (std::size_t(y) * width_ + x)];
  const Color result = mixed({p[0], p[1], p[2]}, color, coverage);
  p[0] = result.red, p[1] = result.green, p[2] = result.blue;
}

void Canvas::draw_capsule(Point2 a, Point2 b, double radius_a, double radius_b, Color fill,
                          Color edge, double edge_width) {
  const CapsuleDistance distance(a, b, radius_a, radius_b);
  const double left = std::min(a.x - radius_a, b.x - radius_b) - 1;
  const double right = std::max(a.x + radius_a, b.x + radius_b) + 1;
  const double top = std::min(a.y - radius_a, b.y - radius_b) - 1;
  const double bottom = std::max(a.y + radius_a, b.y + radius_b) + 1;
  for (int y = first_pixel(top, height_); y < end_pixel(bottom, height_); y++) {
    for (int x = first_pixel(left, width_); x < end_pixel(right, width_); x++) {
      const double d = distance(x + 0.5, y + 0.5);
      if (d >= 0.5) continue;
      if (edge_width > 0) blend(x, y, edge, covered(d));
      blend(x, y, fill, covered(d + edge_width));
    }
  }
}

void Canvas::draw_line(const std::vector<Point2>& points, double width, Color color) {
  for (std::size_t i = 0; i + 1 < points.size(); i++) {
    draw_capsule(points[i], points[i + 1], 0.5 * width, 0.5 * width, color, color, 0);
  }
}

// Scanlines: where a line through the pixels' middle enters and leaves the polygon is exact along
// the row, and kRowParts of them make the coverage down the row.
void Canvas::draw_polygon(const Figure& figure) {
  const std::vector<Point2>& points = figure.points;
  const auto [low, high] = std::minmax_element(points.begin(), points.end(),
                                               [](Point2 a, Point2 b) { return a.y < b.y; });
  for (int y = first_pixel(low->y, height_); y < end_pixel(high->y, height_); y++) {
    std::fill(row_.begin(), row_.end(), 0.0f);
    for (int part = 0; part < kRowParts; part++) {
      const double at = y + (part + 0.5) / kRowParts;
      crossings_.clear();
      for (std::size_t i = 0; i < points.size(); i++) {
        const Point2 a = points[i], b = points[(i + 1) % points.size()];
        if ((a.y <= at) == (b.y <= at)) continue;
        const double x = a.x + (at - a.y) / (b.y - a.y) * (b.x - a.x);
        crossings_.push_back(std::clamp(x, 0.0, double(width_)));
      }
      std::sort(crossings_.begin(), crossings_.end());
      for (std::size_t i = 0; i + 1 < crossings_.size(); i += 2) {
        const double from = crossings_[i], to = crossings_[i + 1];
        for (int x = first_pixel(from, width_); x < end_pixel(to, width_); x++) {
          row_[x] += float((std::min(to, x + 1.0) - std::max(from, double(x))) / kRowParts);
        }
      }
    }
    for (int x = 0; x < width_; x++) blend(x, y, figure.fill, std::min(1.0f, row_[x]));
  }
  if (figure.width <= 0) return;
  std::vector<Point2> outline = points;
  outline.push_back(points.front());
  draw_line(outline, figure.width, figure.edge);
}

void Canvas::draw_text(const Figure& figure) {
  const double unit = figure.size / kFontSize;
  const double length = unit * text_units(figure.text);
  double x = figure.points[0].x;
  if (figure.anchor == TextAnchor::kCentre) x -= 0.5 * length;
  if (figure.anchor == TextAnchor::kRight) x -= length;
  const double base = figure.points[0].y + 0.5 * unit * kCapitalUnits;
  for (std::vector<Point2> stroke : text_strokes(figure.text)) {
    for (Point2& p : stroke) p = {x + unit * p.x, base - unit * p.y};
    draw_line(stroke, std::max(1.1, kPen * figure.size), figure.fill);
  }
}

}  // namespace gallop
