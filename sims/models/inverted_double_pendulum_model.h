// Two poles on a cart on a rail, with the numbers that Gymnasium 1.4.0 gives them in
// InvertedDoublePendulum-v5: gravity leans a little, so that upright is no rest.
#pragma once

#include <gallop/kernels/bodies/model.h>

namespace gallop::inline GALLOP_ISA {

struct InvertedDoublePendulumModel {
  static constexpr WorldSpec kWorld = {
      .timestep = 0.01, .integrator = Integrator::kRungeKutta4, .gravity = {1e-5, 0, -9.81}};
  static constexpr double kPole = 0.6;  // length of each
  static constexpr BodySpec kBodies[] = {
      {"cart", 0, {0, 0, 0}}, {"lower", 1, {0, 0, 0}}, {"upper", 2, {0, 0, kPole}}};
  static constexpr JointSpec kJoints[] = {
      {.name = "x",
       .body = 1,
       .kind = JointKind::kSlide,
       .axis = {1, 0, 0},
       .damping = 0.05,
       .limited = true,
       .low = -1,
       .high = 1,
       .margin = 0.01},
      {.name = "lower", .body = 2, .kind = JointKind::kHinge, .axis = {0, 1, 0}, .damping = 0.05},
      {.name = "upper", .body = 3, .kind = JointKind::kHinge, .axis = {0, 1, 0}, .damping = 0.05}};
  static constexpr GeomSpec kGeoms[] = {
      {.name = "cart", .body = 1, .from = {-0.1, 0, 0}, .to = {0.1, 0, 0}, .radius = 0.1},
      {.name = "lower", .body = 2, .from = {0, 0, 0}, .to = {0, 0, kPole}, .radius = 0.045},
      {.name = "upper", .body = 3, .from = {0, 0, 0}, .to = {0, 0, kPole}, .radius = 0.045}};
  static constexpr ActuatorSpec kActuators[] = {{0, 500, -1, 1}};
};

}  // namespace gallop::inline GALLOP_ISA
