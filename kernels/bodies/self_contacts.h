// Contacts between capsules of the body itself, without friction. Every pair that can meet has a
// row of its own, so none is ever left out. Parallel capsules touch in one point only (MuJoCo:
// two).
#pragma once

#include <gallop/kernels/bodies/constraint_row.h>
#include <gallop/kernels/bodies/pose.h>

namespace gallop::inline GALLOP_ISA {

template <class Model, class F>
struct SelfContacts {
  using Counts = BodyCounts<Model>;
  using PoseOf = Pose<Model, F>;
  using Space = Planar<F>;
  using Vector = typename Space::Vector;
  using Motion = typename Space::Motion;
  static constexpr int kPairs = Counts::kPairs, kDofs = Counts::kDofs;

  struct Row {
    bool there;  // in any lane
    Mask<F> active;
    Vector at, normal;  // from the first capsule to the second
    F weight, residual, move;
  };
  Row row[at_least_one(kPairs)];

  template <class Body>
  GALLOP_HD void each_there(Body body) const {
    each<kPairs>([&](int k) GALLOP_BODY_LAMBDA {
      if (row[k].there) body(k);
    });
  }

  GALLOP_HD Mask<F> detect(const PoseOf& pose) {
    Mask<F> found = real<F>(0.0) < real<F>(0.0);
    each<kPairs>([&](int k) GALLOP_BODY_LAMBDA {
      const auto& pair = compiled<Model>().pair[k];
      const Vector x = centre(pose, k, 0), y = centre(pose, k, 1), between = Space::subtract(x, y);
      const double reach = length(pair.half[0]) + length(pair.half[1]) + pair.radius[0] +
                           pair.radius[1] + pair.margin;
      const Mask<F> near = Space::dot(between, between) < real<F>(reach * reach);
      const F zero = real<F>(0.0);
      row[k] = {false, zero < zero, {zero, zero}, {zero, zero}, zero, zero, zero};
      if (!any(near)) return;
      const Vector u = axis(pose, k, 0), w = axis(pose, k, 1);
      F s, t;
      nearest(u, w, between, s, t);
      const Vector from = Space::add_scaled(s, u, x);
      Vector normal = Space::subtract(Space::add_scaled(t, w, y), from);
      const F apart = sqrt(Space::dot(normal, normal));
      const F distance = apart - real<F>(pair.radius[0] + pair.radius[1]);
      const Mask<F> active = near & (distance < real<F>(pair.margin));
      if (!any(active)) return;
      found = found | active;
      const F inverse = reciprocal(max(apart, real<F>(1e-15)));
      normal = {normal.a * inverse, normal.b * inverse};
      Row& to = row[k];
      to.there = true;
      to.active = active;
      to.normal = normal;
      to.at =
          Space::add_scaled(fmadd(real<F>(0.5), distance, real<F>(pair.radius[0])), normal, from);
      const F r = distance - real<F>(pair.margin), d = impedance(pair.soft, r);
      to.weight = select(active, d * reciprocal((real<F>(1.0) - d) * real<F>(pair.inverse_weight)),
                         real<F>(0.0));
      const F speed = moved(k, pose.velocity[pair.body[0]], pose.velocity[pair.body[1]]);
      const F e = fmadd(real<F>(pair.soft.damping), speed, real<F>(pair.soft.stiffness) * d * r);
      to.residual = select(active, e, never_pushing<F>());
    });
    return found;
  }

  GALLOP_HD void accelerate(const Motion* acceleration) {
    each_there([&](int k) GALLOP_BODY_LAMBDA { row[k].residual += moved(k, acceleration); });
  }

