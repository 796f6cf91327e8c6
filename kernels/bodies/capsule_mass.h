// Mass and inertia of capsules and spheres, and of bodies made of them.
#pragma once

#include <gallop/kernels/bodies/model.h>

namespace gallop::inline GALLOP_ISA {

// Mass, centre and inertia about the centre: xx yy zz xy xz yz.
struct MassProperties {
  double mass = 0;
  Vector3 centre = {0, 0, 0};
  double inertia[6] = {};
};

constexpr void add_point(double (&inertia)[6], double mass, Vector3 r) {
  inertia[0] += mass * (r.y * r.y + r.z * r.z);
  inertia[1] += mass * (r.x * r.x + r.z * r.z);
  inertia[2] += mass * (r.x * r.x + r.y * r.y);
  inertia[3] -= mass * r.x * r.y;
  inertia[4] -= mass * r.x * r.z;
  inertia[5] -= mass * r.y * r.z;
}

constexpr MassProperties mass_of(const GeomSpec& geom) {
  const Vector3 between = geom.to - geom.from;
  const double r = geom.radius, h = constant_sqrt(dot(between, between));
  const double cylinder = geom.density * kPi * r * r * h;
  const double sphere = geom.density * (4.0 / 3) * kPi * r * r * r;
  const double axial = cylinder * r * r / 2 + sphere * (2.0 / 5) * r * r;
  const double across = cylinder * (3 * r * r + h * h) / 12 + sphere * (2.0 / 5) * r * r +
                        sphere * h * (3 * r + 2 * h) / 8;
  const Vector3 axis = h > 0 ? (1 / h) * between : Vector3{0, 0, 1};
  MassProperties p;
  p.mass = cylinder + sphere;
  p.centre = 0.5 * (geom.from + geom.to);
  // across * (1 - axis axis') + axial * axis axis'
  const double more = axial - across;
  for (int k = 0; k < 3; k++) p.inertia[k] = across + more * axis[k] * axis[k];
  p.inertia[3] = more * axis.x * axis.y;
  p.inertia[4] = more * axis.x * axis.z;
  p.inertia[5] = more * axis.y * axis.z;
  return p;
}

template <class Model>
constexpr MassProperties mass_of_body(int body) {
  MassProperties total;
  for (const GeomSpec& geom : Model::kGeoms) {
    if (geom.body != body) continue;
    const MassProperties p = mass_of(geom);
    total.mass += p.mass;
    total.centre = total.centre + p.mass * p.centre;
  }
  total.centre = (1 / total.mass) * total.centre;
  for (const GeomSpec& geom : Model::kGeoms) {
    if (geom.body != body) continue;
    const MassProperties p = mass_of(geom);
    for (int k = 0; k < 6; k++) total.inertia[k] += p.inertia[k];
    add_point(total.inertia, p.mass, p.centre - total.centre);
  }
  return total;
}

// What all masses of the model are multiplied by.
template <class Model>
constexpr double mass_scale() {
  if (!(Model::kWorld.total_mass > 0)) return 1;
  double sum = 0;
  for (int b = 1; b <= length_of(Model::kBodies); b++) sum += mass_of_body<Model>(b).mass;
  return Model::kWorld.total_mass / sum;
}

}  // namespace gallop::inline GALLOP_ISA
