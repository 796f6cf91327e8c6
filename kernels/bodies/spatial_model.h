// What follows from a model whose root body is free in space, computed by the compiler. Bodies
// without joints are part of the link that they are welded to. Every link's axes are those of the
// world in the reference pose, in which the root's quaternion is 1 and no joint is turned, and its
// origin is the anchor of its hinges, so that only the root needs a rotation of its own.
#pragma once

#include <gallop/kernels/bodies/body_counts.h>
#include <gallop/kernels/bodies/capsule_mass.h>
#include <gallop/kernels/bodies/soft_constants.h>

namespace gallop::inline GALLOP_ISA {

template <class Model>
struct SpatialModel {
  using Counts = BodyCounts<Model>;
  static constexpr int kBodies = Counts::kBodies, kLinks = Counts::kLinks, kDofs = Counts::kDofs;
  static constexpr int kHinges = kDofs - 6;

  struct Link {
    int parent, first_hinge, n_hinges;
    Vector3 offset;  // of its origin from that of the parent's
  };
  struct Body {
    int link;
    double mass;
    Vector3 centre;     // all three in the link's frame
    double inertia[6];  // about the centre: xx yy zz xy xz yz
    double inverse_weight;
  };
  struct Hinge {
    int link;
    Vector3 axis;
    double armature, damping, stiffness, reference, low, high, inverse_weight;
    int depth;           // hinges from the root to this one
    int chain[kHinges];  // which they are
  };
  struct Geom {
    int link, body;
    Vector3 from, to;  // in the link's frame
    double radius;
  };

  Link link[kLinks] = {};
  Body body[kBodies] = {};
  Hinge hinge[kHinges] = {};
  Geom geom[Counts::kGeoms] = {};
  double inverse_weight[kDofs] = {};

  constexpr SpatialModel() {
    place_links();
    place_geoms();
    weigh();
  }

  // Whether hinge j moves link l.
  constexpr bool moves(int j, int l) const {
    for (; l != 0; l = link[l].parent) {
      if (hinge[j].link == l) return true;
    }
    return false;
  }

 private:
  Vector3 anchor_[kLinks] = {};  // from the root's origin, in the reference pose

  constexpr void place_links() {
    Vector3 position[kBodies] = {};
    Quaternion orientation[kBodies] = {};
    orientation[0] = {1, 0, 0, 0};
    int n = 0, n_hinges = 0;
    const double scale = mass_scale<Model>();
    for (int b = 1; b < kBodies; b++) {
      const BodySpec& spec = Model::kBodies[b - 1];
      const int parent = spec.parent;
      if (parent == 0) {
        orientation[b] = orientation[0];
      } else {
        position[b] = position[parent] + rotate(orientation[parent], spec.position);
        orientation[b] = orientation[parent] * spec.orientation;
      }
      const int parent_link = body[parent].link;
      body[b].link = Counts::has_joints(b) ? ++n : parent_link;
      Link& its = link[body[b].link];
      if (Counts::has_joints(b)) {
        its.parent = parent_link;
        its.first_hinge = n_hinges;
        anchor_[n] = position[b];
        for (const JointSpec& joint : Model::kJoints) {
          if (joint.body != b || joint.kind == JointKind::kFree) continue;
          anchor_[n] = position[b] + rotate(orientation[b], joint.position);
          add_hinge(joint, orientation[b], n, n_hinges++);
          its.n_hinges++;
        }
        its.offset = anchor_[n] - anchor_[parent_link];
      }
      const MassProperties p = mass_of_body<Model>(b);
      body[b].mass = p.mass * scale;
      origin_[b] = position[b] - anchor_[body[b].link];
      turn_[b] = orientation[b];
      body[b].centre = local(b, p.centre);
      turn_inertia(p.inertia, orientation[b], scale, body[b].inertia);
    }
  }
  Vector3 origin_[kBodies] = {};  // of the body's frame in the link's
  Quaternion turn_[kBodies] = {};
  constexpr Vector3 local(int b, Vector3 x) const { return origin_[b] + rotate(turn_[b], x); }

  constexpr void add_hinge(const JointSpec& joint, Quaternion orientation, int l, int j) {
    const Vector3 axis = rotate(orientation, joint.axis);
    Hinge& to = hinge[j];
    to.link = l;
    to.axis = (1 / constant_sqrt(dot(axis, axis))) * axis;
    to.armature = joint.armature;
    to.damping = joint.damping;
    to.stiffness = joint.stiffness;
    to.reference = joint.reference;
    to.low = joint.low;
    to.high = joint.high;
    for (int i = 0; i <= j; i++) {
      if (moves(i, l)) to.chain[to.depth++] = i;
    }
  }

