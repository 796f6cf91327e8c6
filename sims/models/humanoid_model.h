// The humanoid of Tassa, Erez and Todorov (2012), "Synthesis and stabilization of complex behaviors
// through online trajectory optimization", with the numbers that Gymnasium 1.4.0 gives it in
// Humanoid-v5. Waist and pelvis are turned against the torso by 0.004 rad each.
#pragma once

#include <gallop/kernels/bodies/model.h>

namespace gallop::inline GALLOP_ISA {

struct HumanoidParts {
  static constexpr Quaternion kTurned = {1, 0, -0.002, 0};
  static constexpr JointSpec hinge(const char* name, int body, Vector3 axis, double low,
                                   double high, double armature, double damping, double stiffness,
                                   double anchor_height = 0) {
    return {.name = name,
            .body = body,
            .kind = JointKind::kHinge,
            .axis = axis,
            .position = {0, 0, anchor_height},
            .armature = armature,
            .damping = damping,
            .stiffness = stiffness,
            .limited = true,
            .low = radians(low),
            .high = radians(high)};
  }
  static constexpr GeomSpec capsule(const char* name, int body, Vector3 from, Vector3 to,
                                    double radius) {
    return {.name = name,
            .body = body,
            .from = from,
            .to = to,
            .radius = radius,
            .margin = 0.001,
            .meets_others = true};
  }
  static constexpr GeomSpec sphere(const char* name, int body, Vector3 centre, double radius) {
    return capsule(name, body, centre, centre, radius);
  }
  static constexpr ActuatorSpec motor(int joint, double gear) { return {joint, gear, -0.4, 0.4}; }
};

struct HumanoidModel : HumanoidParts {
  static constexpr WorldSpec kWorld = {.timestep = 0.003,
                                       .integrator = Integrator::kRungeKutta4,
                                       .has_floor = true,
                                       .floor_margin = 0.001};
  static constexpr BodySpec kBodies[] = {{"torso", 0, {0, 0, 1.4}},
                                         {"waist", 1, {-0.01, 0, -0.26}, kTurned},
                                         {"pelvis", 2, {0, 0, -0.165}, kTurned},
                                         {"right_thigh", 3, {0, -0.1, -0.04}},
                                         {"right_shin", 4, {0, 0.01, -0.403}},
                                         {"right_foot", 5, {0, 0, -0.45}},
                                         {"left_thigh", 3, {0, 0.1, -0.04}},
                                         {"left_shin", 7, {0, -0.01, -0.403}},
                                         {"left_foot", 8, {0, 0, -0.45}},
                                         {"right_upper_arm", 1, {0, -0.17, 0.06}},
                                         {"right_lower_arm", 10, {0.18, -0.18, -0.18}},
                                         {"left_upper_arm", 1, {0, 0.17, 0.06}},
                                         {"left_lower_arm", 12, {0.18, 0.18, -0.18}}};
  static constexpr JointSpec kJoints[] = {
      {.name = "root", .body = 1, .kind = JointKind::kFree, .axis = {0, 0, 0}},
      hinge("abdomen_z", 2, {0, 0, 1}, -45, 45, 0.02, 5, 20, 0.065),
      hinge("abdomen_y", 2, {0, 1, 0}, -75, 30, 0.02, 5, 10, 0.065),
      hinge("abdomen_x", 3, {1, 0, 0}, -35, 35, 0.02, 5, 10, 0.1),
      hinge("right_hip_x", 4, {1, 0, 0}, -25, 5, 0.01, 5, 10),
      hinge("right_hip_z", 4, {0, 0, 1}, -60, 35, 0.01, 5, 10),
      hinge("right_hip_y", 4, {0, 1, 0}, -110, 20, 0.008, 5, 20),
      hinge("right_knee", 5, {0, -1, 0}, -160, -2, 0.006, 1, 0, 0.02),
      hinge("left_hip_x", 7, {-1, 0, 0}, -25, 5, 0.01, 5, 10),
      hinge("left_hip_z", 7, {0, 0, -1}, -60, 35, 0.01, 5, 10),
      hinge("left_hip_y", 7, {0, 1, 0}, -110, 20, 0.01, 5, 20),
      hinge("left_knee", 8, {0, -1, 0}, -160, -2, 0.006, 1, 1, 0.02),
      hinge("right_shoulder1", 10, {2, 1, 1}, -85, 60, 0.0068, 1, 1),
      hinge("right_shoulder2", 10, {0, -1, 1}, -85, 60, 0.0051, 1, 1),
      hinge("right_elbow", 11, {0, -1, 1}, -90, 50, 0.0028, 1, 0),
      hinge("left_shoulder1", 12, {2, -1, 1}, -60, 85, 0.0068, 1, 1),
      hinge("left_shoulder2", 12, {0, 1, 1}, -60, 85, 0.0051, 1, 1),
      hinge("left_elbow", 13, {0, -1, -1}, -90, 50, 0.0028, 1, 0)};
  static constexpr GeomSpec kGeoms[] = {
      capsule("chest", 1, {0, -0.07, 0}, {0, 0.07, 0}, 0.07),
      sphere("head", 1, {0, 0, 0.19}, 0.09),
      capsule("upper_waist", 1, {-0.01, -0.06, -0.12}, {-0.01, 0.06, -0.12}, 0.06),
      capsule("lower_waist", 2, {0, -0.06, 0}, {0, 0.06, 0}, 0.06),
      capsule("pelvis", 3, {-0.02, -0.07, 0}, {-0.02, 0.07, 0}, 0.09),
      capsule("right_thigh", 4, {0, 0, 0}, {0, 0.01, -0.34}, 0.06),
      capsule("right_shin", 5, {0, 0, 0}, {0, 0, -0.3}, 0.049),
      sphere("right_foot", 6, {0, 0, 0.1}, 0.075),
      capsule("left_thigh", 7, {0, 0, 0}, {0, -0.01, -0.34}, 0.06),
      capsule("left_shin", 8, {0, 0, 0}, {0, 0, -0.3}, 0.049),
      sphere("left_foot", 9, {0, 0, 0.1}, 0.075),
      capsule("right_upper_arm", 10, {0, 0, 0}, {0.16, -0.16, -0.16}, 0.04),
      capsule("right_lower_arm", 11, {0.01, 0.01, 0.01}, {0.17, 0.17, 0.17}, 0.031),
      sphere("right_hand", 11, {0.18, 0.18, 0.18}, 0.04),
      capsule("left_upper_arm", 12, {0, 0, 0}, {0.16, 0.16, -0.16}, 0.04),
      capsule("left_lower_arm", 13, {0.01, -0.01, 0.01}, {0.17, -0.17, 0.17}, 0.031),
      sphere("left_hand", 13, {0.18, -0.18, 0.18}, 0.04)};
  static constexpr ActuatorSpec kActuators[] = {
      motor(2, 100), motor(1, 100), motor(3, 100), motor(4, 100),  motor(5, 100),  motor(6, 300),
      motor(7, 200), motor(8, 100), motor(9, 100), motor(10, 300), motor(11, 200), motor(12, 25),
      motor(13, 25), motor(14, 25), motor(15, 25), motor(16, 25),  motor(17, 25)};
};

}  // namespace gallop::inline GALLOP_ISA
