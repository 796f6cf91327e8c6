#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <gallop/host/rendering/picture.h>

namespace gallop {

// Pictures in memory, with smooth edges: each pixel takes of a figure's colour the part of it that
// the figure covers. Equal pictures give equal bytes.
class Canvas {
 public:
  Canvas(int width, int height);

  int width() const { return width_; }
  int height() const { return height_; }
  // [height, width, 3] red, green, blue, from the upper left corner.
  std::span<const std::uint8_t> pixels() const { return pixels_; }
  Color at(int x, int y) const;

  // Paints the picture over all that was there.
  void draw(const Picture& picture);

 private:
  void blend(int x, int y, Color color, double coverage);
  void draw_capsule(Point2 a, Point2 b, double radius_a, double radius_b, Color fill, Color edge,
                    double edge_width);
  void draw_line(const std::vector<Point2>& points, double width, Color color);
  void draw_polygon(const Figure& figure);
  void draw_text(const Figure& figure);

  int width_, height_;
  std::vector<std::uint8_t> pixels_;
  std::vector<float> row_;  // coverage of a row of pixels by a polygon
  std::vector<double> crossings_;
};

}  // namespace gallop
