// Contacts of spheres and of the ends of capsules with the floor, with pyramids of friction. In the
// plane two of a pyramid's four edges have no tangential part: they are one row of twice the
// weight.
#pragma once

#include <gallop/kernels/bodies/constraint_row.h>
#include <gallop/kernels/bodies/pose.h>

namespace gallop::inline GALLOP_ISA {

template <class Model, class F>
struct FloorContacts {
  using Counts = BodyCounts<Model>;
  using PoseOf = Pose<Model, F>;
  using Space = Planar<F>;
  using Motion = typename Space::Motion;
  static constexpr int kBodies = Counts::kBodies, kDofs = Counts::kDofs;

  struct Contact {
    int body;
    Mask<F> active;
    typename Space::Vector at;
    F friction, weight;
    F normal, tangential;            // residuals
    F normal_move, tangential_move;  // of a full step
  };
  Contact contact[at_least_one(Counts::kFloorPoints)];
  int n = 0;  // contacts that any lane has

  GALLOP_HD Mask<F> detect(const PoseOf& pose, const BodyParameters<Model, F>& p) {
    const auto& model = compiled<Model>();
    Mask<F> found = real<F>(0.0) < real<F>(0.0);
    each<Counts::kFloorPoints>([&](int k) GALLOP_BODY_LAMBDA {
      const auto& point = model.point[k];
      const auto offset =
          Space::rotate(pose.rotation[point.body], point.position.a, point.position.b);
      auto at = offset;
      if (model.body[point.body].parent != 0) at = Space::add(pose.origin[point.body], offset);
      const F distance = pose.height + at.a - real<F>(point.radius);
      const Mask<F> active = distance < real<F>(point.margin);
      if (!any(active)) return;
      found = found | active;
      Contact& c = contact[n++];
      c.body = point.body;
      c.active = active;
      at.a -= fmadd(real<F>(0.5), distance, real<F>(point.radius));  // half way into the floor
      c.at = at;
      c.friction = p.friction(point.friction);
      const F r = point.margin == 0 ? distance : distance - real<F>(point.margin);
      const F d = impedance(point.soft, r), mu2 = c.friction * c.friction;
      const F regular = real<F>(2 * point.inverse_weight) * mu2 * (real<F>(1.0) + mu2);
      c.weight = select(active, d * reciprocal((real<F>(1.0) - d) * regular), real<F>(0.0));
      const auto speed = Space::velocity_at(pose.velocity[point.body], at);
      const F damping = real<F>(point.soft.damping);
      c.normal = fmadd(damping, speed.a, real<F>(point.soft.stiffness) * d * r);
      c.tangential = damping * speed.b;
    });
    return found;
  }

  // Completes the residuals with the accelerations of the bodies.
  GALLOP_HD void accelerate(const Motion* acceleration) {
    for (int k = 0; k < n; k++) {
      Contact& c = contact[k];
      const auto moved = Space::velocity_at(acceleration[c.body], c.at);
      c.normal += moved.a;
      c.tangential += moved.b;
    }
  }

  GALLOP_HD void add_gradient(const PoseOf& pose, F* gradient,
                              TreeMatrix<Model, F>& hessian) const {
    if (Counts::kFloorPoints == 0 || n == 0) return;
    const auto& model = compiled<Model>();
    Motion force[kBodies];
    typename Space::Stiffness stiffness[kBodies];
    each<kBodies>([&](int b) GALLOP_BODY_LAMBDA {
      if (!model.body[b].touches) return;
      force[b] = Space::zero_motion();
      stiffness[b] = Space::zero_stiffness();
    });
    for (int k = 0; k < n; k++) {
      const Contact& c = contact[k];
      const F mu = c.friction;
      const F forward = fmadd(mu, c.tangential, c.normal);
      const F backward = fmadd(-mu, c.tangential, c.normal);
      const F d1 = pushing(forward, c.weight), d2 = pushing(backward, c.weight);
      const F d3 = pushing(c.normal, c.weight + c.weight);
      const F f1 = d1 * forward, f2 = d2 * backward;
      Space::add_force(force[c.body], c.at, {fmadd(d3, c.normal, f1 + f2), mu * (f1 - f2)});
      Space::add_stiffness(stiffness[c.body], c.at, d1 + d2 + d3, mu * (d1 - d2),
                           mu * mu * (d1 + d2));
    }
    each_down<kBodies>([&](int b) GALLOP_BODY_LAMBDA {
      if (b == 0 || !model.body[b].touches) return;
      each_down<kDofs>([&](int i) GALLOP_BODY_LAMBDA {
        if (model.dof[i].body != b) return;
        gradient[i] += pose.along(i, force[b]);
        const Motion f = Space::multiply(stiffness[b], pose.motion(i));
        each<kDofs>([&](int j) GALLOP_BODY_LAMBDA {
          if (j <= i && model.filled[packed(i, j)]) hessian.at(i, j) += pose.along(j, f);
        });
      });
      const int parent = model.body[b].parent;
      if (parent != 0) {
        force[parent] = Space::add(force[parent], force[b]);
        stiffness[parent] = Space::add(stiffness[parent], stiffness[b]);
      }
    });
  }

  // Moves of the residuals for bodies accelerating by `acceleration` more.
  GALLOP_HD Mask<F> any_flips(const Motion* acceleration, Mask<F> so_far) {
    for (int k = 0; k < n; k++) {
      Contact& c = contact[k];
      const auto moved = Space::velocity_at(acceleration[c.body], c.at);
      c.normal_move = moved.a;
      c.tangential_move = moved.b;
      const F e = c.friction * c.tangential, move = c.friction * moved.b;
      const Mask<F> flipped = flips(c.normal, moved.a) | flips(c.normal + e, moved.a + move) |
                              flips(c.normal - e, moved.a - move);
      so_far = so_far | (flipped & c.active);
    }
    return so_far;
  }
  GALLOP_HD void add_slope(LineSlope<F>& slope) const {
    for (int k = 0; k < n; k++) {
      const Contact& c = contact[k];
      const F e = c.friction * c.tangential, move = c.friction * c.tangential_move;
      slope.add(c.normal + e, c.normal_move + move, c.weight);
      slope.add(c.normal - e, c.normal_move - move, c.weight);
      slope.add(c.normal, c.normal_move, c.weight + c.weight);
    }
  }
  GALLOP_HD void advance(F step) {
    for (int k = 0; k < n; k++) {
      contact[k].normal = fmadd(step, contact[k].normal_move, contact[k].normal);
      contact[k].tangential = fmadd(step, contact[k].tangential_move, contact[k].tangential);
    }
  }
};

}  // namespace gallop::inline GALLOP_ISA
