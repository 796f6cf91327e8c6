// Where the bodies are and how they move, and the equations of motion without constraints, in one
// sweep outward and one inward over the tree: composite inertias and Newton-Euler in coordinates
// about one origin, that of the root body (Featherstone 2008, chapters 5 and 6). The root's
// position never enters but for its height, so that accuracy does not depend on how far it has run.
#pragma once

#include <gallop/kernels/bodies/fluid.h>
#include <gallop/kernels/bodies/parameters.h>
#include <gallop/kernels/bodies/tree_matrix.h>
#include <gallop/kernels/numerics/math.h>

namespace gallop::inline GALLOP_ISA {

template <class Model, class F>
struct Pose {
  using Counts = BodyCounts<Model>;
  using Space = Planar<F>;
  using Vector = typename Space::Vector;
  using Motion = typename Space::Motion;
  static constexpr int kBodies = Counts::kBodies, kDofs = Counts::kDofs;
  static constexpr int kMoving = kBodies;  // bodies that a sweep moves

  typename Space::Rotation rotation[kBodies];
  Vector origin[kBodies];  // of the body's frame
  Vector anchor[kDofs];    // of a hinge; the axis of a slide
  Motion velocity[kBodies];
  F height;  // of the root above the floor
  TreeMatrix<Model, F> mass;
  F force[kDofs];  // all forces but those of constraints

  // S_k . f, for the motion S_k of dof k.
  GALLOP_HD F along(int k, Motion f) const {
    const auto& dof = compiled<Model>().dof[k];
    if (dof.root) return dof.axis.a != 0 ? times(dof.axis.a, f.v.a) : times(dof.axis.b, f.v.b);
    if (dof.slide) return Space::dot(anchor[k], f.v);
    if (at_origin(k)) return times(dof.sign, f.w);
    const Vector r = anchor[k];
    return times(dof.sign, fmadd(r.b, f.v.a, fmadd(-r.a, f.v.b, f.w)));
  }
  // to + x S_k.
  GALLOP_HD Motion moved(Motion to, int k, F x) const {
    const auto& dof = compiled<Model>().dof[k];
    if (dof.root) {
      if (dof.axis.a != 0) {
        to.v.a += times(dof.axis.a, x);
      } else {
        to.v.b += times(dof.axis.b, x);
      }
    } else if (dof.slide) {
      to.v = Space::add_scaled(x, anchor[k], to.v);
    } else {
      const F rate = times(dof.sign, x);
      to.w += rate;
      if (!at_origin(k)) {
        to.v.a = fmadd(rate, anchor[k].b, to.v.a);
        to.v.b = fmadd(-rate, anchor[k].a, to.v.b);
      }
    }
    return to;
  }
  GALLOP_HD Motion motion(int k) const { return moved(Space::zero_motion(), k, real<F>(1.0)); }

  // Motions of all bodies for dofs moving by x: J x, body by body.
  GALLOP_HD void sweep(const F* x, Motion* to) const {
    const auto& model = compiled<Model>();
    to[0] = Space::zero_motion();
    each<kBodies>([&](int b) GALLOP_BODY_LAMBDA {
      if (b == 0) return;
      to[b] = to[model.body[b].parent];
      each<kDofs>([&](int k) GALLOP_BODY_LAMBDA {
        if (model.dof[k].body == b) to[b] = moved(to[b], k, x[k]);
      });
    });
  }

