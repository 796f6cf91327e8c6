// Joints that models in the plane share.
#pragma once

#include <gallop/kernels/bodies/model.h>

namespace gallop::inline GALLOP_ISA {

// The first body's place and pitch; its height at rest is `height`.
constexpr JointSpec slide_along_x() {
  return {.name = "x", .body = 1, .kind = JointKind::kSlide, .axis = {1, 0, 0}};
}
constexpr JointSpec slide_along_z(double height) {
  return {
      .name = "z", .body = 1, .kind = JointKind::kSlide, .axis = {0, 0, 1}, .reference = height};
}
constexpr JointSpec pitch() {
  return {.name = "pitch", .body = 1, .kind = JointKind::kHinge, .axis = {0, 1, 0}};
}

// A hinge of a leg, between `low` and `high` degrees.
constexpr JointSpec leg_joint(const char* name, int body, Vector3 position, double low, double high,
                              double armature, double damping) {
  return {.name = name,
          .body = body,
          .kind = JointKind::kHinge,
          .axis = {0, -1, 0},
          .position = position,
          .armature = armature,
          .damping = damping,
          .limited = true,
          .low = radians(low),
          .high = radians(high)};
}

}  // namespace gallop::inline GALLOP_ISA
