// The algebra of motions within a plane: what a spatial vector of six numbers is in space is three
// here. Of the two components, the first is height where the plane is upright; a turn by a positive
// angle takes the first axis towards the second.
#pragma once

#include <gallop/kernels/numerics/scalar.h>

namespace gallop::inline GALLOP_ISA {

template <class F>
struct Planar {
  struct Vector {
    F a, b;
  };
  // Rate of rotation, and velocity of the point of the body that is at the origin. As a force:
  // torque about the origin, and force.
  struct Motion {
    F w;
    Vector v;
  };
  struct Rotation {
    F c, s;
  };
  // About the origin.
  struct Inertia {
    F mass;
    Vector moment;
    F rotary;
  };
  // Symmetric, from motions to forces.
  struct Stiffness {
    F ww, wa, wb, aa, ab, bb;
  };

  static GALLOP_HD Motion zero_motion() {
    const F zero = real<F>(0.0);
    return {zero, {zero, zero}};
  }
  static GALLOP_HD Stiffness zero_stiffness() {
    const F zero = real<F>(0.0);
    return {zero, zero, zero, zero, zero, zero};
  }

  static GALLOP_HD Vector add(Vector x, Vector y) { return {x.a + y.a, x.b + y.b}; }
  static GALLOP_HD Vector subtract(Vector x, Vector y) { return {x.a - y.a, x.b - y.b}; }
  static GALLOP_HD Vector add_scaled(F s, Vector x, Vector y) {
    return {fmadd(s, x.a, y.a), fmadd(s, x.b, y.b)};
  }
  static GALLOP_HD F dot(Vector x, Vector y) { return fmadd(x.a, y.a, x.b * y.b); }
  static GALLOP_HD Motion add(Motion x, Motion y) { return {x.w + y.w, add(x.v, y.v)}; }
  static GALLOP_HD F dot(Motion x, Motion y) { return fmadd(x.w, y.w, dot(x.v, y.v)); }

  static GALLOP_HD Vector rotate(Rotation r, Vector x) {
    return {fmadd(r.c, x.a, -(r.s * x.b)), fmadd(r.s, x.a, r.c * x.b)};
  }
  // Of constants; nothing is multiplied by those that are zero.
  static GALLOP_HD Vector rotate(Rotation r, double a, double b) {
    if (b == 0) return {r.c * real<F>(a), r.s * real<F>(a)};
    if (a == 0) return {-(r.s * real<F>(b)), r.c * real<F>(b)};
    return rotate(r, Vector{real<F>(a), real<F>(b)});
  }
  static GALLOP_HD Rotation turn(Rotation x, Rotation y) {
    return {fmadd(x.c, y.c, -(x.s * y.s)), fmadd(x.s, y.c, x.c * y.s)};
  }

  static GALLOP_HD Inertia add(Inertia x, Inertia y) {
    return {x.mass + y.mass, add(x.moment, y.moment), x.rotary + y.rotary};
  }
  // Momentum, or the force that an acceleration takes.
  static GALLOP_HD Motion multiply(const Inertia& i, Motion x) {
    const F torque = fmadd(i.rotary, x.w, fmadd(i.moment.a, x.v.b, -(i.moment.b * x.v.a)));
    return {torque,
            {fmadd(i.mass, x.v.a, -(i.moment.b * x.w)), fmadd(i.mass, x.v.b, i.moment.a * x.w)}};
  }
  // V x* f.
  static GALLOP_HD Motion cross_force(Motion x, Motion f) {
    return {fmadd(x.v.a, f.v.b, -(x.v.b * f.v.a)), {-(x.w * f.v.b), x.w * f.v.a}};
  }

  static GALLOP_HD Vector velocity_at(Motion x, Vector r) {
    return {fmadd(-x.w, r.b, x.v.a), fmadd(x.w, r.a, x.v.b)};
  }
  // `f` at the point r, added to `to`.
  static GALLOP_HD void add_force(Motion& to, Vector r, Vector f) {
    to.w += fmadd(r.a, f.b, -(r.b * f.a));
    to.v = add(to.v, f);
  }

  static GALLOP_HD Stiffness add(const Stiffness& x, const Stiffness& y) {
    return {x.ww + y.ww, x.wa + y.wa, x.wb + y.wb, x.aa + y.aa, x.ab + y.ab, x.bb + y.bb};
  }
  // A point stiffness [aa ab; ab bb] at r, added to `to`.
  static GALLOP_HD void add_stiffness(Stiffness& to, Vector r, F aa, F ab, F bb) {
    const F wa = fmadd(r.a, ab, -(r.b * aa)), wb = fmadd(r.a, bb, -(r.b * ab));
    to.ww += fmadd(r.a, wb, -(r.b * wa));
    to.wa += wa;
    to.wb += wb;
    to.aa += aa;
    to.ab += ab;
    to.bb += bb;
  }
  static GALLOP_HD Motion multiply(const Stiffness& k, Motion x) {
    return {fmadd(k.ww, x.w, fmadd(k.wa, x.v.a, k.wb * x.v.b)),
            {fmadd(k.wa, x.w, fmadd(k.aa, x.v.a, k.ab * x.v.b)),
             fmadd(k.wb, x.w, fmadd(k.ab, x.v.a, k.bb * x.v.b))}};
  }
};

}  // namespace gallop::inline GALLOP_ISA
