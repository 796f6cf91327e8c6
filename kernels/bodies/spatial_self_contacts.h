// Contacts between spheres and capsules of the body itself in space, without friction. The list
// has room for every pair that can meet, so that none is ever left out. Two axes always have one
// pair of nearest points here; where they are parallel to the last bit MuJoCo makes two contacts.
#pragma once

#include <gallop/kernels/bodies/constraint_row.h>
#include <gallop/kernels/bodies/spatial_pose.h>

namespace gallop::inline GALLOP_ISA {

template <class Model, class F>
struct SpatialSelfContacts {
  using Counts = BodyCounts<Model>;
  using PoseOf = SpatialPose<Model, F>;
  using Space = Spatial<F>;
  using Vector = typename Space::Vector;
  using Motion = typename Space::Motion;
  static constexpr int kPairs = Counts::kPairs, kGeoms = Counts::kGeoms;
  static constexpr int kHinges = Counts::kDofs - 6;
  static constexpr double kMargin =
      margin_of<Model>(Model::kGeoms[0].margin, Model::kGeoms[0].margin);

  struct Row {
    int pair;
    Mask<F> active;
    Motion push;  // a unit of force on the second body; the first gets the opposite
    F weight, residual, move;
  };
  Row row[at_least_one(kPairs)];
  int n = 0;
  FilledChains<Model> chains;  // those that the rows make, where there are any

  // A constant of each function that needs it: device code has no addresses of static members.
  static constexpr SoftConstants softness() {
    return soft_constants(Model::kGeoms[0].softness, Model::kGeoms[0].softness,
                          Model::kWorld.timestep);
  }

  GALLOP_HD Mask<F> detect(const PoseOf& pose) {
    const F zero = real<F>(0.0);
    Mask<F> found = zero < zero;
    if constexpr (kPairs > 0) {
      const auto& table = spatial_tables<Model, F>();
      Vector centre[kGeoms], half[kGeoms];
      for (int g = 0; g < kGeoms; g++) {
        const auto& geom = table.geom[g];
        const auto& r = pose.rotation[geom.link];
        centre[g] = Space::add(pose.origin[geom.link], Space::rotate(r, as_vector<F>(geom.centre)));
        half[g] = Space::rotate(r, as_vector<F>(geom.half));
      }
      for (int g = 0; g < kGeoms; g++) {
        const Vector x = centre[g];
        for (int k = table.first_pair[g]; k < table.first_pair[g + 1]; k++) {
          const Vector between = Space::subtract(x, centre[table.second[k]]);
          const Mask<F> near = Space::dot(between, between) < F(table.reach2[k]);
          if (any(near)) found = found | meet(pose, k, near, between, centre, half);
        }
      }
      if (n > 0) chains.finish();
    }
    return found;
  }

  // The Hessian of no rows, with room for what these fill in.
  GALLOP_HD void start(const SpatialMatrix<Model, F>& mass,
                       SpatialHessian<Model, F>& hessian) const {
    hessian.assign(mass, n > 0 ? &chains : nullptr);
  }

  GALLOP_HD void accelerate(const Motion* acceleration) {
    for (int k = 0; k < n; k++) row[k].residual += moved(row[k], acceleration);
  }

  GALLOP_HD void add_gradient(const PoseOf& pose, F* gradient,
                              SpatialHessian<Model, F>& hessian) const {
    if constexpr (kPairs > 0) {
      for (int k = 0; k < n; k++) {
        const Row& r = row[k];
        const auto& pair = spatial_tables<Model, F>().pair[r.pair];
        const F d = pushing(r.residual, r.weight), force = d * r.residual;
        F jacobian[kHinges];
        const std::uint32_t all = pair.first | pair.second;
        for (const int i : Bits{all}) {
          const F along = Space::dot(pose.turning[i], r.push);
          jacobian[i] = (pair.second & bit_of(i)) != 0 ? along : -along;
          gradient[6 + i] = fmadd(force, jacobian[i], gradient[6 + i]);
          const F dj = d * jacobian[i];
          F* const to = hessian.row(i) + 6;
          for (const int j : Bits{all & (2 * bit_of(i) - 1)}) {
            to[j] = fmadd(dj, jacobian[j], to[j]);
          }
        }
      }
    }
  }