  // The Hessian of no rows, with room for what these fill in.
  GALLOP_HD void start(const TreeMatrix<Model, F>& mass, TreeMatrix<Model, F>& hessian) const {
    hessian.assign(mass);
  }
  GALLOP_HD void add_gradient(const PoseOf& pose, F* gradient,
                              TreeMatrix<Model, F>& hessian) const {
    each_there([&](int k) GALLOP_BODY_LAMBDA {
      const F d = pushing(row[k].residual, row[k].weight);
      const F force = d * row[k].residual;
      F jacobian[kDofs];
      each<kDofs>([&](int i) GALLOP_BODY_LAMBDA {
        if (!moves(k, i)) return;
        const F j = Space::dot(row[k].normal, Space::velocity_at(pose.motion(i), row[k].at));
        jacobian[i] = compiled<Model>().body[second(k)].above[i] ? j : -j;
        gradient[i] = fmadd(force, jacobian[i], gradient[i]);
      });
      each<kDofs>([&](int i) GALLOP_BODY_LAMBDA {
        if (!moves(k, i)) return;
        const F dj = d * jacobian[i];
        each<kDofs>([&](int j) GALLOP_BODY_LAMBDA {
          if (j <= i && moves(k, j)) hessian.at(i, j) = fmadd(dj, jacobian[j], hessian.at(i, j));
        });
      });
    });
  }

  GALLOP_HD Mask<F> any_flips(const Motion* acceleration, Mask<F> so_far) {
    each_there([&](int k) GALLOP_BODY_LAMBDA {
      row[k].move = moved(k, acceleration);
      so_far = so_far | (flips(row[k].residual, row[k].move) & row[k].active);
    });
    return so_far;
  }
  GALLOP_HD void add_slope(LineSlope<F>& slope) const {
    each_there([&](int k)
                   GALLOP_BODY_LAMBDA { slope.add(row[k].residual, row[k].move, row[k].weight); });
  }
  GALLOP_HD void advance(F step) {
    each_there([&](int k) GALLOP_BODY_LAMBDA {
      row[k].residual = fmadd(step, row[k].move, row[k].residual);
    });
  }

 private:
  using Constants = typename CompiledModel<Model>::Plane;
  static GALLOP_HD double length(Constants x) { return __builtin_sqrt(x.a * x.a + x.b * x.b); }
  static GALLOP_HD int first(int k) { return compiled<Model>().pair[k].body[0]; }
  static GALLOP_HD int second(int k) { return compiled<Model>().pair[k].body[1]; }
  // Dofs that move both bodies alike do not move one against the other.
  static GALLOP_HD bool moves(int k, int dof) {
    const auto& model = compiled<Model>();
    return model.body[first(k)].above[dof] != model.body[second(k)].above[dof];
  }
  static GALLOP_HD Vector centre(const PoseOf& pose, int k, int which) {
    const auto& pair = compiled<Model>().pair[k];
    const int b = pair.body[which];
    const Constants c = pair.centre[which];
    return Space::add(pose.origin[b], Space::rotate(pose.rotation[b], c.a, c.b));
  }
  static GALLOP_HD Vector axis(const PoseOf& pose, int k, int which) {
    const auto& pair = compiled<Model>().pair[k];
    const Constants half = pair.half[which];
    return Space::rotate(pose.rotation[pair.body[which]], half.a, half.b);
  }
  GALLOP_HD F moved(int k, Motion x, Motion y) const {
    const Vector difference =
        Space::subtract(Space::velocity_at(y, row[k].at), Space::velocity_at(x, row[k].at));
    return Space::dot(row[k].normal, difference);
  }
  GALLOP_HD F moved(int k, const Motion* motion) const {
    return moved(k, motion[first(k)], motion[second(k)]);
  }

  // Nearest points x + s u and y + t w of two segments, s and t in [-1, 1]; between = x - y.
  static GALLOP_HD void nearest(Vector u, Vector w, Vector between, F& s, F& t) {
    const F one = real<F>(1.0);
    const auto within = [&](F z) GALLOP_BODY_LAMBDA { return min(max(z, -one), one); };
    const F uu = Space::dot(u, u), uw = -Space::dot(u, w), ww = Space::dot(w, w);
    const F su = -Space::dot(u, between), tw = Space::dot(w, between);
    const F determinant = max(fmadd(uu, ww, -(uw * uw)), real<F>(1e-15));
    const F inverse = reciprocal(determinant), per_u = reciprocal(uu), per_w = reciprocal(ww);
    s = fmadd(ww, su, -(uw * tw)) * inverse;
    t = fmadd(uu, tw, -(uw * su)) * inverse;
    t = select(s > one, (tw - uw) * per_w, select(s < -one, (tw + uw) * per_w, t));
    s = within(s);
    s = select(t > one, within((su - uw) * per_u), select(t < -one, within((su + uw) * per_u), s));
    t = within(t);
  }
};

}  // namespace gallop::inline GALLOP_ISA
