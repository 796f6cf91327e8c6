// Bodies in lanes against the same bodies one at a time: equal bits, whatever the others do.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include <gallop/kernels/bodies/integrate.h>
#include <gallop/kernels/numerics/lanes.h>
#include "tests/bodies/random_state.h"

namespace gallop::testing {
constexpr int kWidth = GALLOP_LANES == 1 ? 4 : GALLOP_LANES;
using Wide = FloatLanes<kWidth>;
constexpr int kRounds = 12, kSteps = 5;

template <class Model>
struct Instance {
  static constexpr int kDofs = BodyCounts<Model>::kDofs, kCoordinates = kDofs + 1;
  static constexpr int kActuators = BodyCounts<Model>::kActuators;
  float q[kCoordinates] = {}, v[kDofs] = {}, control[kActuators] = {};
};

inline bool same_bits(float x, float y) { return std::memcmp(&x, &y, sizeof(x)) == 0; }

template <class Model>
BodyParameters<Model, float> usual_parameters() {
  static constexpr ParameterSpec kNone[] = {{"none", 0, 0, 0, "", ""}};
  static constexpr BodyParameterSpecs<Model, 1> kSpecs(kNone);
  BodyParameters<Model, float> p;
  for (int k = 0; k < p.kCount; k++) p.value[k] = float(kSpecs.all[1 + k].value);
  return p;
}

// Half the instances lie on the floor, half are above it.
template <class Model>
std::vector<Instance<Model>> random_instances(std::mt19937_64& random, double low, double high) {
  std::vector<Instance<Model>> all(kWidth);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (int i = 0; i < kWidth; i++) {
    double q[Instance<Model>::kCoordinates], v[Instance<Model>::kDofs];
    const double up = i % 2 == 0 ? 0 : 2;
    random_state<Model>(random, low + up, high + up, q, v);
    for (int k = 0; k < BodyCounts<Model>::kCoordinates; k++) all[i].q[k] = float(q[k]);
    for (int k = 0; k < BodyCounts<Model>::kDofs; k++) all[i].v[k] = float(v[k]);
    for (int k = 0; k < Instance<Model>::kActuators; k++) {
      all[i].control[k] = float(1.2 * Model::kActuators[k].high * uniform(random));
    }
  }
  return all;
}

template <class Model>
void expect_equal_bits(double low, double high) {
  using One = Instance<Model>;
  constexpr int n = One::kDofs, nq = BodyCounts<Model>::kCoordinates;
  std::mt19937_64 random(7);
  const BodyParameters<Model, float> p = usual_parameters<Model>();
  BodyParameters<Model, Wide> wide_p;
  for (int k = 0; k < p.kCount; k++) wide_p.value[k] = Wide(p.value[k]);
  for (int round = 0; round < kRounds; round++) {
    std::vector<One> all = random_instances<Model>(random, low, high);
    Wide q[nq], v[n], control[One::kActuators];
    const auto gather_lanes = [&](Wide* to, int count, auto member) {
      for (int k = 0; k < count; k++) {
        for (int i = 0; i < kWidth; i++) to[k].set(i, (all[i].*member)[k]);
      }
    };
    gather_lanes(q, nq, &One::q);
    gather_lanes(v, n, &One::v);
    gather_lanes(control, One::kActuators, &One::control);
    LastEvaluation<Model, Wide> wide_last;
    advance_bodies<Model, Wide>(wide_p, kSteps, control, q, v, &wide_last);
    int n_different = 0;
    for (int i = 0; i < kWidth; i++) {
      LastEvaluation<Model, float> last;
      advance_bodies<Model, float>(p, kSteps, all[i].control, all[i].q, all[i].v, &last);
      for (int k = 0; k < nq; k++) n_different += same_bits(q[k].get(i), all[i].q[k]) ? 0 : 1;
      for (int k = 0; k < n; k++) n_different += same_bits(v[k].get(i), all[i].v[k]) ? 0 : 1;
      static_assert(sizeof(wide_last) == kWidth * sizeof(last));
      const float* wide = reinterpret_cast<const float*>(&wide_last);
      const float* narrow = reinterpret_cast<const float*>(&last);
      for (std::size_t k = 0; k < sizeof(last) / sizeof(float); k++) {
        n_different += wide[k * kWidth + i] == narrow[k] ? 0 : 1;  // zeros of either sign
      }
    }
    ASSERT_EQ(n_different, 0) << "round " << round;
  }
}

}  // namespace gallop::testing
