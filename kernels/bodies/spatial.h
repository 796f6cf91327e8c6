// The algebra of motions in space, in the axes of the world and about one origin: spatial vectors
// of six numbers (Featherstone 2008, chapter 2).
#pragma once

#include <gallop/kernels/bodies/each.h>
#include <gallop/kernels/numerics/scalar.h>

namespace gallop::inline GALLOP_ISA {

template <class F>
struct Spatial {
  struct Vector {
    F x, y, z;
  };
  // Rate of rotation, and velocity of the point of the body that is at the origin. As a force:
  // torque about the origin, and force.
  struct Motion {
    Vector w, v;
  };
  // The axes of the body.
  struct Rotation {
    Vector x, y, z;
  };
  struct Symmetric {
    F xx, yy, zz, xy, xz, yz;
  };
  // About the origin.
  struct Inertia {
    F mass;
    Vector moment;
    Symmetric rotary;
  };
  // Symmetric, from motions to forces. wx, wy, wz: what the components of v add to the torque's.
  struct Stiffness {
    Symmetric ww, vv;
    Vector wx, wy, wz;
  };

  static GALLOP_HD Vector zero() {
    const F zero = real<F>(0.0);
    return {zero, zero, zero};
  }
  static GALLOP_HD Motion zero_motion() { return {zero(), zero()}; }
  static GALLOP_HD Symmetric zero_symmetric() {
    const F zero = real<F>(0.0);
    return {zero, zero, zero, zero, zero, zero};
  }
  static GALLOP_HD Stiffness zero_stiffness() {
    return {zero_symmetric(), zero_symmetric(), zero(), zero(), zero()};
  }

  static GALLOP_HD Vector add(Vector x, Vector y) { return {x.x + y.x, x.y + y.y, x.z + y.z}; }
  static GALLOP_HD Vector subtract(Vector x, Vector y) { return {x.x - y.x, x.y - y.y, x.z - y.z}; }
  static GALLOP_HD Vector scale(F s, Vector x) { return {s * x.x, s * x.y, s * x.z}; }
  static GALLOP_HD Vector add_scaled(F s, Vector x, Vector y) {
    return {fmadd(s, x.x, y.x), fmadd(s, x.y, y.y), fmadd(s, x.z, y.z)};
  }
  static GALLOP_HD F dot(Vector x, Vector y) { return fmadd(x.x, y.x, fmadd(x.y, y.y, x.z * y.z)); }
  static GALLOP_HD F add_dot(Vector x, Vector y, F to) {
    return fmadd(x.x, y.x, fmadd(x.y, y.y, fmadd(x.z, y.z, to)));
  }
  static GALLOP_HD Vector cross(Vector x, Vector y) {
    return {fmadd(x.y, y.z, -(x.z * y.y)), fmadd(x.z, y.x, -(x.x * y.z)),
            fmadd(x.x, y.y, -(x.y * y.x))};
  }
  static GALLOP_HD Vector add_cross(Vector x, Vector y, Vector to) {
    return {fmadd(x.y, y.z, fmadd(-x.z, y.y, to.x)), fmadd(x.z, y.x, fmadd(-x.x, y.z, to.y)),
            fmadd(x.x, y.y, fmadd(-x.y, y.x, to.z))};
  }
  static GALLOP_HD Motion add(Motion x, Motion y) { return {add(x.w, y.w), add(x.v, y.v)}; }
  static GALLOP_HD Motion subtract(Motion x, Motion y) {
    return {subtract(x.w, y.w), subtract(x.v, y.v)};
  }
  static GALLOP_HD Motion add_scaled(F s, Motion x, Motion y) {
    return {add_scaled(s, x.w, y.w), add_scaled(s, x.v, y.v)};
  }
  static GALLOP_HD F dot(Motion x, Motion y) { return add_dot(x.w, y.w, dot(x.v, y.v)); }
  static GALLOP_HD F add_dot(Motion x, Motion y, F to) {
    return add_dot(x.w, y.w, add_dot(x.v, y.v, to));
  }