  static constexpr void turn_inertia(const double (&from)[6], Quaternion q, double scale,
                                     double (&to)[6]) {
    const Vector3 e[3] = {rotate(q, {1, 0, 0}), rotate(q, {0, 1, 0}), rotate(q, {0, 0, 1})};
    const double full[3][3] = {
        {from[0], from[3], from[4]}, {from[3], from[1], from[5]}, {from[4], from[5], from[2]}};
    constexpr int kRow[6] = {0, 1, 2, 0, 0, 1}, kColumn[6] = {0, 1, 2, 1, 2, 2};
    for (int k = 0; k < 6; k++) {
      to[k] = 0;
      for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
          to[k] += scale * full[i][j] * e[i][kRow[k]] * e[j][kColumn[k]];
        }
      }
    }
  }

  constexpr void place_geoms() {
    for (int g = 0; g < Counts::kGeoms; g++) {
      const GeomSpec& spec = Model::kGeoms[g];
      geom[g] = {body[spec.body].link, spec.body, local(spec.body, spec.from),
                 local(spec.body, spec.to), spec.radius};
    }
  }

  // Rotation and velocity of the centre of body b for a unit of dof k, in the reference pose.
  constexpr Vector3 turning(int b, int k) const {
    if (k < 3) return {0, 0, 0};
    if (k < 6) return {k == 3 ? 1. : 0., k == 4 ? 1. : 0., k == 5 ? 1. : 0.};
    return moves(k - 6, body[b].link) ? hinge[k - 6].axis : Vector3{0, 0, 0};
  }
  constexpr Vector3 moving(int b, int k) const {
    if (k < 3) return {k == 0 ? 1. : 0., k == 1 ? 1. : 0., k == 2 ? 1. : 0.};
    const Vector3 anchor = k < 6 ? Vector3{0, 0, 0} : anchor_[hinge[k - 6].link];
    return cross(turning(b, k), anchor_[body[b].link] + body[b].centre - anchor);
  }

  // Inverse weights: how far a unit force moves a dof or, on average over the directions of space,
  // the centre of a body. Of the root's dofs three at a time are averaged.
  constexpr void weigh() {
    double inverse[kDofs][kDofs] = {}, m[kDofs][kDofs] = {};
    for (int b = 1; b < kBodies; b++) {
      const double* i6 = body[b].inertia;
      Vector3 velocity[kDofs] = {}, rotation[kDofs] = {}, momentum[kDofs] = {};
      for (int k = 0; k < kDofs; k++) {
        const Vector3 w = rotation[k] = turning(b, k);
        velocity[k] = moving(b, k);
        momentum[k] = {dot({i6[0], i6[3], i6[4]}, w), dot({i6[3], i6[1], i6[5]}, w),
                       dot({i6[4], i6[5], i6[2]}, w)};
      }
      for (int i = 0; i < kDofs; i++) {
        for (int j = 0; j < kDofs; j++) {
          m[i][j] += body[b].mass * dot(velocity[i], velocity[j]) + dot(rotation[i], momentum[j]);
        }
      }
    }
    for (int j = 0; j < kHinges; j++) m[6 + j][6 + j] += hinge[j].armature;
    for (int k = 0; k < kDofs; k++) inverse[k][k] = 1;
    for (int k = 0; k < kDofs; k++) {  // Gauss and Jordan; m is positive definite
      const double by = 1 / m[k][k];
      for (int j = 0; j < kDofs; j++) m[k][j] *= by, inverse[k][j] *= by;
      for (int i = 0; i < kDofs; i++) {
        const double f = m[i][k];
        if (i == k || f == 0) continue;
        for (int j = 0; j < kDofs; j++) m[i][j] -= f * m[k][j], inverse[i][j] -= f * inverse[k][j];
      }
    }
    for (int k = 0; k < kDofs; k++) inverse_weight[k] = inverse[k][k];
    for (int k = 0; k < 6; k += 3) {
      const double mean = (inverse[k][k] + inverse[k + 1][k + 1] + inverse[k + 2][k + 2]) / 3;
      inverse_weight[k] = inverse_weight[k + 1] = inverse_weight[k + 2] = mean;
    }
    for (int j = 0; j < kHinges; j++) hinge[j].inverse_weight = inverse_weight[6 + j];
    for (int b = 1; b < kBodies; b++) {
      double trace = 0;
      for (int i = 0; i < kDofs; i++) {
        const Vector3 x = moving(b, i);
        for (int j = 0; j < kDofs; j++) trace += inverse[i][j] * dot(x, moving(b, j));
      }
      body[b].inverse_weight = trace / 3;
    }
  }
};

// What the loops in space take for granted; where it does not hold, they have to learn it first.
template <class Model>
constexpr bool is_spatial() {
  const JointSpec& root = Model::kJoints[0];
  if (root.kind != JointKind::kFree || root.body != 1 || BodyCounts<Model>::kFree != 1)
    return false;
  const auto equal = [](double x, double y) { return x == y; };
  const auto same = [&](const Softness& x, const Softness& y) {
    return equal(x.time_constant, y.time_constant) && equal(x.damping_ratio, y.damping_ratio) &&
           equal(x.low, y.low) && equal(x.high, y.high) && equal(x.width, y.width) &&
           equal(x.midpoint, y.midpoint) && equal(x.power, y.power);
  };
  for (int b = 2; b <= length_of(Model::kBodies); b++) {
    if (Model::kBodies[b - 1].parent == 0) return false;
  }
  for (const JointSpec& j : Model::kJoints) {  // limited hinges, one anchor a body, one softness
    if (&j == &root) continue;
    if (j.kind != JointKind::kHinge || !j.limited || j.margin != 0) return false;
    if (!same(j.softness, Model::kJoints[1].softness)) return false;
    for (const JointSpec& other : Model::kJoints) {
      const Vector3 d = other.position - j.position;
      if (other.body == j.body && dot(d, d) != 0) return false;
    }
  }
  for (const GeomSpec& g : Model::kGeoms) {  // geoms that differ in shape, density and friction
    if (!same(g.softness, Model::kGeoms[0].softness) || g.margin != Model::kGeoms[0].margin ||
        g.meets_others != Model::kGeoms[0].meets_others || !g.meets_floor) {
      return false;
    }
  }
  const WorldSpec& world = Model::kWorld;
  return world.has_floor && world.density == 0 && world.viscosity == 0 && world.gravity.x == 0 &&
         world.gravity.y == 0 && world.integrator == Integrator::kRungeKutta4;
}

}  // namespace gallop::inline GALLOP_ISA
