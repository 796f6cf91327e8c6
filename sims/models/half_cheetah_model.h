// The half cheetah of Wawrzynski (2009), with the numbers that Gymnasium 1.4.0 gives it in
// HalfCheetah-v5. Its capsules are given by centre, angle about y and half length.
#pragma once

#include <gallop/sims/models/planar_joints.h>

namespace gallop::inline GALLOP_ISA {

struct HalfCheetahParts {
  static constexpr Softness kSoftGeom = {.low = 0, .high = 0.8, .width = 0.01};
  static constexpr Softness kSoftLimit = {.low = 0, .high = 0.8, .width = 0.03};
  static constexpr JointSpec joint(const char* name, int body, double low, double high,
                                   double stiffness, double damping) {
    return {.name = name,
            .body = body,
            .kind = JointKind::kHinge,
            .axis = {0, 1, 0},
            .armature = 0.1,
            .damping = damping,
            .stiffness = stiffness,
            .limited = true,
            .low = low,
            .high = high,
            .softness = kSoftLimit};
  }
  static constexpr GeomSpec geom(const char* name, int body, Vector3 centre, double angle,
                                 double half) {
    return {.name = name,
            .body = body,
            .from = end_about_y(centre, angle, -half),
            .to = end_about_y(centre, angle, half),
            .radius = 0.046,
            .friction = 0.4,
            .softness = kSoftGeom};
  }
};

struct HalfCheetahModel : HalfCheetahParts {
  static constexpr WorldSpec kWorld = {.timestep = 0.01,
                                       .integrator = Integrator::kEuler,
                                       .total_mass = 14,
                                       .has_floor = true,
                                       .floor_friction = 0.4,
                                       .floor_softness = kSoftGeom};
  static constexpr BodySpec kBodies[] = {
      {"torso", 0, {0, 0, 0.7}},          {"back_thigh", 1, {-0.5, 0, 0}},
      {"back_shin", 2, {0.16, 0, -0.25}}, {"back_foot", 3, {-0.28, 0, -0.14}},
      {"front_thigh", 1, {0.5, 0, 0}},    {"front_shin", 5, {-0.14, 0, -0.24}},
      {"front_foot", 6, {0.13, 0, -0.18}}};
  static constexpr JointSpec kJoints[] = {slide_along_x(),
                                          slide_along_z(0),
                                          pitch(),
                                          joint("back_thigh", 2, -0.52, 1.05, 240, 6),
                                          joint("back_shin", 3, -0.785, 0.785, 180, 4.5),
                                          joint("back_foot", 4, -0.4, 0.785, 120, 3),
                                          joint("front_thigh", 5, -1, 0.7, 180, 4.5),
                                          joint("front_shin", 6, -1.2, 0.87, 120, 3),
                                          joint("front_foot", 7, -0.5, 0.5, 60, 1.5)};
  static constexpr GeomSpec kGeoms[] = {{.name = "torso",
                                         .body = 1,
                                         .from = {-0.5, 0, 0},
                                         .to = {0.5, 0, 0},
                                         .radius = 0.046,
                                         .friction = 0.4,
                                         .softness = kSoftGeom},
                                        geom("head", 1, {0.6, 0, 0.1}, 0.87, 0.15),
                                        geom("back_thigh", 2, {0.1, 0, -0.13}, -3.8, 0.145),
                                        geom("back_shin", 3, {-0.14, 0, -0.07}, -2.03, 0.15),
                                        geom("back_foot", 4, {0.03, 0, -0.097}, -0.27, 0.094),
                                        geom("front_thigh", 5, {-0.07, 0, -0.12}, 0.52, 0.133),
                                        geom("front_shin", 6, {0.065, 0, -0.09}, -0.6, 0.106),
                                        geom("front_foot", 7, {0.045, 0, -0.07}, -0.6, 0.07)};
  static constexpr ActuatorSpec kActuators[] = {{3, 120, -1, 1}, {4, 90, -1, 1}, {5, 60, -1, 1},
                                                {6, 120, -1, 1}, {7, 60, -1, 1}, {8, 30, -1, 1}};
};

}  // namespace gallop::inline GALLOP_ISA
