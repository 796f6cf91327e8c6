#pragma once

#include <span>
#include <vector>

#include <gallop/host/rendering/scene.h>
#include <gallop/kernels/bodies/skeleton.h>

namespace gallop {

// A rotation by its matrix, and where the origin of the rotated frame is.
struct Frame {
  double rotation[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  Point3 origin;

  Point3 rotated(Point3 p) const;
  Point3 placed(Point3 p) const { return origin + rotated(p); }
};

// How many coordinates the joints have.
int coordinate_count(const Skeleton& skeleton);

// The frames of all bodies [n_bodies + 1] in the world, the world's own first, for the coordinates
// q [coordinate_count]. A body's joints move it one after the other, in their order: each acts in
// the frame that the ones before it leave, as in MuJoCo.
std::vector<Frame> body_frames(const Skeleton& skeleton, std::span<const double> q);

}  // namespace gallop
