// The swimmer of Coulom (2002), three links in a viscous medium, with the numbers that Gymnasium
// 1.4.0 gives it in Swimmer-v5. It moves in the horizontal plane and touches nothing.
#pragma once

#include <gallop/kernels/bodies/model.h>

namespace gallop::inline GALLOP_ISA {

struct SwimmerModel {
  static constexpr WorldSpec kWorld = {
      .timestep = 0.01, .integrator = Integrator::kRungeKutta4, .density = 4000, .viscosity = 0.1};
  static constexpr BodySpec kBodies[] = {
      {"torso", 0, {0, 0, 0}}, {"mid", 1, {0.5, 0, 0}}, {"back", 2, {-1, 0, 0}}};
  static constexpr JointSpec kJoints[] = {
      {.name = "x", .body = 1, .kind = JointKind::kSlide, .axis = {1, 0, 0}, .armature = 0.1},
      {.name = "y", .body = 1, .kind = JointKind::kSlide, .axis = {0, 1, 0}, .armature = 0.1},
      {.name = "yaw", .body = 1, .kind = JointKind::kHinge, .axis = {0, 0, 1}, .armature = 0.1},
      {.name = "front",
       .body = 2,
       .kind = JointKind::kHinge,
       .axis = {0, 0, 1},
       .armature = 0.1,
       .limited = true,
       .low = radians(-100),
       .high = radians(100)},
      {.name = "rear",
       .body = 3,
       .kind = JointKind::kHinge,
       .axis = {0, 0, 1},
       .armature = 0.1,
       .limited = true,
       .low = radians(-100),
       .high = radians(100)}};
  static constexpr GeomSpec kGeoms[] = {
      {.name = "torso", .body = 1, .from = {1.5, 0, 0}, .to = {0.5, 0, 0}, .radius = 0.1},
      {.name = "mid", .body = 2, .from = {0, 0, 0}, .to = {-1, 0, 0}, .radius = 0.1},
      {.name = "back", .body = 3, .from = {0, 0, 0}, .to = {-1, 0, 0}, .radius = 0.1}};
  static constexpr ActuatorSpec kActuators[] = {{3, 150, -1, 1}, {4, 150, -1, 1}};
};

}  // namespace gallop::inline GALLOP_ISA
