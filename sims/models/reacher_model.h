// The arm of two links of Gymnasium 1.4.0's Reacher-v5 and the target that it reaches for, which
// slides where it is put. It moves in a horizontal plane and touches nothing; the walls that
// Gymnasium draws around it have no part in the motion.
#pragma once

#include <gallop/kernels/bodies/model.h>

namespace gallop::inline GALLOP_ISA {

struct ReacherParts {
  static constexpr double kLink = 0.1, kReach = 0.11;  // of the upper arm, and of the lower one, m

  static constexpr GeomSpec link(const char* name, int body) {
    return {.name = name, .body = body, .from = {0, 0, 0}, .to = {kLink, 0, 0}, .radius = 0.01};
  }
  static constexpr GeomSpec ball(const char* name, int body, double radius) {
    return {.name = name, .body = body, .from = {0, 0, 0}, .to = {0, 0, 0}, .radius = radius};
  }
  static constexpr JointSpec hinge(const char* name, int body, bool limited) {
    return {.name = name,
            .body = body,
            .kind = JointKind::kHinge,
            .axis = {0, 0, 1},
            .armature = 1,
            .damping = 1,
            .limited = limited,
            .low = -3,
            .high = 3};
  }
  static constexpr JointSpec slide(const char* name, Vector3 axis, double reference) {
    return {.name = name,
            .body = 4,
            .kind = JointKind::kSlide,
            .axis = axis,
            .reference = reference,
            .limited = true,
            .low = -0.27,
            .high = 0.27};
  }
};

struct ReacherModel : ReacherParts {
  static constexpr WorldSpec kWorld = {.timestep = 0.01, .integrator = Integrator::kRungeKutta4};
  static constexpr BodySpec kBodies[] = {{"upper_arm", 0, {0, 0, 0.01}},
                                         {"lower_arm", 1, {kLink, 0, 0}},
                                         {"fingertip", 2, {kReach, 0, 0}},
                                         {"target", 0, {0.1, -0.1, 0.01}}};
  static constexpr JointSpec kJoints[] = {hinge("shoulder", 1, false), hinge("elbow", 2, true),
                                          slide("target_x", {1, 0, 0}, 0.1),
                                          slide("target_y", {0, 1, 0}, -0.1)};
  static constexpr GeomSpec kGeoms[] = {link("upper_arm", 1), link("lower_arm", 2),
                                        ball("fingertip", 3, 0.01), ball("target", 4, 0.009)};
  static constexpr ActuatorSpec kActuators[] = {{0, 200, -1, 1}, {1, 200, -1, 1}};
};

}  // namespace gallop::inline GALLOP_ISA