  // Of a vector in the body's axes; back into them.
  static GALLOP_HD Vector rotate(const Rotation& r, Vector x) {
    return add_scaled(x.x, r.x, add_scaled(x.y, r.y, scale(x.z, r.z)));
  }
  static GALLOP_HD Vector rotate_back(const Rotation& r, Vector x) {
    return {dot(r.x, x), dot(r.y, x), dot(r.z, x)};
  }
  // Turned further about an axis of unit length in the body's axes.
  static GALLOP_HD Rotation turn(const Rotation& r, Vector axis, F sine, F cosine) {
    const Vector k = scale(real<F>(1.0) - cosine, axis), s = scale(sine, axis);
    return {
        rotate(r, {fmadd(k.x, axis.x, cosine), fmadd(k.y, axis.x, s.z), fmadd(k.z, axis.x, -s.y)}),
        rotate(r, {fmadd(k.x, axis.y, -s.z), fmadd(k.y, axis.y, cosine), fmadd(k.z, axis.y, s.x)}),
        rotate(r, {fmadd(k.x, axis.z, s.y), fmadd(k.y, axis.z, -s.x), fmadd(k.z, axis.z, cosine)})};
  }

  static GALLOP_HD Symmetric add(const Symmetric& x, const Symmetric& y) {
    return {x.xx + y.xx, x.yy + y.yy, x.zz + y.zz, x.xy + y.xy, x.xz + y.xz, x.yz + y.yz};
  }
  static GALLOP_HD Vector multiply(const Symmetric& s, Vector x) {
    return {dot({s.xx, s.xy, s.xz}, x), dot({s.xy, s.yy, s.yz}, x), dot({s.xz, s.yz, s.zz}, x)};
  }
  // From the body's axes to those of the world, and back.
  static GALLOP_HD Symmetric to_world(const Rotation& r, const Symmetric& s) {
    const Vector a = rotate(r, {s.xx, s.xy, s.xz}), b = rotate(r, {s.xy, s.yy, s.yz}),
                 c = rotate(r, {s.xz, s.yz, s.zz});
    const auto sum = [&](F x, F a_, F y, F b_, F z, F c_)
                         GALLOP_BODY_LAMBDA { return fmadd(x, a_, fmadd(y, b_, z * c_)); };
    return {sum(r.x.x, a.x, r.y.x, b.x, r.z.x, c.x), sum(r.x.y, a.y, r.y.y, b.y, r.z.y, c.y),
            sum(r.x.z, a.z, r.y.z, b.z, r.z.z, c.z), sum(r.x.x, a.y, r.y.x, b.y, r.z.x, c.y),
            sum(r.x.x, a.z, r.y.x, b.z, r.z.x, c.z), sum(r.x.y, a.z, r.y.y, b.z, r.z.y, c.z)};
  }
  static GALLOP_HD Symmetric to_body(const Rotation& r, const Symmetric& s) {
    const Vector x = multiply(s, r.x), y = multiply(s, r.y), z = multiply(s, r.z);
    return {dot(r.x, x), dot(r.y, y), dot(r.z, z), dot(r.x, y), dot(r.x, z), dot(r.y, z)};
  }

