// What follows from a planar model, computed by the compiler: masses, inertias, the pattern of its
// matrices, the constants of its soft constraints and every place where it can touch. A model is
// planar where all hinges have the axis y (upright: the components are z and x) or z (lying: x and
// y) and all capsules lie in that plane; for others see bodies/spatial_model.h.
#pragma once

#include <gallop/kernels/bodies/body_counts.h>
#include <gallop/kernels/bodies/capsule_mass.h>
#include <gallop/kernels/bodies/soft_constants.h>

namespace gallop::inline GALLOP_ISA {

template <class Model>
struct CompiledModel {
  using Counts = BodyCounts<Model>;
  static constexpr int kBodies = Counts::kBodies, kDofs = Counts::kDofs;

  struct Plane {
    double a, b;
  };
  struct Body {
    int parent, first_dof, n_dofs;
    Plane position, centre;
    double height;        // of the origin in the frame of its parent
    double mass, rotary;  // about the centre
    double box[3];        // inertia box: along the first and second axis, and along the normal
    bool touches;         // it or a descendant has a point that can touch the floor
    bool above[kDofs];    // dofs that move it
  };
  struct Dof {
    int body;
    bool slide, root;  // a slide of a root body: its axis is that of the world
    Plane axis;        // of a slide
    double sign;       // of a hinge: of its axis
    Plane anchor;
    bool anchored;  // the anchor is not the body's origin
    double armature, damping, stiffness, reference;
    bool limited;
    double low, high, margin;
    SoftConstants limit;
    double inverse_weight;  // at rest: of the inverse mass matrix
  };
  struct FloorPoint {
    int body, friction;  // place among the frictions of the floor
    Plane position;
    double radius, margin;
    double inverse_weight;
    SoftConstants soft;
  };
  struct Pair {
    int body[2];
    Plane centre[2], half[2];
    double radius[2], margin, inverse_weight;
    SoftConstants soft;
  };

  bool upright = true;
  Body body[kBodies] = {};
  Dof dof[kDofs] = {};
  FloorPoint point[at_least_one(Counts::kFloorPoints)] = {};
  Pair pair[at_least_one(Counts::kPairs)] = {};
  bool filled[Counts::kTriangle] = {};         // elements of the mass matrix that are not zero
  bool factor_filled[Counts::kTriangle] = {};  // and of the Hessian and its factor
  double body_inverse_weight[kBodies] = {};

  constexpr CompiledModel() {
    for (const JointSpec& j : Model::kJoints) {
      if (j.kind == JointKind::kHinge) upright = j.axis.y != 0;
    }
    compile_bodies();
    compile_dofs();
    compile_patterns();
    weigh();
    compile_points();
    compile_pairs();
  }

  constexpr Plane plane(Vector3 x) const { return upright ? Plane{x.z, x.x} : Plane{x.x, x.y}; }
  constexpr double normal(Vector3 x) const { return upright ? x.y : x.z; }

 private:
  constexpr void compile_bodies() {
    const double scale = mass_scale<Model>();
    for (int b = 1; b < kBodies; b++) {
      const MassProperties p = mass_of_body<Model>(b);
      const BodySpec& spec = Model::kBodies[b - 1];
      Body& to = body[b];
      to.parent = spec.parent;
      to.position = plane(spec.position);
      to.height = spec.position.z;
      to.centre = plane(p.centre);
      to.mass = p.mass * scale;
      to.rotary = p.inertia[upright ? 1 : 2] * scale;
      double edge[3] = {};
      for (int k = 0; k < 3; k++) {
        const double twice = p.inertia[(k + 1) % 3] + p.inertia[(k + 2) % 3] - p.inertia[k];
        edge[k] = constant_sqrt(6 * twice / p.mass);
      }
      to.box[0] = upright ? edge[2] : edge[0];
      to.box[1] = upright ? edge[0] : edge[1];
      to.box[2] = upright ? edge[1] : edge[2];
      for (int k = 0; k < kDofs; k++) {
        if (Model::kJoints[k].body != b) continue;
        if (to.n_dofs == 0) to.first_dof = k;
        to.n_dofs++;
        to.above[k] = true;
      }
      for (int k = 0; k < kDofs; k++) to.above[k] = to.above[k] || body[to.parent].above[k];
    }
    for (int b = kBodies - 1; b > 0; b--) {
      if (Model::kWorld.has_floor) {
        for (const GeomSpec& g : Model::kGeoms) {
          body[b].touches = body[b].touches || (g.body == b && g.meets_floor);
        }
      }
      if (body[b].touches) body[body[b].parent].touches = true;
    }
  }

