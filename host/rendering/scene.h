#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gallop {

// Of the world, in the units of the environment: z is up; a planar system has y = 0.
struct Point3 {
  double x = 0, y = 0, z = 0;
};
inline Point3 operator+(Point3 a, Point3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Point3 operator-(Point3 a, Point3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Point3 operator*(double s, Point3 a) { return {s * a.x, s * a.y, s * a.z}; }

struct Color {
  std::uint8_t red = 0, green = 0, blue = 0;
  bool operator==(const Color&) const = default;
};
// `part` of the way from one colour to another.
Color mixed(Color from, Color to, double part);

enum class ShapeKind {
  kCapsule,  // between two points; a disc or a sphere where they are one
  kPolygon,
  kLine,  // a polyline
  kText
};

enum class TextAnchor { kCentre, kLeft, kRight };

// Widths of lines and sizes of text are pixels of a picture of 480 x 360, and grow with it.
struct Shape {
  ShapeKind kind = ShapeKind::kCapsule;
  std::vector<Point3> points = {};
  double radius = 0;  // of a capsule, in the world
  Color fill = {};    // of a line or text: its colour
  Color edge = {};    // of capsules and polygons
  double width = 0;   // of the edge or the line
  std::string text = {};
  double size = 0;                          // of the text
  TextAnchor anchor = TextAnchor::kCentre;  // what of the text is at its point
  bool is_solid = false;  // in a perspective view: sorted by depth, with a light on it
};

Shape capsule(Point3 from, Point3 to, double radius, Color fill);
Shape disc(Point3 centre, double radius, Color fill);
Shape polygon(std::vector<Point3> points, Color fill);
Shape line(std::vector<Point3> points, double width, Color color);
Shape label(Point3 at, std::string text, double size, Color color);
// With an edge in a darker shade of its own colour.
Shape outlined(Shape shape, double width = 1.2);

enum class View {
  kSide,        // x to the right, z up
  kTop,         // x to the right, y up
  kPerspective  // from the front right, above the horizon
};

// Looks at `target` so that half_width and half_height around it are in the picture.
struct Camera {
  View view = View::kSide;
  Point3 target;
  double half_width = 1, half_height = 1;
};

// One frame. Shapes are drawn in their order.
struct Scene {
  Camera camera;
  Color background;
  std::vector<Shape> shapes;
};

}  // namespace gallop
