#include <gallop/host/rendering/drawings/shapes.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace gallop {
namespace {

constexpr double kArrowWidth = 3;  // pixels

Point3 along(double angle) { return {std::cos(angle), 0, std::sin(angle)}; }

void add_head(std::vector<Shape>& shapes, Point3 tip, double angle, double size, Color color) {
  shapes.push_back(polygon({tip + size * along(angle), tip + 0.6 * size * along(angle + 2.2),
                            tip + 0.6 * size * along(angle - 2.2)},
                           color));
}

}  // namespace

void add_arrow(std::vector<Shape>& shapes, Point3 from, Point3 to, double head, Color color) {
  const double length = std::hypot(to.x - from.x, to.z - from.z);
  if (length < 0.1 * head) return;
  const double angle = std::atan2(to.z - from.z, to.x - from.x);
  const double size = std::min(head, 0.6 * length);
  shapes.push_back(line({from, to - 0.7 * size * along(angle)}, kArrowWidth, color));
  add_head(shapes, to - size * along(angle), angle, size, color);
}

void add_turn_arrow(std::vector<Shape>& shapes, Point3 centre, double radius, double angle,
                    Color color) {
  if (std::abs(angle) < 0.02) return;
  constexpr int kParts = 24;
  std::vector<Point3> arc;
  for (int k = 0; k <= kParts; k++) {
    arc.push_back(centre + radius * along(M_PI / 2 + angle * k / kParts));
  }
  const double size = radius * std::min(0.28, 0.5 * std::abs(angle));
  const double heading = M_PI / 2 + angle + (angle > 0 ? M_PI / 2 : -M_PI / 2);
  const Point3 tip = arc.back();
  shapes.push_back(line(std::move(arc), kArrowWidth, color));
  add_head(shapes, tip, heading, size, color);
}

Shape box(Point3 centre, double half_width, double half_height, double angle, Color fill) {
  const Point3 u = half_width * along(angle), v = half_height * along(angle + M_PI / 2);
  return polygon({centre + u + v, centre - u + v, centre - u - v, centre + u - v}, fill);
}

}  // namespace gallop
