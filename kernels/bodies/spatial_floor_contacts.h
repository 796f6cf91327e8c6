// Contacts of spheres and of the ends of capsules with the floor, with pyramids of friction: four
// edges, along a tangent and across. The tangent of a capsule is its axis as the floor sees it, of
// a sphere the axis y: a pyramid is not round, so the choice matters.
#pragma once

#include <gallop/kernels/bodies/constraint_row.h>
#include <gallop/kernels/bodies/spatial_pose.h>

namespace gallop::inline GALLOP_ISA {

template <class Model, class F>
struct SpatialFloorContacts {
  using Counts = BodyCounts<Model>;
  using PoseOf = SpatialPose<Model, F>;
  using Space = Spatial<F>;
  using Vector = typename Space::Vector;
  using Motion = typename Space::Motion;
  static constexpr int kLinks = Counts::kLinks, kDofs = Counts::kDofs;
  static constexpr double kMargin =
      margin_of<Model>(Model::kGeoms[0].margin, Model::kWorld.floor_margin);

  // Along the tangent, across it and up; friction is part of the first two.
  struct Edges {
    F along, across, up;
  };
  struct Contact {
    int link, body;
    Mask<F> active;
    Vector at;
    F tangent_x, tangent_y;  // times the friction
    F weight;
    Edges residual, move;  // move: of a full step

    GALLOP_HD Edges edges(Vector v) const {
      return {fmadd(tangent_x, v.x, tangent_y * v.y), fmadd(tangent_x, v.y, -(tangent_y * v.x)),
              v.z};
    }
  };
  Contact contact[at_least_one(Counts::kFloorPoints)];
  int n = 0;  // contacts that any lane has

  // A constant of each function that needs it: device code has no addresses of static members.
  static constexpr SoftConstants softness() {
    return soft_constants(Model::kWorld.floor_softness, Model::kGeoms[0].softness,
                          Model::kWorld.timestep);
  }

  GALLOP_HD Mask<F> detect(const PoseOf& pose, const BodyParameters<Model, F>& p) {
    constexpr SoftConstants soft = softness();
    const auto& table = spatial_tables<Model, F>();
    Mask<F> found = real<F>(0.0) < real<F>(0.0);
    for (int k = 0; k < Counts::kFloorPoints; k++) {
      const auto& point = table.point[k];
      const auto& r = pose.rotation[point.link];
      const Vector position = as_vector<F>(point.position), origin = pose.origin[point.link];
      const F above =
          fmadd(r.x.z, position.x, fmadd(r.y.z, position.y, fmadd(r.z.z, position.z, origin.z)));
      const F distance = pose.height + above - F(point.radius);
      const Mask<F> active = distance < real<F>(kMargin);
      if (!any(active)) continue;
      found = found | active;
      Contact& c = contact[n++];
      c.link = point.link;
      c.body = point.body;
      c.active = active;
      c.at = Space::add(origin, Space::rotate(r, position));
      c.at.z = above - fmadd(real<F>(0.5), distance, F(point.radius));  // half way into the floor
      const F friction = p.friction(point.friction), mu2 = friction * friction;
      c.tangent_x = real<F>(0.0);
      c.tangent_y = friction;
      if (point.capsule) {
        const Vector axis = Space::rotate(r, as_vector<F>(point.axis));
        const F length = sqrt(fmadd(axis.x, axis.x, axis.y * axis.y));
        const Mask<F> upright = length < real<F>(1e-15);
        const F by = friction * reciprocal(select(upright, real<F>(1.0), length));
        c.tangent_x = select(upright, friction, by * axis.x);
        c.tangent_y = select(upright, real<F>(0.0), by * axis.y);
      }
      const F reach = distance - real<F>(kMargin), d = impedance(soft, reach);
      const F regular = F(point.regular) * mu2 * (real<F>(1.0) + mu2);
      c.weight = select(active, d * reciprocal((real<F>(1.0) - d) * regular), real<F>(0.0));
      const F damping = real<F>(soft.damping);
      const Edges speed = c.edges(Space::velocity_at(pose.velocity[point.link], c.at));
      c.residual = {damping * speed.along, damping * speed.across,
                    fmadd(damping, speed.up, real<F>(soft.stiffness) * d * reach)};
    }
    return found;
  }

  // Completes the residuals with the accelerations of the links.
  GALLOP_HD void accelerate(const Motion* acceleration) {
    for (int k = 0; k < n; k++) {
      Contact& c = contact[k];
      const Edges more = c.edges(Space::velocity_at(acceleration[c.link], c.at));
      c.residual.along += more.along;
      c.residual.across += more.across;
      c.residual.up += more.up;
    }
  }

