// What a person writes down of an articulated body. A model is a struct of static members:
//
//   struct HopperModel {
//     static constexpr WorldSpec kWorld = {...};
//     static constexpr BodySpec kBodies[] = {...};          // body 0 is the world and not listed
//     static constexpr JointSpec kJoints[] = {...};         // in the order of their bodies
//     static constexpr GeomSpec kGeoms[] = {...};
//     static constexpr ActuatorSpec kActuators[] = {...};
//   };
//
// Lengths in m, angles in radians, masses in kg. Positions stand in the frame of the body, that of
// a body in the frame of its parent. A joint's coordinate is `reference` in the pose that is
// written. A body without joints is welded to its parent. A free joint has seven coordinates, the
// position of its body and a quaternion, and six velocities, those of the position in the axes of
// the world and a rotation in the axes of the body. Masses, inertias and whatever else follows is
// computed (bodies/compiled_model.h).
//
// Terms and defaults are MuJoCo's: https://mujoco.readthedocs.io/en/stable/XMLreference.html.
#pragma once

#include <gallop/kernels/bodies/constant_math.h>

namespace gallop::inline GALLOP_ISA {

enum class JointKind : int { kSlide, kHinge, kFree };
enum class Integrator : int { kEuler, kRungeKutta4 };

// How the margins of two geoms make that of their contact: the greater one before MuJoCo 3.5, the
// sum since.
enum class MarginRule : int { kMaximum, kSum };

// A soft constraint: solref and solimp.
struct Softness {
  double time_constant = 0.02, damping_ratio = 1;
  double low = 0.9, high = 0.95, width = 0.001, midpoint = 0.5, power = 2;
};

struct WorldSpec {
  double timestep;
  Integrator integrator;
  MarginRule margin_rule = MarginRule::kSum;
  Vector3 gravity = {0, 0, -9.81};
  double density = 0, viscosity = 0;  // of the medium
  double total_mass = 0;              // all masses are scaled to it, unless 0
  bool has_floor = false;             // the plane z = 0
  double floor_friction = 1, floor_margin = 0;
  Softness floor_softness = {};
};

struct BodySpec {
  const char* name;
  int parent;
  Vector3 position;
  Quaternion orientation = {1, 0, 0, 0};  // of any length
};

struct JointSpec {
  const char* name;
  int body;
  JointKind kind;
  Vector3 axis;
  Vector3 position = {0, 0, 0};
  double armature = 0, damping = 0, stiffness = 0, reference = 0;
  bool limited = false;
  double low = 0, high = 0, margin = 0;
  Softness softness = {};
};

// A capsule between two points; a sphere where they are one.
struct GeomSpec {
  const char* name;
  int body;
  Vector3 from, to;
  double radius;
  double density = 1000, friction = 1, margin = 0;
  bool meets_floor = true, meets_others = false;
  Softness softness = {};
};

// A motor: torque = gear * clamp(control, low, high).
struct ActuatorSpec {
  int joint;
  double gear, low, high;
};

// The ends of a capsule of half length `half` whose axis is that of z turned by `angle` about y.
constexpr Vector3 end_about_y(Vector3 centre, double angle, double half) {
  return {centre.x + half * constant_sin(angle), centre.y, centre.z + half * constant_cos(angle)};
}

template <class T, int N>
constexpr int length_of(const T (&)[N]) {
  return N;
}

}  // namespace gallop::inline GALLOP_ISA
