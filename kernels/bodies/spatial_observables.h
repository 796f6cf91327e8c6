// What MuJoCo tells of the bodies beyond their coordinates, about the centre of mass of all: its
// cinert, cvel and cfrc_ext.
#pragma once

#include <gallop/kernels/bodies/spatial_floor_contacts.h>
#include <gallop/kernels/bodies/spatial_self_contacts.h>

namespace gallop::inline GALLOP_ISA {

template <class Model, class F>
struct SpatialObservables {
  using Counts = BodyCounts<Model>;
  using Space = Spatial<F>;
  using Vector = typename Space::Vector;
  static constexpr int kBodies = Counts::kBodies - 1;  // but the world

  Vector centre;            // of mass, from the root's origin
  F inertia[10 * kBodies];  // [body][10]: xx yy zz xy xz yz, mass times offset, mass
  F velocity[6 * kBodies];  // [body][6]: rotation, and of the body's point at the centre of mass
  F contact[6 * kBodies];   // [body][6]: torque and force of all contacts

  GALLOP_HD void take(const BodyParameters<Model, F>& p, const SpatialPose<Model, F>& pose,
                      const SpatialFloorContacts<Model, F>& floor,
                      const SpatialSelfContacts<Model, F>& self) {
    const auto& table = spatial_tables<Model, F>();
    find_centre(p, pose);
    for (int k = 0; k < 6 * kBodies; k++) contact[k] = real<F>(0.0);
    for (int l = 1; l < Counts::kLinks; l++) {
      for (int k = table.link[l].first_member; k < table.link[l].end_member; k++) {
        take_body(p.mass(table.member[k].body), l, k, pose);
      }
    }
    for (int k = 0; k < floor.n; k++) {
      const auto& c = floor.contact[k];
      const Vector force = floor.pushed(c).force;
      add(c.body, -1, Space::cross(Space::subtract(c.at, centre), force), force);
    }
    if constexpr (Counts::kPairs > 0) {
      for (int k = 0; k < self.n; k++) {
        const auto& row = self.row[k];
        const auto& body = table.pair[row.pair].body;
        const F size = pushing(row.residual, row.weight) * row.residual;
        const Vector force = Space::scale(size, row.push.v);
        const Vector torque = Space::add_cross(force, centre, Space::scale(size, row.push.w));
        add(body[0], 1, torque, force);
        add(body[1], -1, torque, force);
      }
    }
  }

 private:
  GALLOP_HD void find_centre(const BodyParameters<Model, F>& p, const SpatialPose<Model, F>& pose) {
    const auto& table = spatial_tables<Model, F>();
    F mass = real<F>(0.0);
    Vector sum = Space::zero();
    for (int l = 1; l < Counts::kLinks; l++) {
      for (int k = table.link[l].first_member; k < table.link[l].end_member; k++) {
        const F m = p.mass(table.member[k].body);
        mass += m;
        sum = Space::add_scaled(m, at(l, k, pose), sum);
      }
    }
    centre = Space::scale(reciprocal(mass), sum);
  }

  static GALLOP_HD Vector at(int l, int member, const SpatialPose<Model, F>& pose) {
    const Vector local = as_vector<F>(spatial_tables<Model, F>().member[member].centre);
    return Space::add(pose.origin[l], Space::rotate(pose.rotation[l], local));
  }

  GALLOP_HD void take_body(F mass, int l, int k, const SpatialPose<Model, F>& pose) {
    const auto& member = spatial_tables<Model, F>().member[k];
    const auto* i = member.about_centre;
    const Vector d = Space::subtract(at(l, k, pose), centre);
    const auto r =
        Space::to_world(pose.rotation[l], {F(i[0]), F(i[1]), F(i[2]), F(i[3]), F(i[4]), F(i[5])});
    const F all[10] = {mass * fmadd(d.y, d.y, fmadd(d.z, d.z, r.xx)),
                       mass * fmadd(d.x, d.x, fmadd(d.z, d.z, r.yy)),
                       mass * fmadd(d.x, d.x, fmadd(d.y, d.y, r.zz)),
                       mass * fmadd(-d.x, d.y, r.xy),
                       mass * fmadd(-d.x, d.z, r.xz),
                       mass * fmadd(-d.y, d.z, r.yz),
                       mass * d.x,
                       mass * d.y,
                       mass * d.z,
                       mass};
    each<10>([&](int n) GALLOP_BODY_LAMBDA { inertia[10 * (member.body - 1) + n] = all[n]; });
    const Vector w = pose.velocity[l].w, v = Space::velocity_at(pose.velocity[l], centre);
    const F six[6] = {w.x, w.y, w.z, v.x, v.y, v.z};
    each<6>([&](int n) GALLOP_BODY_LAMBDA { velocity[6 * (member.body - 1) + n] = six[n]; });
  }

  GALLOP_HD void add(int body, double sign, Vector torque, Vector force) {
    F* to = contact + 6 * (body - 1);
    const F six[6] = {torque.x, torque.y, torque.z, force.x, force.y, force.z};
    each<6>([&](int n) GALLOP_BODY_LAMBDA { to[n] = fmadd(real<F>(sign), six[n], to[n]); });
  }
};

}  // namespace gallop::inline GALLOP_ISA
