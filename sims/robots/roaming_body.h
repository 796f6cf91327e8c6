// What environments of bodies that roam in space have in common. Beside coordinates and velocities
// they observe what MuJoCo tells of each body (bodies/spatial_observables.h), which a state
// therefore holds.
#pragma once

#include <gallop/sims/robots/running_body.h>

namespace gallop::inline GALLOP_ISA {

// Sizes of what is told: of all bodies but the world.
template <class Model>
struct RoamingSizes {
  using Counts = BodyCounts<Model>;
  static constexpr int kCoordinates = Counts::kCoordinates, kDofs = Counts::kDofs;
  static constexpr int kInertia = 10 * (Counts::kBodies - 1), kVelocity = 6 * (Counts::kBodies - 1);
  static constexpr int kMotor = kDofs - 6, kContact = 6 * (Counts::kBodies - 1);
};

// The names of a state's members: coordinates, velocities, where `kTellsAll` inertias, velocities
// and motor torques, always contact forces, and the lag along x and y.
template <class Model, bool kTellsAll>
struct RoamingNames {
  using Sizes = RoamingSizes<Model>;
  static constexpr int kTold =
      kTellsAll ? Sizes::kInertia + Sizes::kVelocity + Sizes::kMotor + Sizes::kContact
                : Sizes::kContact;
  static constexpr int kCount = Sizes::kCoordinates + Sizes::kDofs + kTold + 2;
  char text[kCount][40] = {};

  constexpr RoamingNames() {
    constexpr const char* kRoot[] = {"x", "y", "z", "qw", "qx", "qy", "qz"};
    constexpr const char* kRootRates[] = {"x", "y", "z", "roll", "pitch", "yaw"};
    constexpr const char* kInertia[] = {"inertia_xx_", "inertia_yy_", "inertia_zz_", "inertia_xy_",
                                        "inertia_xz_", "inertia_yz_", "moment_x_",   "moment_y_",
                                        "moment_z_",   "mass_"};
    constexpr const char* kVelocity[] = {"turn_x_",  "turn_y_",  "turn_z_",
                                         "speed_x_", "speed_y_", "speed_z_"};
    constexpr const char* kContact[] = {"torque_x_", "torque_y_", "torque_z_",
                                        "force_x_",  "force_y_",  "force_z_"};
    for (const char* name : kRoot) write(name, "", "");
    each_hinge("", "");
    for (const char* name : kRootRates) write(name, "_dot", "");
    each_hinge("", "_dot");
    if (kTellsAll) {
      for (const BodySpec& body : Model::kBodies) {
        for (const char* kind : kInertia) write(kind, body.name, "");
      }
      for (const BodySpec& body : Model::kBodies) {
        for (const char* kind : kVelocity) write(kind, body.name, "");
      }
      each_hinge("motor_", "");
    }
    for (const BodySpec& body : Model::kBodies) {
      for (const char* kind : kContact) write(kind, body.name, "");
    }
    write("x_lag", "", "");
    write("y_lag", "", "");
  }

 private:
  int n_ = 0;
  constexpr void write(const char* a, const char* b, const char* c) {
    char* to = text[n_++];
    const char* const parts[] = {a, b, c};
    for (const char* part : parts) {
      while (*part != 0) *to++ = *part++;
    }
  }
  constexpr void each_hinge(const char* before, const char* after) {
    for (const JointSpec& joint : Model::kJoints) {
      if (joint.kind == JointKind::kHinge) write(before, joint.name, after);
    }
  }
};
template <class Model, bool kTellsAll>
inline constexpr RoamingNames<Model, kTellsAll> kRoamingNames;

// kStateNames and kObservation. All but the place on the floor and the lag is observed; contact
// forces within plus and minus `contact_bound`.
template <class Model, bool kTellsAll>
struct RoamingSpecs {
  static constexpr int kState = RoamingNames<Model, kTellsAll>::kCount;
  static constexpr int kObserved = kState - 4;
  const char* state[kState] = {};
  ComponentSpec observation[kObserved] = {};

  constexpr explicit RoamingSpecs(double contact_bound) {
    const auto& names = kRoamingNames<Model, kTellsAll>;
    for (int k = 0; k < kState; k++) state[k] = names.text[k];
    for (int k = 0; k < kObserved; k++) {
      const bool contact = k >= kObserved - RoamingSizes<Model>::kContact;
      const double bound = contact ? contact_bound : kNoBound;
      observation[k] = {names.text[2 + k], -bound, bound};
    }
  }
};

// The height of the rest pose, as a number: device code reads no table through a reference.
template <class Model>
constexpr double kRestHeight = Model::kBodies[0].position.z;

// Coordinates uniform within `noise` of the rest pose.
template <class Model, class F>
GALLOP_HD void reset_coordinates(F* q, F noise, Rng<F>& rng) {
  for (int k = 0; k < BodyCounts<Model>::kCoordinates; k++) q[k] = rng.uniform(-noise, noise);
  q[2] += real<F>(kRestHeight<Model>);
  q[3] += real<F>(1.0);
}

// Advances a body; `speed` [2] becomes its mean speed along x and y, that of its root or of its
// centre of mass. As in MuJoCo where a body is after a step is where the last Runge-Kutta stage saw
// it; `lag` [2] is by how much that is beyond the root. The way of this step alone is integrated,
// so that a far body's speed is as exact as a near one's.
enum class Followed { kRoot, kCentreOfMass };
template <class Model, class F>
GALLOP_HD void roam(const BodyParameters<Model, F>& p, int frame_skip, const F* action,
                    Followed followed, F* q, F* v, F* lag, LastEvaluation<Model, F>& last,
                    F* speed) {
  const F before[2] = {q[0], q[1]};
  q[0] = q[1] = real<F>(0.0);
  advance_bodies<Model, F>(p, frame_skip, action, q, v, &last);
  const F offset[2] = {last.observables.centre.x, last.observables.centre.y};
  for (int k = 0; k < 2; k++) {
    F seen = last.root[k];
    if (followed == Followed::kCentreOfMass) seen += offset[k];
    speed[k] = (seen - lag[k]) * real<F>(1 / (frame_skip * Model::kWorld.timestep));
    lag[k] = seen - q[k];
    q[k] += before[k];
  }
}

// A step's outcome, and what it tells: kTerms below.
struct RoamingTerms {
  static constexpr const char* kTerms[] = {"x_position",  "y_position",     "distance_from_origin",
                                           "x_velocity",  "y_velocity",     "reward_forward",
                                           "reward_ctrl", "reward_contact", "reward_survive"};
};
template <class F>
GALLOP_HD Outcome<F> roaming_outcome(const F* q, const F* speed, F forward, F control, F contact,
                                     F alive, Mask<F> terminated, F* terms) {
  const F told[] = {q[0],     q[1],     sqrt(fmadd(q[0], q[0], q[1] * q[1])),
                    speed[0], speed[1], forward,
                    -control, -contact, alive};
  for (int k = 0; k < 9; k++) terms[k] = told[k];
  return {forward + alive - control - contact, terminated};
}

}  // namespace gallop::inline GALLOP_ISA
