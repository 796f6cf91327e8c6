// The humanoid of models/humanoid_model.h on its back, with the numbers that Gymnasium 1.4.0 gives
// it in HumanoidStandup-v5: torso, waist and legs lie along x in place of z, the feet are turned
// up, and the left hip bends a little further.
#pragma once

#include <gallop/sims/models/humanoid_model.h>

namespace gallop::inline GALLOP_ISA {

struct HumanoidStandupTables {
  BodySpec bodies[length_of(HumanoidModel::kBodies)] = {};
  JointSpec joints[length_of(HumanoidModel::kJoints)] = {};
  GeomSpec geoms[length_of(HumanoidModel::kGeoms)] = {};

  constexpr HumanoidStandupTables() {
    for (int k = 0; k < length_of(bodies); k++) bodies[k] = HumanoidModel::kBodies[k];
    for (int k = 0; k < length_of(joints); k++) joints[k] = HumanoidModel::kJoints[k];
    for (int k = 0; k < length_of(geoms); k++) geoms[k] = HumanoidModel::kGeoms[k];
    constexpr Vector3 kPlaces[] = {{0, 0, 0.105}, {0.21, 0, 0},      {0.165, 0, 0},
                                   {0, -0.1, 0},  {0.403, 0.01, 0},  {0.35, 0, -0.1},
                                   {0, 0.1, 0},   {0.403, -0.01, 0}, {0.35, 0, -0.1}};
    for (int k = 0; k < length_of(kPlaces); k++) bodies[k].position = kPlaces[k];
    joints[10].low = radians(-120);
    geoms[1].from = geoms[1].to = {-0.15, 0, 0};
    geoms[2].from = {0.11, -0.06, 0};
    geoms[2].to = {0.11, 0.06, 0};
    geoms[5].to = {0.34, 0.01, 0};
    geoms[6].to = geoms[9].to = {0.3, 0, 0};
    geoms[8].to = {0.34, -0.01, 0};
  }
};

struct HumanoidStandupModel : HumanoidParts {
  static constexpr HumanoidStandupTables kTables{};
  static constexpr WorldSpec kWorld = HumanoidModel::kWorld;
  static constexpr auto& kBodies = kTables.bodies;
  static constexpr auto& kJoints = kTables.joints;
  static constexpr auto& kGeoms = kTables.geoms;
  static constexpr auto& kActuators = HumanoidModel::kActuators;
};

}  // namespace gallop::inline GALLOP_ISA
