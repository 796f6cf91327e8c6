// How coordinates follow velocities. They are as many, but for a free root, whose quaternion turns.
#pragma once

#include <gallop/kernels/bodies/body_counts.h>
#include <gallop/kernels/bodies/each.h>
#include <gallop/kernels/numerics/math.h>

namespace gallop::inline GALLOP_ISA {

// Squared lengths of quaternions that stand for no rotation, as MuJoCo has them, are below this.
inline constexpr double kLeastLength2 = 1e-30;

// Makes such a quaternion [4] the unit one.
template <class F>
GALLOP_HD void require_rotation(F* q) {
  const F length2 = fmadd(q[0], q[0], fmadd(q[1], q[1], fmadd(q[2], q[2], q[3] * q[3])));
  const Mask<F> none = length2 < real<F>(kLeastLength2);
  q[0] = select(none, real<F>(1.0), q[0]);
  each<3>([&](int k) GALLOP_BODY_LAMBDA { q[1 + k] = select(none, real<F>(0.0), q[1 + k]); });
}

// The coordinates of a free root: `to` = `from` after `time` at velocity v, of which the rotation
// is in the axes of the body. `to` may be `from`.
template <class F>
GALLOP_HD void move_root(const F* from, const F* v, F time, F* to) {
  each<3>([&](int k) GALLOP_BODY_LAMBDA { to[k] = fmadd(time, v[k], from[k]); });
  const F rate = sqrt(fmadd(v[3], v[3], fmadd(v[4], v[4], v[5] * v[5])));
  const F least = real<F>(1e-15), w = from[3], x = from[4], y = from[5], z = from[6];
  F s, c;
  sin_cos(real<F>(0.5) * time * rate, s, c);
  s = select(rate < least, real<F>(0.0), s * reciprocal(max(rate, least)));
  const F a = s * v[3], b = s * v[4], d = s * v[5];
  const F turned[4] = {fmadd(w, c, fmadd(-x, a, fmadd(-y, b, -(z * d)))),
                       fmadd(w, a, fmadd(x, c, fmadd(y, d, -(z * b)))),
                       fmadd(w, b, fmadd(y, c, fmadd(z, a, -(x * d)))),
                       fmadd(w, d, fmadd(z, c, fmadd(x, b, -(y * a))))};
  F length2 = turned[0] * turned[0];
  each<3>([&](int k)
              GALLOP_BODY_LAMBDA { length2 = fmadd(turned[1 + k], turned[1 + k], length2); });
  const F by = reciprocal(sqrt(length2));
  each<4>([&](int k) GALLOP_BODY_LAMBDA { to[3 + k] = by * turned[k]; });
}

// All coordinates likewise.
template <class Model, class F>
GALLOP_HD void move_coordinates(const F* from, const F* v, F time, F* to) {
  constexpr int kFree = BodyCounts<Model>::kFree;
  if constexpr (kFree > 0) move_root(from, v, time, to);
  each<BodyCounts<Model>::kDofs - 6 * kFree>([&](int k) GALLOP_BODY_LAMBDA {
    to[7 * kFree + k] = fmadd(time, v[6 * kFree + k], from[7 * kFree + k]);
  });
}

}  // namespace gallop::inline GALLOP_ISA