  GALLOP_HD Mask<F> any_flips(const Motion* acceleration, Mask<F> so_far) {
    for (int k = 0; k < n; k++) {
      row[k].move = moved(row[k], acceleration);
      so_far = so_far | (flips(row[k].residual, row[k].move) & row[k].active);
    }
    return so_far;
  }
  GALLOP_HD void add_slope(LineSlope<F>& slope) const {
    for (int k = 0; k < n; k++) slope.add(row[k].residual, row[k].move, row[k].weight);
  }
  GALLOP_HD void advance(F step) {
    for (int k = 0; k < n; k++) row[k].residual = fmadd(step, row[k].move, row[k].residual);
  }

 private:
  // Whether the geoms of pair k touch where they are near.
  GALLOP_HD Mask<F> meet(const PoseOf& pose, int k, Mask<F> near, Vector between,
                         const Vector* centre, const Vector* half) {
    const auto& pair = spatial_tables<Model, F>().pair[k];
    const Vector u = half[pair.geom[0]], w = half[pair.geom[1]];
    F s, t;
    nearest(pair.geom[0], pair.geom[1], u, w, between, s, t);
    const Vector from = Space::add_scaled(s, u, centre[pair.geom[0]]);
    const Vector to = Space::subtract(Space::add_scaled(t, w, centre[pair.geom[1]]), from);
    const F apart = sqrt(Space::dot(to, to)), distance = apart - F(pair.radii);
    const Mask<F> active = near & (distance < real<F>(kMargin));
    if (any(active)) {
      if (n == 0) chains.start();
      chains.add(pair.first | pair.second);
      add_row(pose, k, from, to, apart, distance, active);
    }
    return active;
  }

  GALLOP_HD void add_row(const PoseOf& pose, int k, Vector from, Vector between, F apart,
                         F distance, Mask<F> active) {
    constexpr SoftConstants soft = softness();
    const auto& pair = spatial_tables<Model, F>().pair[k];
    const Vector normal = Space::scale(reciprocal(max(apart, real<F>(1e-15))), between);
    const F deep = fmadd(real<F>(0.5), distance, F(pair.radius));
    const Vector at = Space::add_scaled(deep, normal, from);
    Row& to = row[n++];
    to.pair = k;
    to.active = active;
    to.push = {Space::cross(at, normal), normal};
    const F r = distance - real<F>(kMargin), d = impedance(soft, r);
    const F regular = (real<F>(1.0) - d) * F(pair.inverse_weight);
    to.weight = select(active, d * reciprocal(regular), real<F>(0.0));
    const F speed = moved(to, pose.velocity);
    const F e = fmadd(real<F>(soft.damping), speed, real<F>(soft.stiffness) * d * r);
    to.residual = select(active, e, never_pushing<F>());
  }

  GALLOP_HD static F moved(const Row& r, const Motion* motion) {
    const auto& link = spatial_tables<Model, F>().pair[r.pair].link;
    return Space::dot(Space::subtract(motion[link[1]], motion[link[0]]), r.push);
  }

  // Nearest points x + s u and y + t w of the axes of geoms g and h, s and t in [-1, 1]; between =
  // x - y. Each step takes the nearest point to the one before, so that parallel axes end at a pair
  // of nearest points too.
  static GALLOP_HD void nearest(int g, int h, Vector u, Vector w, Vector between, F& s, F& t) {
    const auto &first = spatial_tables<Model, F>().geom[g],
               &second = spatial_tables<Model, F>().geom[h];
    const F one = real<F>(1.0), uw = Space::dot(u, w);
    const auto within = [&](F z) GALLOP_BODY_LAMBDA { return min(max(z, -one), one); };
    const F su = -Space::dot(u, between), tw = Space::dot(w, between);
    const F determinant = fmadd(F(first.half2), F(second.half2), -(uw * uw));
    s = within(fmadd(F(second.half2), su, uw * tw) * reciprocal(max(determinant, real<F>(1e-15))));
    t = within(fmadd(uw, s, tw) * F(second.inverse_half2));
    s = within(fmadd(uw, t, su) * F(first.inverse_half2));
  }
};

}  // namespace gallop::inline GALLOP_ISA