  constexpr void compile_dofs() {
    bool turned[kBodies] = {};
    for (int k = 0; k < kDofs; k++) {
      const JointSpec& spec = Model::kJoints[k];
      Dof& to = dof[k];
      to.body = spec.body;
      to.slide = spec.kind == JointKind::kSlide;
      to.axis = plane(spec.axis);
      to.sign = normal(spec.axis);
      to.anchor = plane(spec.position);
      to.anchored = !to.slide && (to.anchor.a != 0 || to.anchor.b != 0);
      to.root = body[spec.body].parent == 0 && to.slide && !turned[spec.body];
      if (!to.slide) turned[spec.body] = true;
      to.armature = spec.armature;
      to.damping = spec.damping;
      to.stiffness = spec.stiffness;
      to.reference = spec.reference;
      to.limited = spec.limited;
      to.low = spec.low;
      to.high = spec.high;
      to.margin = spec.margin;
      to.limit = soft_constants(spec.softness, spec.softness, Model::kWorld.timestep);
    }
  }

  constexpr void compile_patterns() {
    for (int i = 0; i < kDofs; i++) {
      for (int j = 0; j <= i; j++) {
        filled[packed(i, j)] = body[dof[i].body].above[j];
        factor_filled[packed(i, j)] = filled[packed(i, j)];
      }
    }
    for (int x = 0; x < Counts::kGeoms; x++) {
      for (int y = x + 1; y < Counts::kGeoms; y++) {
        if (!Counts::can_meet(Model::kGeoms[x], Model::kGeoms[y])) continue;
        const Body &p = body[Model::kGeoms[x].body], &q = body[Model::kGeoms[y].body];
        for (int i = 0; i < kDofs; i++) {
          for (int j = 0; j <= i; j++) {
            if (p.above[i] != q.above[i] && p.above[j] != q.above[j]) {
              factor_filled[packed(i, j)] = true;
            }
          }
        }
      }
    }
    for (int k = kDofs - 1; k >= 0; k--) {  // elimination from the leaves
      for (int i = 0; i < k; i++) {
        for (int j = 0; j <= i; j++) {
          if (factor_filled[packed(k, i)] && factor_filled[packed(k, j)]) {
            factor_filled[packed(i, j)] = true;
          }
        }
      }
    }
  }

  // Velocity of the point at `r` for a unit of dof k, in the pose that is written.
  constexpr Plane velocity(int k, const Plane* origin, Plane r) const {
    if (dof[k].slide) return dof[k].axis;
    const Plane o = origin[dof[k].body];
    const double a = r.a - o.a - dof[k].anchor.a, b = r.b - o.b - dof[k].anchor.b;
    return {-dof[k].sign * b, dof[k].sign * a};
  }

