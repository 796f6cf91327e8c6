#pragma once

#include <string>
#include <vector>

#include <gallop/host/rendering/scene.h>

namespace gallop {

// In pixels from the upper left corner.
struct Point2 {
  double x = 0, y = 0;
};

// A shape as it lies in the picture. Widths and sizes are pixels.
struct Figure {
  ShapeKind kind = ShapeKind::kCapsule;
  std::vector<Point2> points;
  double radius[2] = {0, 0};  // of a capsule at its two ends
  Color fill, edge;
  double width = 0;
  std::string text = {};
  double size = 0;
  TextAnchor anchor = TextAnchor::kCentre;
};

struct Picture {
  int width = 0, height = 0;
  Color background;
  std::vector<Figure> figures;  // later ones over earlier ones
};

// What the scene's camera sees. Shapes that are not finite, behind the camera or outside the
// picture are left out.
Picture project(const Scene& scene, int width, int height);

// Pixels for one of a picture of 480 x 360.
double picture_scale(int width, int height);

}  // namespace gallop
