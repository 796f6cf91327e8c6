// The ant of Schulman et al. (2015), "High-dimensional continuous control using generalized
// advantage estimation", with the numbers that Gymnasium 1.4.0 gives it in Ant-v5. Each leg is a
// stub welded to the torso, a thigh that swings about z and a shin that swings in the leg's plane.
#pragma once

#include <gallop/kernels/bodies/model.h>

namespace gallop::inline GALLOP_ISA {

struct AntParts {
  static constexpr JointSpec hinge(const char* name, int body, Vector3 axis, double low,
                                   double high) {
    return {.name = name,
            .body = body,
            .kind = JointKind::kHinge,
            .axis = axis,
            .armature = 1,
            .damping = 1,
            .limited = true,
            .low = radians(low),
            .high = radians(high)};
  }
  static constexpr GeomSpec geom(const char* name, int body, Vector3 to, double radius) {
    return {.name = name,
            .body = body,
            .from = {0, 0, 0},
            .to = to,
            .radius = radius,
            .density = 5,
            .margin = 0.01};
  }
};

struct AntModel : AntParts {
  static constexpr WorldSpec kWorld = {.timestep = 0.01,
                                       .integrator = Integrator::kRungeKutta4,
                                       .has_floor = true,
                                       .floor_margin = 0.01};
  static constexpr BodySpec kBodies[] = {{"torso", 0, {0, 0, 0.75}},
                                         {"front_left_stub", 1, {0, 0, 0}},
                                         {"front_left_thigh", 2, {0.2, 0.2, 0}},
                                         {"front_left_shin", 3, {0.2, 0.2, 0}},
                                         {"front_right_stub", 1, {0, 0, 0}},
                                         {"front_right_thigh", 5, {-0.2, 0.2, 0}},
                                         {"front_right_shin", 6, {-0.2, 0.2, 0}},
                                         {"back_left_stub", 1, {0, 0, 0}},
                                         {"back_left_thigh", 8, {-0.2, -0.2, 0}},
                                         {"back_left_shin", 9, {-0.2, -0.2, 0}},
                                         {"back_right_stub", 1, {0, 0, 0}},
                                         {"back_right_thigh", 11, {0.2, -0.2, 0}},
                                         {"back_right_shin", 12, {0.2, -0.2, 0}}};
  static constexpr JointSpec kJoints[] = {
      {.name = "root", .body = 1, .kind = JointKind::kFree, .axis = {0, 0, 0}},
      hinge("front_left_hip", 3, {0, 0, 1}, -30, 30),
      hinge("front_left_ankle", 4, {-1, 1, 0}, 30, 70),
      hinge("front_right_hip", 6, {0, 0, 1}, -30, 30),
      hinge("front_right_ankle", 7, {1, 1, 0}, -70, -30),
      hinge("back_left_hip", 9, {0, 0, 1}, -30, 30),
      hinge("back_left_ankle", 10, {-1, 1, 0}, -70, -30),
      hinge("back_right_hip", 12, {0, 0, 1}, -30, 30),
      hinge("back_right_ankle", 13, {1, 1, 0}, 30, 70)};
  static constexpr GeomSpec kGeoms[] = {geom("torso", 1, {0, 0, 0}, 0.25),
                                        geom("front_left_stub", 2, {0.2, 0.2, 0}, 0.08),
                                        geom("front_left_thigh", 3, {0.2, 0.2, 0}, 0.08),
                                        geom("front_left_shin", 4, {0.4, 0.4, 0}, 0.08),
                                        geom("front_right_stub", 5, {-0.2, 0.2, 0}, 0.08),
                                        geom("front_right_thigh", 6, {-0.2, 0.2, 0}, 0.08),
                                        geom("front_right_shin", 7, {-0.4, 0.4, 0}, 0.08),
                                        geom("back_left_stub", 8, {-0.2, -0.2, 0}, 0.08),
                                        geom("back_left_thigh", 9, {-0.2, -0.2, 0}, 0.08),
                                        geom("back_left_shin", 10, {-0.4, -0.4, 0}, 0.08),
                                        geom("back_right_stub", 11, {0.2, -0.2, 0}, 0.08),
                                        geom("back_right_thigh", 12, {0.2, -0.2, 0}, 0.08),
                                        geom("back_right_shin", 13, {0.4, -0.4, 0}, 0.08)};
  static constexpr ActuatorSpec kActuators[] = {{7, 150, -1, 1}, {8, 150, -1, 1}, {1, 150, -1, 1},
                                                {2, 150, -1, 1}, {3, 150, -1, 1}, {4, 150, -1, 1},
                                                {5, 150, -1, 1}, {6, 150, -1, 1}};
};

}  // namespace gallop::inline GALLOP_ISA