  // Inverse weights: how far a unit force moves a dof or, on average over the directions of space,
  // the centre of a body.
  constexpr void weigh() {
    Plane origin[kBodies] = {}, jacobian[kBodies][kDofs] = {};
    double inverse[kDofs][kDofs] = {}, m[kDofs][kDofs] = {};
    for (int b = 1; b < kBodies; b++) {
      const Plane o = origin[body[b].parent], at = body[b].position;
      origin[b] = {o.a + at.a, o.b + at.b};
      const Plane centre = {origin[b].a + body[b].centre.a, origin[b].b + body[b].centre.b};
      for (int k = 0; k < kDofs; k++) {
        if (body[b].above[k]) jacobian[b][k] = velocity(k, origin, centre);
      }
      for (int i = 0; i < kDofs; i++) {
        for (int j = 0; j < kDofs; j++) {
          if (!body[b].above[i] || !body[b].above[j]) continue;
          const Plane x = jacobian[b][i], y = jacobian[b][j];
          const double turn = dof[i].slide || dof[j].slide ? 0 : dof[i].sign * dof[j].sign;
          m[i][j] += body[b].mass * (x.a * y.a + x.b * y.b) + body[b].rotary * turn;
        }
      }
    }
    for (int k = 0; k < kDofs; k++) {
      m[k][k] += Model::kJoints[k].armature;
      inverse[k][k] = 1;
    }
    for (int k = 0; k < kDofs; k++) {  // Gauss and Jordan; m is positive definite
      const double by = 1 / m[k][k];
      for (int j = 0; j < kDofs; j++) m[k][j] *= by, inverse[k][j] *= by;
      for (int i = 0; i < kDofs; i++) {
        if (i == k) continue;
        const double f = m[i][k];
        for (int j = 0; j < kDofs; j++) m[i][j] -= f * m[k][j], inverse[i][j] -= f * inverse[k][j];
      }
    }
    for (int k = 0; k < kDofs; k++) dof[k].inverse_weight = inverse[k][k];
    for (int b = 1; b < kBodies; b++) {
      double trace = 0;
      for (int i = 0; i < kDofs; i++) {
        for (int j = 0; j < kDofs; j++) {
          const Plane x = jacobian[b][i], y = jacobian[b][j];
          trace += inverse[i][j] * (x.a * y.a + x.b * y.b);
        }
      }
      body_inverse_weight[b] = trace / 3;
    }
  }

  constexpr void compile_points() {
    if (!Model::kWorld.has_floor) return;
    const WorldSpec& world = Model::kWorld;
    int n = 0, n_geoms = 0;
    for (const GeomSpec& g : Model::kGeoms) {
      if (!g.meets_floor) continue;
      for (int end = Counts::is_sphere(g) ? 1 : 0; end < 2; end++) {
        FloorPoint& to = point[n++];
        to.body = g.body;
        to.friction = n_geoms;
        to.position = plane(end == 0 ? g.from : g.to);
        to.radius = g.radius;
        to.margin = margin_of<Model>(g.margin, world.floor_margin);
        to.inverse_weight = body_inverse_weight[g.body];
        to.soft = soft_constants(world.floor_softness, g.softness, world.timestep);
      }
      n_geoms++;
    }
  }

  constexpr void compile_pairs() {
    int n = 0;
    for (int i = 0; i < Counts::kGeoms; i++) {
      for (int j = i + 1; j < Counts::kGeoms; j++) {
        const GeomSpec* g[2] = {&Model::kGeoms[i], &Model::kGeoms[j]};
        if (!Counts::can_meet(*g[0], *g[1])) continue;
        Pair& to = pair[n++];
        for (int k = 0; k < 2; k++) {
          to.body[k] = g[k]->body;
          to.centre[k] = plane(0.5 * (g[k]->from + g[k]->to));
          to.half[k] = plane(0.5 * (g[k]->to - g[k]->from));
          to.radius[k] = g[k]->radius;
          to.inverse_weight += body_inverse_weight[g[k]->body];
        }
        to.margin = margin_of<Model>(g[0]->margin, g[1]->margin);
        to.soft = soft_constants(g[0]->softness, g[1]->softness, Model::kWorld.timestep);
      }
    }
  }
};

// The compiled model, for code on the host and on a device.
template <class Model>
GALLOP_HD const CompiledModel<Model>& compiled() {
  static_assert(is_planar<Model>());
  static constexpr CompiledModel<Model> kCompiled{};  // without braces nvcc 13.0 leaves it zero
  return kCompiled;
}

}  // namespace gallop::inline GALLOP_ISA
