// The two-legged walker with the numbers that Gymnasium 1.4.0 gives it in Walker2d-v5. Height is
// that of the torso's centre.
#pragma once

#include <gallop/sims/models/planar_joints.h>

namespace gallop::inline GALLOP_ISA {

struct Walker2dParts {
  static constexpr JointSpec joint(const char* name, int body, Vector3 position, double low,
                                   double high) {
    return leg_joint(name, body, position, low, high, 0.01, 0.1);
  }
  static constexpr GeomSpec geom(const char* name, int body, Vector3 from, Vector3 to,
                                 double radius, double friction) {
    return {
        .name = name, .body = body, .from = from, .to = to, .radius = radius, .friction = friction};
  }
};

struct Walker2dModel : Walker2dParts {
  static constexpr WorldSpec kWorld = {.timestep = 0.002,
                                       .integrator = Integrator::kRungeKutta4,
                                       .has_floor = true,
                                       .floor_friction = 0.7};
  static constexpr BodySpec kBodies[] = {
      {"torso", 0, {0, 0, 1.25}},       {"thigh", 1, {0, 0, -0.2}},
      {"leg", 2, {0, 0, -0.7}},         {"foot", 3, {0.2, 0, -0.35}},
      {"left_thigh", 1, {0, 0, -0.2}},  {"left_leg", 5, {0, 0, -0.7}},
      {"left_foot", 6, {0.2, 0, -0.35}}};
  static constexpr JointSpec kJoints[] = {slide_along_x(),
                                          slide_along_z(1.25),
                                          pitch(),
                                          joint("thigh", 2, {0, 0, 0}, -150, 0),
                                          joint("leg", 3, {0, 0, 0.25}, -150, 0),
                                          joint("foot", 4, {-0.2, 0, 0.1}, -45, 45),
                                          joint("left_thigh", 5, {0, 0, 0}, -150, 0),
                                          joint("left_leg", 6, {0, 0, 0.25}, -150, 0),
                                          joint("left_foot", 7, {-0.2, 0, 0.1}, -45, 45)};
  static constexpr GeomSpec kGeoms[] = {
      geom("torso", 1, {0, 0, 0.2}, {0, 0, -0.2}, 0.05, 0.9),
      geom("thigh", 2, {0, 0, 0}, {0, 0, -0.45}, 0.05, 0.9),
      geom("leg", 3, {0, 0, 0.25}, {0, 0, -0.25}, 0.04, 0.9),
      geom("foot", 4, {-0.2, 0, 0.1}, {0, 0, 0.1}, 0.06, 1.9),
      geom("left_thigh", 5, {0, 0, 0}, {0, 0, -0.45}, 0.05, 0.9),
      geom("left_leg", 6, {0, 0, 0.25}, {0, 0, -0.25}, 0.04, 0.9),
      geom("left_foot", 7, {-0.2, 0, 0.1}, {0, 0, 0.1}, 0.06, 1.9)};
  static constexpr ActuatorSpec kActuators[] = {{3, 100, -1, 1}, {4, 100, -1, 1}, {5, 100, -1, 1},
                                                {6, 100, -1, 1}, {7, 100, -1, 1}, {8, 100, -1, 1}};
};

}  // namespace gallop::inline GALLOP_ISA
