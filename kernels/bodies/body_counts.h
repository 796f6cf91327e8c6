// Sizes that follow from a model.
#pragma once

#include <gallop/kernels/bodies/model.h>

namespace gallop::inline GALLOP_ISA {

// Counts, by functions in a base so that the constants of BodyCounts may call them.
template <class Model>
struct BodyCounter {
  static constexpr bool is_sphere(const GeomSpec& g) {
    const Vector3 d = g.to - g.from;
    return dot(d, d) == 0;
  }
  static constexpr bool meets_floor(const GeomSpec& g) {
    return Model::kWorld.has_floor && g.meets_floor;
  }
  static constexpr int floor_points() {
    int n = 0;
    for (const GeomSpec& g : Model::kGeoms) n += !meets_floor(g) ? 0 : is_sphere(g) ? 1 : 2;
    return n;
  }
  static constexpr int floor_geoms() {
    int n = 0;
    for (const GeomSpec& g : Model::kGeoms) n += meets_floor(g) ? 1 : 0;
    return n;
  }
  static constexpr int parent(int body) { return Model::kBodies[body - 1].parent; }
  static constexpr bool has_joints(int body) {
    for (const JointSpec& j : Model::kJoints) {
      if (j.body == body) return true;
    }
    return false;
  }
  // The body that `body` is welded to: itself where it has joints, else that of its parent.
  static constexpr int welded_to(int body) {
    while (body != 0 && !has_joints(body)) body = parent(body);
    return body;
  }
  // Geoms of one body, or of a body and its parent, do not meet.
  static constexpr bool can_meet(const GeomSpec& x, const GeomSpec& y) {
    const int a = welded_to(x.body), b = welded_to(y.body);
    if (!x.meets_others || !y.meets_others || a == b) return false;
    return a == 0 || b == 0 || (welded_to(parent(a)) != b && welded_to(parent(b)) != a);
  }
  // The place of a joint's first velocity.
  static constexpr int dof_of(int joint) {
    int dof = 0;
    for (int k = 0; k < joint; k++) dof += Model::kJoints[k].kind == JointKind::kFree ? 6 : 1;
    return dof;
  }
  static constexpr int free_joints() {
    int n = 0;
    for (const JointSpec& j : Model::kJoints) n += j.kind == JointKind::kFree ? 1 : 0;
    return n;
  }
  // Bodies that move against their parents, with the world.
  static constexpr int links() {
    int n = 1;
    for (int b = 1; b <= length_of(Model::kBodies); b++) n += has_joints(b) ? 1 : 0;
    return n;
  }
  static constexpr int pairs() {
    int n = 0;
    for (int i = 0; i < length_of(Model::kGeoms); i++) {
      for (int j = i + 1; j < length_of(Model::kGeoms); j++) {
        n += can_meet(Model::kGeoms[i], Model::kGeoms[j]) ? 1 : 0;
      }
    }
    return n;
  }
};

template <class Model>
struct BodyCounts : BodyCounter<Model> {
  static constexpr int kBodies = length_of(Model::kBodies) + 1;  // with the world
  static constexpr int kFree = BodyCounter<Model>::free_joints();
  static constexpr int kDofs = length_of(Model::kJoints) + 5 * kFree;
  static constexpr int kCoordinates = kDofs + kFree;
  static constexpr int kLinks = BodyCounter<Model>::links();
  static constexpr int kGeoms = length_of(Model::kGeoms);
  static constexpr int kActuators = length_of(Model::kActuators);
  static constexpr int kTriangle = kDofs * (kDofs + 1) / 2;
  static constexpr int kFloorPoints = BodyCounter<Model>::floor_points();
  static constexpr int kFloorGeoms = BodyCounter<Model>::floor_geoms();
  static constexpr int kPairs = BodyCounter<Model>::pairs();
};

constexpr int at_least_one(int n) { return n > 0 ? n : 1; }
// Place of element (i, j), i >= j, of a symmetric matrix.
constexpr int packed(int i, int j) { return i * (i + 1) / 2 + j; }

// Whether all hinges have the axis y, or all the axis z, and all capsules lie in one plane with the
// others.
template <class Model>
constexpr bool is_planar() {
  int axis = 0;
  for (const JointSpec& j : Model::kJoints) {
    if (j.kind == JointKind::kFree) return false;
    if (j.kind != JointKind::kHinge) continue;
    const int its = j.axis.y * j.axis.y == 1 ? 2 : j.axis.z * j.axis.z == 1 ? 3 : 0;
    if (its == 0 || (axis != 0 && axis != its)) return false;
    axis = its;
  }
  for (const GeomSpec& g : Model::kGeoms) {
    const Vector3 d = g.to - g.from;
    if ((axis == 2 ? d.y : d.z) != 0) return false;
  }
  return true;
}

template <class Model>
constexpr double margin_of(double x, double y) {
  if (Model::kWorld.margin_rule == MarginRule::kSum) return x + y;
  return x > y ? x : y;
}

}  // namespace gallop::inline GALLOP_ISA
