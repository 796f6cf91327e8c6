// Shapes that several drawings have in common. All in the plane y = 0.
#pragma once

#include <vector>

#include <gallop/host/rendering/scene.h>

namespace gallop {

// From `from` towards `to` with a head of length `head`, less on a short arrow; nothing where it
// has no length.
void add_arrow(std::vector<Shape>& shapes, Point3 from, Point3 to, double head, Color color);

// An arrow around `centre`, anticlockwise by `angle` from the top.
void add_turn_arrow(std::vector<Shape>& shapes, Point3 centre, double radius, double angle,
                    Color color);

// A box about `centre`, turned anticlockwise by `angle`.
Shape box(Point3 centre, double half_width, double half_height, double angle, Color fill);

}  // namespace gallop
