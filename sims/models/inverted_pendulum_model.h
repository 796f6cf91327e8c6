// A pole on a cart on a rail, with the numbers that Gymnasium 1.4.0 gives it in
// InvertedPendulum-v5.
#pragma once

#include <gallop/kernels/bodies/model.h>

namespace gallop::inline GALLOP_ISA {

struct InvertedPendulumModel {
  static constexpr WorldSpec kWorld = {.timestep = 0.02, .integrator = Integrator::kRungeKutta4};
  static constexpr BodySpec kBodies[] = {{"cart", 0, {0, 0, 0}}, {"pole", 1, {0, 0, 0}}};
  static constexpr JointSpec kJoints[] = {{.name = "x",
                                           .body = 1,
                                           .kind = JointKind::kSlide,
                                           .axis = {1, 0, 0},
                                           .damping = 1,
                                           .limited = true,
                                           .low = -1,
                                           .high = 1},
                                          {.name = "angle",
                                           .body = 2,
                                           .kind = JointKind::kHinge,
                                           .axis = {0, 1, 0},
                                           .damping = 1,
                                           .limited = true,
                                           .low = radians(-90),
                                           .high = radians(90)}};
  static constexpr GeomSpec kGeoms[] = {
      {.name = "cart", .body = 1, .from = {-0.1, 0, 0}, .to = {0.1, 0, 0}, .radius = 0.1},
      {.name = "pole", .body = 2, .from = {0, 0, 0}, .to = {0.001, 0, 0.6}, .radius = 0.049}};
  static constexpr ActuatorSpec kActuators[] = {{0, 100, -3, 3}};
};

}  // namespace gallop::inline GALLOP_ISA
