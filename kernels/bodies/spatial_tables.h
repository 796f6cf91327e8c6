// The compiled model in space as the loops over it read it: tables indexed at run time, in the
// precision of the scalar type, so that every number is one load.
#pragma once

#include <gallop/kernels/bodies/spatial.h>
#include <gallop/kernels/bodies/spatial_model.h>
#include <gallop/kernels/numerics/scalar.h>

namespace gallop::inline GALLOP_ISA {

// The precision of constants beside F: that to which real<F> rounds them.
template <class F>
struct ConstantOf {
  using type = float;
};
template <>
struct ConstantOf<double> {
  using type = double;
};

template <class Model, class Real>
struct SpatialTables {
  using Counts = BodyCounts<Model>;
  static constexpr int kBodies = Counts::kBodies, kLinks = Counts::kLinks;
  static constexpr int kHinges = Counts::kDofs - 6, kGeoms = Counts::kGeoms;
  static constexpr int kPoints = Counts::kFloorPoints, kPairs = Counts::kPairs;

  struct Triple {
    Real x, y, z;
  };
  struct Link {
    int parent, first_hinge, end_hinge, first_member, end_member;
    Triple offset;
  };
  // A body of a link, for a unit of its mass, about the link's origin and its own centre.
  struct Member {
    int body;
    Triple centre;
    Real about_origin[6], about_centre[6];  // xx yy zz xy xz yz
  };
  struct Hinge {
    Triple axis;
    Real armature, damping, stiffness, reference, low, high, inverse_weight;
  };
  // A sphere, or an end of a capsule.
  struct Point {
    int link, body, friction;  // place among the frictions of the floor
    bool capsule;
    Triple position, axis;
    Real radius, regular;  // twice the inverse weight
  };
  struct Geom {
    int link;
    Triple centre, half;        // from the centre to the second end
    Real half2, inverse_half2;  // |half|^2 and its reciprocal: of a sphere zero, both
  };
  struct Pair {
    int geom[2], link[2], body[2];
    std::uint32_t first, second;  // hinges that move one and not the other
    Real radius, radii, inverse_weight;
  };

  Link link[kLinks] = {};
  Member member[kBodies - 1] = {};
  Hinge hinge[kHinges] = {};
  Point point[at_least_one(kPoints)] = {};
  Geom geom[kGeoms] = {};
  Pair pair[at_least_one(kPairs)] = {};
  // What the search for near pairs reads: the pairs of geom g as the first are those from its place
  // on, the second geom of each, and the square of how near their centres have to be.
  int first_pair[kGeoms + 1] = {};
  std::uint8_t second[at_least_one(kPairs)] = {};
  Real reach2[at_least_one(kPairs)] = {};

  constexpr SpatialTables() {
    const SpatialModel<Model> model;
    fill_links(model);
    fill_points(model);
    fill_pairs(model);
  }

 private:
  static constexpr Triple triple(Vector3 x) { return {Real(x.x), Real(x.y), Real(x.z)}; }

  constexpr void fill_links(const SpatialModel<Model>& model) {
    int n = 0;
    for (int l = 1; l < kLinks; l++) {
      const auto& from = model.link[l];
      link[l] = {from.parent, from.first_hinge,   from.first_hinge + from.n_hinges, n,
                 n,           triple(from.offset)};
      for (int b = 1; b < kBodies; b++) {
        const auto& body = model.body[b];
        if (body.link != l) continue;
        Member& to = member[n++];
        to.body = b;
        to.centre = triple(body.centre);
        double about[6] = {};
        add_point(about, 1, body.centre);
        for (int k = 0; k < 6; k++) {
          to.about_centre[k] = Real(body.inertia[k] / body.mass);
          to.about_origin[k] = Real(body.inertia[k] / body.mass + about[k]);
        }
      }
      link[l].end_member = n;
    }
    for (int j = 0; j < kHinges; j++) {
      const auto& from = model.hinge[j];
      Hinge& to = hinge[j];
      to.axis = triple(from.axis);
      to.armature = Real(from.armature);
      to.damping = Real(from.damping);
      to.stiffness = Real(from.stiffness);
      to.reference = Real(from.reference);
      to.low = Real(from.low);
      to.high = Real(from.high);
      to.inverse_weight = Real(from.inverse_weight);
    }
  }

  constexpr void fill_points(const SpatialModel<Model>& model) {
    int n = 0;
    for (int g = 0; g < kGeoms; g++) {
      const auto& from = model.geom[g];
      const Vector3 between = from.to - from.from;
      const bool capsule = dot(between, between) > 0;
      const Vector3 axis = capsule ? (1 / constant_sqrt(dot(between, between))) * between : between;
      const double half2 = 0.25 * dot(between, between);
      geom[g] = {from.link, triple(0.5 * (from.from + from.to)), triple(0.5 * between), Real(half2),
                 Real(capsule ? 1 / half2 : 0)};
      for (int end = capsule ? 0 : 1; end < 2; end++) {
        point[n++] = {from.link,
                      from.body,
                      g,
                      capsule,
                      triple(end == 0 ? from.from : from.to),
                      triple(axis),
                      Real(from.radius),
                      Real(2 * model.body[from.body].inverse_weight)};
      }
    }
  }

  constexpr void fill_pairs(const SpatialModel<Model>& model) {
    int n = 0;
    for (int g = 0; g < kGeoms; g++) {
      for (int h = g + 1; h < kGeoms; h++) {
        if (!Counts::can_meet(Model::kGeoms[g], Model::kGeoms[h])) continue;
        const auto &x = model.geom[g], &y = model.geom[h];
        second[n] = std::uint8_t(h);
        reach2[n] = reach_of(model, g, h);
        Pair& to = pair[n++];
        to.geom[0] = g;
        to.geom[1] = h;
        to.link[0] = x.link;
        to.link[1] = y.link;
        to.body[0] = x.body;
        to.body[1] = y.body;
        for (int j = 0; j < kHinges; j++) {
          const bool a = model.moves(j, x.link), b = model.moves(j, y.link);
          if (a && !b) to.first |= std::uint32_t(1) << j;
          if (b && !a) to.second |= std::uint32_t(1) << j;
        }
        to.radius = Real(x.radius);
        to.radii = Real(x.radius + y.radius);
        to.inverse_weight =
            Real(model.body[x.body].inverse_weight + model.body[y.body].inverse_weight);
      }
      first_pair[g + 1] = n;
    }
  }
  static constexpr Real reach_of(const SpatialModel<Model>& model, int g, int h) {
    const auto &x = model.geom[g], &y = model.geom[h];
    const Vector3 a = 0.5 * (x.to - x.from), b = 0.5 * (y.to - y.from);
    const double margin = margin_of<Model>(Model::kGeoms[g].margin, Model::kGeoms[h].margin);
    const double reach =
        constant_sqrt(dot(a, a)) + constant_sqrt(dot(b, b)) + x.radius + y.radius + margin;
    return Real(reach * reach);
  }
};

// The tables for F, on the host and on a device.
template <class Model, class F>
GALLOP_HD const SpatialTables<Model, typename ConstantOf<F>::type>& spatial_tables() {
  static_assert(is_spatial<Model>(), "the loops in space do not know all of this model");
  // Without braces nvcc 13.0 leaves it zero.
  static constexpr SpatialTables<Model, typename ConstantOf<F>::type> kTables{};
  return kTables;
}

template <class F, class Triple>
GALLOP_HD auto as_vector(const Triple& x) {
  return typename Spatial<F>::Vector{F(x.x), F(x.y), F(x.z)};
}

}  // namespace gallop::inline GALLOP_ISA
