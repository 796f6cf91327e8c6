// The one-legged hopper of Erez, Tassa and Todorov (2011), with the numbers that Gymnasium 1.4.0
// gives it in Hopper-v5. Height is that of the torso's centre.
#pragma once

#include <gallop/sims/models/planar_joints.h>

namespace gallop::inline GALLOP_ISA {

struct HopperParts {
  static constexpr Softness kSoft = {.low = 0.8, .high = 0.8, .width = 0.01};
  static constexpr JointSpec joint(const char* name, int body, Vector3 position, double low,
                                   double high) {
    return leg_joint(name, body, position, low, high, 1, 1);
  }
  static constexpr GeomSpec geom(const char* name, int body, Vector3 from, Vector3 to,
                                 double radius, double friction) {
    return {.name = name,
            .body = body,
            .from = from,
            .to = to,
            .radius = radius,
            .friction = friction,
            .margin = 0.001,
            .meets_others = true,
            .softness = kSoft};
  }
};

struct HopperModel : HopperParts {
  static constexpr WorldSpec kWorld = {.timestep = 0.002,
                                       .integrator = Integrator::kRungeKutta4,
                                       .has_floor = true,
                                       .floor_margin = 0.001,
                                       .floor_softness = kSoft};
  static constexpr BodySpec kBodies[] = {{"torso", 0, {0, 0, 1.25}},
                                         {"thigh", 1, {0, 0, -0.2}},
                                         {"leg", 2, {0, 0, -0.7}},
                                         {"foot", 3, {0.13, 0, -0.35}}};
  static constexpr JointSpec kJoints[] = {slide_along_x(),
                                          slide_along_z(1.25),
                                          pitch(),
                                          joint("thigh", 2, {0, 0, 0}, -150, 0),
                                          joint("leg", 3, {0, 0, 0.25}, -150, 0),
                                          joint("foot", 4, {-0.13, 0, 0.1}, -45, 45)};
  static constexpr GeomSpec kGeoms[] = {
      geom("torso", 1, {0, 0, 0.2}, {0, 0, -0.2}, 0.05, 0.9),
      geom("thigh", 2, {0, 0, 0}, {0, 0, -0.45}, 0.05, 0.9),
      geom("leg", 3, {0, 0, 0.25}, {0, 0, -0.25}, 0.04, 0.9),
      geom("foot", 4, {-0.26, 0, 0.1}, {0.13, 0, 0.1}, 0.06, 2.0)};
  static constexpr ActuatorSpec kActuators[] = {{3, 200, -1, 1}, {4, 200, -1, 1}, {5, 200, -1, 1}};
};

}  // namespace gallop::inline GALLOP_ISA