  static GALLOP_HD Inertia add(const Inertia& x, const Inertia& y) {
    return {x.mass + y.mass, add(x.moment, y.moment), add(x.rotary, y.rotary)};
  }
  // Momentum, or the force that an acceleration takes.
  static GALLOP_HD Motion multiply(const Inertia& i, Motion x) {
    return {add_cross(i.moment, x.v, multiply(i.rotary, x.w)),
            add_cross(x.w, i.moment, scale(i.mass, x.v))};
  }
  // An inertia in the axes of the world about a point that is at o, about the origin.
  static GALLOP_HD Inertia shift(const Inertia& i, Vector o) {
    const Vector h = add_scaled(i.mass, o, i.moment), both = add(h, i.moment);
    // |o|^2 m + 2 o.h on the diagonal, less the matrix of o (m o + h)' + h o'
    const Symmetric& r = i.rotary;
    const F trace = dot(o, both);
    const F xx = fmadd(o.x, both.x, -trace), yy = fmadd(o.y, both.y, -trace),
            zz = fmadd(o.z, both.z, -trace);
    return {i.mass,
            h,
            {r.xx - xx, r.yy - yy, r.zz - zz, fmadd(-o.x, h.y, fmadd(-i.moment.x, o.y, r.xy)),
             fmadd(-o.x, h.z, fmadd(-i.moment.x, o.z, r.xz)),
             fmadd(-o.y, h.z, fmadd(-i.moment.y, o.z, r.yz))}};
  }

  // V x S and V x* f.
  static GALLOP_HD Motion cross_motion(Motion x, Motion s) {
    return {cross(x.w, s.w), add_cross(x.v, s.w, cross(x.w, s.v))};
  }
  static GALLOP_HD Motion cross_force(Motion x, Motion f) {
    return {add_cross(x.v, f.v, cross(x.w, f.w)), cross(x.w, f.v)};
  }

  static GALLOP_HD Vector velocity_at(const Motion& x, Vector r) { return add_cross(x.w, r, x.v); }
  // `f` at the point r, added to `to`.
  static GALLOP_HD void add_force(Motion& to, Vector r, Vector f) {
    to.w = add_cross(r, f, to.w);
    to.v = add(to.v, f);
  }

  static GALLOP_HD void add(Stiffness& to, const Stiffness& x) {
    to.ww = add(to.ww, x.ww);
    to.vv = add(to.vv, x.vv);
    to.wx = add(to.wx, x.wx);
    to.wy = add(to.wy, x.wy);
    to.wz = add(to.wz, x.wz);
  }
  // A point stiffness k at r, added to `to`.
  static GALLOP_HD void add_stiffness(Stiffness& to, Vector r, const Symmetric& k) {
    // The columns of [r] k, and its rows.
    const Vector a = cross(r, {k.xx, k.xy, k.xz}), b = cross(r, {k.xy, k.yy, k.yz}),
                 c = cross(r, {k.xz, k.yz, k.zz});
    const Vector x = {a.x, b.x, c.x}, y = {a.y, b.y, c.y}, z = {a.z, b.z, c.z};
    to.wx = add(to.wx, x);
    to.wy = add(to.wy, y);
    to.wz = add(to.wz, z);
    to.vv = add(to.vv, k);
    to.ww.xx += fmadd(r.y, x.z, -(r.z * x.y));
    to.ww.xy += fmadd(r.z, x.x, -(r.x * x.z));
    to.ww.xz += fmadd(r.x, x.y, -(r.y * x.x));
    to.ww.yy += fmadd(r.z, y.x, -(r.x * y.z));
    to.ww.yz += fmadd(r.x, y.y, -(r.y * y.x));
    to.ww.zz += fmadd(r.x, z.y, -(r.y * z.x));
  }
  static GALLOP_HD Motion multiply(const Stiffness& k, const Motion& x) {
    const Vector across = add_scaled(x.w.x, k.wx, add_scaled(x.w.y, k.wy, scale(x.w.z, k.wz)));
    const Symmetric &w = k.ww, &v = k.vv;
    return {{add_dot({w.xx, w.xy, w.xz}, x.w, dot(k.wx, x.v)),
             add_dot({w.xy, w.yy, w.yz}, x.w, dot(k.wy, x.v)),
             add_dot({w.xz, w.yz, w.zz}, x.w, dot(k.wz, x.v))},
            {add_dot({v.xx, v.xy, v.xz}, x.v, across.x), add_dot({v.xy, v.yy, v.yz}, x.v, across.y),
             add_dot({v.xz, v.yz, v.zz}, x.v, across.z)}};
  }
};

}  // namespace gallop::inline GALLOP_ISA