  GALLOP_HD void add_gradient(const PoseOf& pose, F* gradient,
                              SpatialHessian<Model, F>& hessian) const {
    if (n == 0) return;
    const auto& table = spatial_tables<Model, F>();
    bool touches[kLinks] = {};  // the link or one beyond it
    Motion force[kLinks];
    typename Space::Stiffness stiffness[kLinks];
    for (int k = 0; k < n; k++) {
      const int l = contact[k].link;
      if (!touches[l]) {
        force[l] = Space::zero_motion();
        stiffness[l] = Space::zero_stiffness();
      }
      touches[l] = true;
      push(contact[k], force[l], stiffness[l]);
    }
    for (int l = kLinks - 1; l > 1; l--) {
      if (!touches[l]) continue;
      const auto& link = table.link[l];
      for (int j = link.end_hinge - 1; j >= link.first_hinge; j--) {
        gradient[6 + j] = Space::add_dot(pose.turning[j], force[l], gradient[6 + j]);
        const Motion f = Space::multiply(stiffness[l], pose.turning[j]);
        F* const row = hessian.row(j);
        pose.each_in_row(j, f, [&](int u, F x) GALLOP_BODY_LAMBDA { row[u] += x; });
      }
      const int parent = link.parent;
      if (touches[parent]) {
        force[parent] = Space::add(force[parent], force[l]);
        Space::add(stiffness[parent], stiffness[l]);
      } else {
        force[parent] = force[l];
        stiffness[parent] = stiffness[l];
      }
      touches[parent] = true;
    }
    const auto& r = pose.rotation[1];
    const auto& k = stiffness[1];
    const Vector torque = Space::rotate_back(r, force[1].w);
    const F against[6] = {force[1].v.x, force[1].v.y, force[1].v.z, torque.x, torque.y, torque.z};
    each<6>([&](int i) GALLOP_BODY_LAMBDA { gradient[i] += against[i]; });
    const auto across = [&](Vector axis) GALLOP_BODY_LAMBDA {
      return Space::add_scaled(axis.x, k.wx,
                               Space::add_scaled(axis.y, k.wy, Space::scale(axis.z, k.wz)));
    };
    const Vector x = across(r.x), y = across(r.y), z = across(r.z);
    const auto turned = Space::to_body(r, k.ww);
    const F more[21] = {k.vv.xx,   k.vv.xy, k.vv.yy,   k.vv.xz, k.vv.yz,   k.vv.zz,   x.x,
                        x.y,       x.z,     turned.xx, y.x,     y.y,       y.z,       turned.xy,
                        turned.yy, z.x,     z.y,       z.z,     turned.xz, turned.yz, turned.zz};
    each<21>([&](int i) GALLOP_BODY_LAMBDA { hessian.root[i] += more[i]; });
  }

  // Moves of the residuals for links accelerating by `acceleration` more.
  GALLOP_HD Mask<F> any_flips(const Motion* acceleration, Mask<F> so_far) {
    for (int k = 0; k < n; k++) {
      Contact& c = contact[k];
      c.move = c.edges(Space::velocity_at(acceleration[c.link], c.at));
      const Edges &e = c.residual, &m = c.move;
      const Mask<F> flipped =
          flips(e.up + e.along, m.up + m.along) | flips(e.up - e.along, m.up - m.along) |
          flips(e.up + e.across, m.up + m.across) | flips(e.up - e.across, m.up - m.across);
      so_far = so_far | (flipped & c.active);
    }
    return so_far;
  }
  GALLOP_HD void add_slope(LineSlope<F>& slope) const {
    for (int k = 0; k < n; k++) {
      const Contact& c = contact[k];
      const Edges &e = c.residual, &m = c.move;
      slope.add(e.up + e.along, m.up + m.along, c.weight);
      slope.add(e.up - e.along, m.up - m.along, c.weight);
      slope.add(e.up + e.across, m.up + m.across, c.weight);
      slope.add(e.up - e.across, m.up - m.across, c.weight);
    }
  }
  GALLOP_HD void advance(F step) {
    for (int k = 0; k < n; k++) {
      Edges &e = contact[k].residual, &m = contact[k].move;
      e = {fmadd(step, m.along, e.along), fmadd(step, m.across, e.across), fmadd(step, m.up, e.up)};
    }
  }

  // What the four edges push with at the present residuals, the sign of a gradient.
  struct Push {
    F d[4];  // weights of the edges that push
    Vector force;
  };
  static GALLOP_HD Push pushed(const Contact& c) {
    const Edges& e = c.residual;
    const F edge[4] = {e.up + e.along, e.up - e.along, e.up + e.across, e.up - e.across};
    Push to;
    F f[4];
    each<4>([&](int i) GALLOP_BODY_LAMBDA {
      to.d[i] = pushing(edge[i], c.weight);
      f[i] = to.d[i] * edge[i];
    });
    const F along = f[0] - f[1], across = f[2] - f[3];
    to.force = {fmadd(c.tangent_x, along, -(c.tangent_y * across)),
                fmadd(c.tangent_y, along, c.tangent_x * across), (f[0] + f[1]) + (f[2] + f[3])};
    return to;
  }

 private:
  static GALLOP_HD void push(const Contact& c, Motion& force,
                             typename Space::Stiffness& stiffness) {
    const Push p = pushed(c);
    Space::add_force(force, c.at, p.force);
    const F x = c.tangent_x, y = c.tangent_y;
    const F along = p.d[0] + p.d[1], across = p.d[2] + p.d[3];
    const F lean_along = p.d[0] - p.d[1], lean_across = p.d[2] - p.d[3];
    // The tangent is (x, y), the direction across it (-y, x).
    const F xx = x * x, yy = y * y, xy = x * y;
    Space::add_stiffness(
        stiffness, c.at,
        {fmadd(xx, along, yy * across), fmadd(yy, along, xx * across), along + across,
         xy * (along - across), fmadd(x, lean_along, -(y * lean_across)),
         fmadd(y, lean_along, x * lean_across)});
  }
};

}  // namespace gallop::inline GALLOP_ISA