  // Fills everything from q, v and the torques of the motors.
  GALLOP_HD void update(const BodyParameters<Model, F>& p, const F* q, const F* v,
                        const F* torque) {
    const auto& model = compiled<Model>();
    typename Space::Inertia inertia[kBodies];
    Vector acceleration[kBodies];  // that v and gravity alone give
    Motion needed[kBodies];        // the force that it takes
    rotation[0] = {real<F>(1.0), real<F>(0.0)};
    origin[0] = {real<F>(0.0), real<F>(0.0)};
    velocity[0] = Space::zero_motion();
    acceleration[0] = {real<F>(0.0), real<F>(0.0)};
    if (model.upright) acceleration[0] = {p.gravity(), real<F>(-Model::kWorld.gravity.x)};
    each<kBodies>([&](int b) GALLOP_BODY_LAMBDA {
      if (b == 0) return;
      acceleration[b] = place(b, q, v, acceleration[model.body[b].parent]);
      const auto& body = model.body[b];
      const F m = p.mass(b);
      const Vector offset = Space::rotate(rotation[b], body.centre.a, body.centre.b);
      const Vector centre = body.parent == 0 ? offset : Space::add(origin[b], offset);
      inertia[b] = {m,
                    {m * centre.a, m * centre.b},
                    m * fmadd(centre.a, centre.a,
                              fmadd(centre.b, centre.b, real<F>(body.rotary / body.mass)))};
      const Vector at = acceleration[b];
      const Motion momentum = Space::multiply(inertia[b], velocity[b]);
      needed[b] = Space::cross_force(velocity[b], momentum);
      needed[b].w += fmadd(inertia[b].moment.a, at.b, -(inertia[b].moment.b * at.a));
      needed[b].v = Space::add_scaled(m, at, needed[b].v);
      if (Model::kWorld.density > 0 || Model::kWorld.viscosity > 0) {
        add_drag<Model, F>(b, rotation[b], centre, velocity[b], needed[b]);
      }
    });
    each_down<kBodies>([&](int b) GALLOP_BODY_LAMBDA {
      if (b == 0) return;
      each_down<kDofs>([&](int i) GALLOP_BODY_LAMBDA {
        if (model.dof[i].body != b) return;
        const Motion f = Space::multiply(inertia[b], motion(i));
        each<kDofs>([&](int j) GALLOP_BODY_LAMBDA {
          if (j <= i && model.filled[packed(i, j)]) mass.at(i, j) = along(j, f);
        });
        const auto& dof = model.dof[i];
        if (dof.armature != 0) mass.at(i, i) += real<F>(dof.armature);
        F sum = torque[i] - along(i, needed[b]);
        if (dof.damping != 0) sum = fmadd(real<F>(-dof.damping), v[i], sum);
        if (dof.stiffness != 0) sum = fmadd(real<F>(-dof.stiffness), q[i], sum);
        force[i] = sum;
      });
      const int parent = model.body[b].parent;
      if (parent != 0) {
        inertia[parent] = Space::add(inertia[parent], inertia[b]);
        needed[parent] = Space::add(needed[parent], needed[b]);
      }
    });
  }

  static GALLOP_HD F times(double constant, F x) {
    return constant == 1 ? x : constant == -1 ? -x : real<F>(constant) * x;
  }
  // The hinge's anchor is the origin of all coordinates.
  static GALLOP_HD bool at_origin(int k) {
    const auto& model = compiled<Model>();
    return !model.dof[k].anchored && model.body[model.dof[k].body].parent == 0;
  }

 private:
  // Position and velocity of body b; returns its acceleration.
  GALLOP_HD Vector place(int b, const F* q, const F* v, Vector acceleration) {
    const auto& model = compiled<Model>();
    const auto& body = model.body[b];
    rotation[b] = rotation[body.parent];
    origin[b] = origin[body.parent];
    Motion moving = velocity[body.parent];
    if (body.parent == 0) {
      height = real<F>(body.height);
    } else if (body.position.a != 0 || body.position.b != 0) {
      origin[b] =
          Space::add(origin[b], Space::rotate(rotation[b], body.position.a, body.position.b));
    }
    each<kDofs>([&](int k) GALLOP_BODY_LAMBDA {
      const auto& dof = model.dof[k];
      if (dof.body != b) return;
      const double reference = dof.reference;
      const F dq = reference == 0 ? q[k] : q[k] - real<F>(reference);
      if (dof.root) {
        if (model.upright && dof.axis.a != 0) height += times(dof.axis.a, dq);
      } else if (dof.slide) {
        anchor[k] = Space::rotate(rotation[b], dof.axis.a, dof.axis.b);
        origin[b] = Space::add_scaled(dq, anchor[k], origin[b]);
        const F rate = moving.w * v[k];  // S' = V x S
        acceleration.a = fmadd(-rate, anchor[k].b, acceleration.a);
        acceleration.b = fmadd(rate, anchor[k].a, acceleration.b);
      } else {
        anchor[k] = origin[b];
        if (dof.anchored) {
          anchor[k] = Space::add(origin[b], Space::rotate(rotation[b], dof.anchor.a, dof.anchor.b));
        }
        typename Space::Rotation by;
        sin_cos(times(dof.sign, dq), by.s, by.c);
        rotation[b] = body.parent == 0 ? by : Space::turn(rotation[b], by);
        if (dof.anchored) {
          origin[b] =
              Space::subtract(anchor[k], Space::rotate(rotation[b], dof.anchor.a, dof.anchor.b));
        }
        const F rate = times(dof.sign, v[k]);
        const Vector at = Space::velocity_at(moving, anchor[k]);
        acceleration.a = fmadd(rate, at.b, acceleration.a);
        acceleration.b = fmadd(-rate, at.a, acceleration.b);
      }
      moving = moved(moving, k, v[k]);
    });
    velocity[b] = moving;
    return acceleration;
  }
};

}  // namespace gallop::inline GALLOP_ISA
