// What it takes to draw an articulated body, as plain data that host code can read: the tables of
// its model (bodies/model.h) without masses and motors. Body 0 is the world; lengths in m, angles
// in radians.
#pragma once

#include <gallop/kernels/bodies/model.h>

namespace gallop {

enum class SkeletonJointKind : int {
  kSlide,  // one coordinate each
  kHinge,
  kFree  // seven coordinates: a position, and a rotation as the quaternion w, x, y, z
};

struct SkeletonBody {
  int parent;
  double position[3];     // in the frame of the parent
  double orientation[4];  // quaternion w, x, y, z of any length
};
struct SkeletonJoint {
  int body;
  SkeletonJointKind kind;
  double axis[3], position[3];  // in the frame of the body; an axis of any length
  double reference;             // the coordinate in the pose that is written
  bool limited;
  double low, high;
};
struct SkeletonGeom {  // a capsule; a sphere where its ends are one
  int body;
  double from[3], to[3], radius;
};

// An environment's state begins with the coordinates of the joints, in their order.
struct Skeleton {
  int n_bodies, n_joints, n_geoms;
  const SkeletonBody* bodies;   // [n_bodies] bodies 1, 2, ...
  const SkeletonJoint* joints;  // [n_joints]
  const SkeletonGeom* geoms;    // [n_geoms]
  bool has_floor;               // the plane z = 0
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class Model>
struct SkeletonTables {
  SkeletonBody bodies[length_of(Model::kBodies)] = {};
  SkeletonJoint joints[length_of(Model::kJoints)] = {};
  SkeletonGeom geoms[length_of(Model::kGeoms)] = {};

  constexpr SkeletonTables() {
    int n = 0;
    for (const BodySpec& b : Model::kBodies) {
      bodies[n] = {b.parent, {b.position.x, b.position.y, b.position.z}, {1, 0, 0, 0}};
      turn(bodies[n++], b);
    }
    n = 0;
    for (const JointSpec& j : Model::kJoints) {
      joints[n++] = {j.body,
                     kind_of(j.kind),
                     {j.axis.x, j.axis.y, j.axis.z},
                     {j.position.x, j.position.y, j.position.z},
                     j.reference,
                     j.limited,
                     j.low,
                     j.high};
    }
    n = 0;
    for (const GeomSpec& g : Model::kGeoms) {
      geoms[n++] = {g.body, {g.from.x, g.from.y, g.from.z}, {g.to.x, g.to.y, g.to.z}, g.radius};
    }
  }
  // Models of the plane have neither turned bodies nor free joints.
  template <class Spec>
  static constexpr void turn(SkeletonBody& body, const Spec& spec) {
    if constexpr (requires { spec.orientation; }) {
      const double q[4] = {spec.orientation.w, spec.orientation.x, spec.orientation.y,
                           spec.orientation.z};
      for (int k = 0; k < 4; k++) body.orientation[k] = q[k];
    }
  }
  template <class Kind>
  static constexpr SkeletonJointKind kind_of(Kind kind) {
    if constexpr (requires { Kind::kFree; }) {
      if (kind == Kind::kFree) return SkeletonJointKind::kFree;
    }
    return kind == Kind::kSlide ? SkeletonJointKind::kSlide : SkeletonJointKind::kHinge;
  }
};
template <class Model>
inline constexpr SkeletonTables<Model> kSkeletonTables;

// Of an environment that names its Model and kFrameSkip.
template <class Env>
inline constexpr Skeleton kSkeleton = {length_of(Env::Model::kBodies),
                                       length_of(Env::Model::kJoints),
                                       length_of(Env::Model::kGeoms),
                                       kSkeletonTables<typename Env::Model>.bodies,
                                       kSkeletonTables<typename Env::Model>.joints,
                                       kSkeletonTables<typename Env::Model>.geoms,
                                       Env::Model::kWorld.has_floor};

}  // namespace gallop::inline GALLOP_ISA
