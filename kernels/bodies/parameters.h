// Parameters of an articulated body that each instance may have of its own: gravity, the mass of
// each body (its inertia goes with it), the friction between each geom and the floor, and the gear
// of each motor. The softness of constraints stays that of the model, inverse weights of bodies
// among it, as when MuJoCo's fields are written.
#pragma once

#include <gallop/kernels/bodies/body_counts.h>
#include <gallop/kernels/bodies/capsule_mass.h>
#include <gallop/kernels/environment/spec.h>

namespace gallop::inline GALLOP_ISA {

// A struct of F alone, in the order of body_parameter_specs.
template <class Model, class F>
struct BodyParameters {
  using Counts = BodyCounts<Model>;
  static constexpr int kMasses = Counts::kBodies - 1;
  static constexpr int kCount = 1 + kMasses + Counts::kFloorGeoms + Counts::kActuators;
  F value[kCount];

  GALLOP_HD F gravity() const { return value[0]; }
  GALLOP_HD F mass(int body) const { return value[body]; }  // bodies count from 1
  GALLOP_HD F friction(int k) const { return value[1 + kMasses + k]; }
  GALLOP_HD F gear(int k) const { return value[1 + kMasses + Counts::kFloorGeoms + k]; }
};

template <class Model>
struct BodyParameterNames {
  static constexpr int kCount = BodyParameters<Model, double>::kCount;
  char name[kCount][32] = {};

  constexpr BodyParameterNames() {
    int n = 0;
    write(n++, "gravity", "");
    for (const BodySpec& body : Model::kBodies) write(n++, "mass_", body.name);
    if (Model::kWorld.has_floor) {
      for (const GeomSpec& geom : Model::kGeoms) {
        if (geom.meets_floor) write(n++, "friction_", geom.name);
      }
    }
    for (const ActuatorSpec& motor : Model::kActuators) {
      write(n++, "gear_", Model::kJoints[motor.joint].name);
    }
  }

 private:
  constexpr void write(int n, const char* kind, const char* of) {
    int at = 0;
    while (*kind != 0) name[n][at++] = *kind++;
    while (*of != 0) name[n][at++] = *of++;
  }
};
template <class Model>
inline constexpr BodyParameterNames<Model> kBodyParameterNames;

// The rows of kParameters: an environment's own `first` [N], then those of its body.
template <class Model, int N>
struct BodyParameterSpecs {
  static constexpr int kBody = BodyParameters<Model, double>::kCount;
  ParameterSpec all[N + kBody] = {};

  constexpr explicit BodyParameterSpecs(const ParameterSpec (&first)[N]) {
    const double scale = mass_scale<Model>();
    for (int k = 0; k < N; k++) all[k] = first[k];
    const char(*name)[32] = kBodyParameterNames<Model>.name;
    int n = N;
    all[n++] = {*name++, -Model::kWorld.gravity.z, 0, 1e3, "m/s^2", "gravitational acceleration"};
    for (int b = 1; b < BodyCounts<Model>::kBodies; b++) {
      const double mass = mass_of_body<Model>(b).mass * scale;
      all[n++] = {
          *name++,
          mass,
          1e-3,
          1e4,
          "kg",
          "mass of a body; its inertia goes with it, its inverse weights, by which contacts and "
          "limits are softened, stay the model's"};
    }
    for (const GeomSpec& geom : Model::kGeoms) {
      if (!geom.meets_floor || !Model::kWorld.has_floor) continue;
      const double floor = Model::kWorld.floor_friction;
      const double friction = geom.friction > floor ? geom.friction : floor;
      all[n++] = {*name++, friction, 1e-5, 1e2, "", "friction against the floor"};
    }
    for (const ActuatorSpec& motor : Model::kActuators) {
      all[n++] = {*name++, motor.gear, -1e4, 1e4, "N m", "force or torque of a motor at control 1"};
    }
  }
};

}  // namespace gallop::inline GALLOP_ISA
