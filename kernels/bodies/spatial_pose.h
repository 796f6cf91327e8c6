// Where the links of a free body are and how they move, and the equations of motion without
// constraints: what bodies/pose.h does in the plane, in space, by loops over the tables of the
// model. Coordinates are about the root's origin, of which only the height enters, in the axes of
// the world.
#pragma once

#include <gallop/kernels/bodies/coordinates.h>
#include <gallop/kernels/bodies/parameters.h>
#include <gallop/kernels/bodies/spatial_matrix.h>
#include <gallop/kernels/bodies/spatial_tables.h>
#include <gallop/kernels/numerics/math.h>

namespace gallop::inline GALLOP_ISA {

template <class Model, class F>
struct SpatialPose {
  using Counts = BodyCounts<Model>;
  using Space = Spatial<F>;
  using Vector = typename Space::Vector;
  using Motion = typename Space::Motion;
  using Inertia = typename Space::Inertia;
  using Mass = SpatialMatrix<Model, F>;
  static constexpr int kLinks = Counts::kLinks, kDofs = Counts::kDofs, kHinges = kDofs - 6;
  static constexpr int kMoving = kLinks;  // bodies that a sweep moves

  typename Space::Rotation rotation[kLinks];
  Vector origin[kLinks];
  Motion turning[kHinges];  // motion of a hinge turning at unit rate
  Motion velocity[kLinks];
  F height;  // of the root above the floor
  Mass mass;
  F force[kDofs];  // all forces but those of constraints

  // Motions of all links for dofs moving by x: J x, link by link.
  GALLOP_HD void sweep(const F* x, Motion* to) const {
    const auto& table = spatial_tables<Model, F>();
    to[0] = Space::zero_motion();
    to[1] = {Space::rotate(rotation[1], {x[3], x[4], x[5]}), {x[0], x[1], x[2]}};
    for (int l = 2; l < kLinks; l++) {
      const auto& link = table.link[l];
      Motion moving = to[link.parent];
      for (int j = link.first_hinge; j < link.end_hinge; j++) {
        moving = Space::add_scaled(x[6 + j], turning[j], moving);
      }
      to[l] = moving;
    }
  }

  // Fills everything from the coordinates q, the velocities v and the torques of the motors.
  GALLOP_HD void update(const BodyParameters<Model, F>& p, const F* q, const F* v,
                        const F* torque) {
    const auto& table = spatial_tables<Model, F>();
    Motion acceleration[kLinks];  // that v and gravity alone give
    Motion needed[kLinks];        // the force that it takes
    Inertia inertia[kLinks];
    place_root(q, v);
    acceleration[1] = {Space::zero(), Space::cross(velocity[1].v, velocity[1].w)};
    acceleration[1].v.z += p.gravity();
    for (int l = 1; l < kLinks; l++) {
      if (l > 1) acceleration[l] = place(l, q, v, acceleration[table.link[l].parent]);
      const Inertia its = inertia[l] = inertia_of(p, l);
      const Motion momentum = Space::multiply(its, velocity[l]);
      needed[l] = Space::add(Space::multiply(its, acceleration[l]),
                             Space::cross_force(velocity[l], momentum));
    }
    for (int l = kLinks - 1; l > 1; l--) {
      const auto& link = table.link[l];
      for (int j = link.end_hinge - 1; j >= link.first_hinge; j--) {
        const auto& hinge = table.hinge[j];
        const Motion f = Space::multiply(inertia[l], turning[j]);
        F* const row = mass.row(j);
        each_in_row(j, f, [&](int u, F x) GALLOP_BODY_LAMBDA { row[u] = x; });
        mass.diagonal(j) += F(hinge.armature);
        F sum = torque[6 + j] - Space::dot(turning[j], needed[l]);
        sum = fmadd(F(-hinge.damping), v[6 + j], sum);
        force[6 + j] = fmadd(F(-hinge.stiffness), q[7 + j], sum);
      }
      inertia[link.parent] = Space::add(inertia[link.parent], inertia[l]);
      needed[link.parent] = Space::add(needed[link.parent], needed[l]);
    }
    const Inertia& all = inertia[1];
    const auto& r = rotation[1];
    const F zero = real<F>(0.0);
    const auto turned = Space::to_body(r, all.rotary);
    // Of a turn about a: the force a x h.
    const Vector x = Space::cross(r.x, all.moment), y = Space::cross(r.y, all.moment),
                 z = Space::cross(r.z, all.moment);
    const F full[21] = {all.mass,  zero, all.mass,  zero, zero,      all.mass,  x.x,
                        x.y,       x.z,  turned.xx, y.x,  y.y,       y.z,       turned.xy,
                        turned.yy, z.x,  z.y,       z.z,  turned.xz, turned.yz, turned.zz};
    each<21>([&](int k) GALLOP_BODY_LAMBDA { mass.root[k] = full[k]; });
    const Vector torques = Space::rotate_back(r, needed[1].w);
    const F against[6] = {needed[1].v.x, needed[1].v.y, needed[1].v.z,
                          torques.x,     torques.y,     torques.z};
    each<6>([&](int k) GALLOP_BODY_LAMBDA { force[k] = torque[k] - against[k]; });
  }

