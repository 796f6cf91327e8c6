#include <gallop/host/rendering/scene.h>

#include <cmath>
#include <utility>

namespace gallop {

Color mixed(Color from, Color to, double part) {
  const auto mix = [&](std::uint8_t a, std::uint8_t b) {
    return std::uint8_t(std::lround(a + part * (b - a)));
  };
  return {mix(from.red, to.red), mix(from.green, to.green), mix(from.blue, to.blue)};
}

Shape capsule(Point3 from, Point3 to, double radius, Color fill) {
  return {.kind = ShapeKind::kCapsule, .points = {from, to}, .radius = radius, .fill = fill};
}

Shape disc(Point3 centre, double radius, Color fill) {
  return capsule(centre, centre, radius, fill);
}

Shape polygon(std::vector<Point3> points, Color fill) {
  return {.kind = ShapeKind::kPolygon, .points = std::move(points), .fill = fill};
}

Shape line(std::vector<Point3> points, double width, Color color) {
  return {.kind = ShapeKind::kLine, .points = std::move(points), .fill = color, .width = width};
}

Shape label(Point3 at, std::string text, double size, Color color) {
  return {.kind = ShapeKind::kText,
          .points = {at},
          .fill = color,
          .text = std::move(text),
          .size = size};
}

Shape outlined(Shape shape, double width) {
  shape.edge = mixed(shape.fill, {0, 0, 0}, 0.35);
  shape.width = width;
  return shape;
}

}  // namespace gallop