  // The products of f, a force on the link of hinge j, with the motions of all that move it:
  // to(k, product) for the elements of a row of the mass matrix.
  template <class To>
  GALLOP_HD void each_in_row(int j, const Motion& f, To to) const {
    const Vector torque = Space::rotate_back(rotation[1], f.w);
    to(0, f.v.x);
    to(1, f.v.y);
    to(2, f.v.z);
    to(3, torque.x);
    to(4, torque.y);
    to(5, torque.z);
    tree_chains<Model>().each_before(
        j, [&](int i) GALLOP_BODY_LAMBDA { to(6 + i, Space::dot(turning[i], f)); });
    to(6 + j, Space::dot(turning[j], f));
  }

  static GALLOP_HD typename Space::Rotation rotation_of(const F* quaternion) {
    const F *q = quaternion, one = real<F>(1.0), two = real<F>(2.0);
    const F length2 = fmadd(q[0], q[0], fmadd(q[1], q[1], fmadd(q[2], q[2], q[3] * q[3])));
    // As MuJoCo has it, a quaternion of no length is no rotation.
    const F s = select(length2 < real<F>(kLeastLength2), real<F>(0.0), two * reciprocal(length2));
    const F x = s * q[1], y = s * q[2], z = s * q[3];
    const F wx = q[0] * x, wy = q[0] * y, wz = q[0] * z;
    return {{fmadd(-y, q[2], fmadd(-z, q[3], one)), fmadd(x, q[2], wz), fmadd(x, q[3], -wy)},
            {fmadd(x, q[2], -wz), fmadd(-x, q[1], fmadd(-z, q[3], one)), fmadd(y, q[3], wx)},
            {fmadd(x, q[3], wy), fmadd(y, q[3], -wx), fmadd(-x, q[1], fmadd(-y, q[2], one))}};
  }

 private:
  GALLOP_HD void place_root(const F* q, const F* v) {
    rotation[1] = rotation_of(q + 3);
    origin[1] = Space::zero();
    height = q[2];
    velocity[1] = {Space::rotate(rotation[1], {v[3], v[4], v[5]}), {v[0], v[1], v[2]}};
  }

  // Position and velocity of link l; returns its acceleration.
  GALLOP_HD Motion place(int l, const F* q, const F* v, Motion acceleration) {
    const auto& table = spatial_tables<Model, F>();
    const auto& link = table.link[l];
    auto r = rotation[link.parent];
    Motion moving = velocity[link.parent];
    const Vector offset = Space::rotate(r, as_vector<F>(link.offset));
    const Vector at = origin[l] = Space::add(origin[link.parent], offset);
    for (int j = link.first_hinge; j < link.end_hinge; j++) {
      const auto& hinge = table.hinge[j];
      const Vector axis = as_vector<F>(hinge.axis), w = Space::rotate(r, axis);
      const Motion its = turning[j] = {w, Space::cross(at, w)};
      acceleration = Space::add_scaled(v[6 + j], Space::cross_motion(moving, its), acceleration);
      moving = Space::add_scaled(v[6 + j], its, moving);
      F sine, cosine;
      sin_cos(q[7 + j] - F(hinge.reference), sine, cosine);
      r = Space::turn(r, axis, sine, cosine);
    }
    rotation[l] = r;
    velocity[l] = moving;
    return acceleration;
  }

  GALLOP_HD Inertia inertia_of(const BodyParameters<Model, F>& p, int l) const {
    const auto& table = spatial_tables<Model, F>();
    const auto& link = table.link[l];
    Inertia sum = {real<F>(0.0), Space::zero(), Space::zero_symmetric()};
    for (int k = link.first_member; k < link.end_member; k++) {
      const auto& member = table.member[k];
      const F m = p.mass(member.body);
      const auto* i = member.about_origin;
      sum.mass += m;
      sum.moment = Space::add_scaled(m, as_vector<F>(member.centre), sum.moment);
      sum.rotary = {fmadd(m, F(i[0]), sum.rotary.xx), fmadd(m, F(i[1]), sum.rotary.yy),
                    fmadd(m, F(i[2]), sum.rotary.zz), fmadd(m, F(i[3]), sum.rotary.xy),
                    fmadd(m, F(i[4]), sum.rotary.xz), fmadd(m, F(i[5]), sum.rotary.yz)};
    }
    sum.moment = Space::rotate(rotation[l], sum.moment);
    sum.rotary = Space::to_world(rotation[l], sum.rotary);
    return l == 1 ? sum : Space::shift(sum, origin[l]);
  }
};

}  // namespace gallop::inline GALLOP_ISA
