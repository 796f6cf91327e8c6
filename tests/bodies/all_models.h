// Every model of sims/models, with what the tests need to know of it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include <gallop/kernels/bodies/integrate.h>
#include <gallop/sims/models/ant_model.h>
#include <gallop/sims/models/half_cheetah_model.h>
#include <gallop/sims/models/hopper_model.h>
#include <gallop/sims/models/humanoid_model.h>
#include <gallop/sims/models/humanoid_standup_model.h>
#include <gallop/sims/models/inverted_double_pendulum_model.h>
#include <gallop/sims/models/inverted_pendulum_model.h>
#include <gallop/sims/models/reacher_model.h>
#include <gallop/sims/models/swimmer_model.h>
#include <gallop/sims/models/walker2d_model.h>

namespace gallop::testing {

// Heights of random states; environment steps of a controlled run that stays predictable; how near
// the recorded run has to come, of which twelve digits stand in the file.
struct HopperCase {
  using Model = HopperModel;
  static constexpr const char *kName = "hopper", *kRecorded = "hopper";
  static constexpr double kRecordedTolerance = 1e-10;
  static constexpr double kLow = 0.7, kHigh = 1.4;
  static constexpr int kFrameSkip = 4, kOpenLoop = 100;
};
struct Walker2dCase {
  using Model = Walker2dModel;
  static constexpr const char *kName = "walker2d", *kRecorded = "walker2d_v5";
  static constexpr double kRecordedTolerance = 1e-10;
  static constexpr double kLow = 0.7, kHigh = 1.4;
  static constexpr int kFrameSkip = 4, kOpenLoop = 100;
};
struct HalfCheetahCase {
  using Model = HalfCheetahModel;
  static constexpr const char *kName = "half_cheetah", *kRecorded = "half_cheetah";
  static constexpr double kRecordedTolerance = 1e-10;
  static constexpr double kLow = -0.4, kHigh = 0.2;
  static constexpr int kFrameSkip = 5, kOpenLoop = 10;  // chaotic beyond
};
struct SwimmerCase {
  using Model = SwimmerModel;
  static constexpr const char *kName = "swimmer", *kRecorded = "swimmer";
  static constexpr double kRecordedTolerance = 1e-10;
  static constexpr double kLow = 0, kHigh = 0;
  static constexpr int kFrameSkip = 4, kOpenLoop = 100;
};
struct InvertedPendulumCase {
  using Model = InvertedPendulumModel;
  static constexpr const char* kName = "inverted_pendulum";
  static constexpr double kLow = 0, kHigh = 0;
  static constexpr int kFrameSkip = 2, kOpenLoop = 100;
};
struct InvertedDoublePendulumCase {
  using Model = InvertedDoublePendulumModel;
  static constexpr const char* kName = "inverted_double_pendulum";
  static constexpr double kLow = 0, kHigh = 0;
  static constexpr int kFrameSkip = 5, kOpenLoop = 10;  // chaotic beyond
};
struct ReacherCase {
  using Model = ReacherModel;
  static constexpr const char* kName = "reacher";
  static constexpr double kLow = 0, kHigh = 0;
  static constexpr int kFrameSkip = 2, kOpenLoop = 100;
};

struct AntCase {
  using Model = AntModel;
  static constexpr const char *kName = "ant", *kRecorded = "ant";
  static constexpr double kRecordedTolerance = 1e-10;
  static constexpr double kLow = 0.1, kHigh = 0.8;
  static constexpr int kFrameSkip = 5, kOpenLoop = 40;  // chaotic beyond
};
struct HumanoidCase {
  using Model = HumanoidModel;
  static constexpr const char *kName = "humanoid", *kRecorded = "humanoid";
  static constexpr double kRecordedTolerance = 1e-6;  // it had 50 sweeps of PGS
  static constexpr double kLow = 0.3, kHigh = 1.4;
  static constexpr int kFrameSkip = 5, kOpenLoop = 100;
};
struct HumanoidStandupCase {
  using Model = HumanoidStandupModel;
  static constexpr const char* kName = "humanoid_standup";
  static constexpr double kLow = 0.1, kHigh = 1;
  static constexpr int kFrameSkip = 5, kOpenLoop = 20;
};

using SpatialModels = ::testing::Types<AntCase, HumanoidCase, HumanoidStandupCase>;
using AllModels = ::testing::Types<HopperCase, Walker2dCase, HalfCheetahCase, SwimmerCase,
                                   InvertedPendulumCase, InvertedDoublePendulumCase, ReacherCase,
                                   AntCase, HumanoidCase, HumanoidStandupCase>;
// Those of the golden file.
using RecordedModels =
    ::testing::Types<HopperCase, Walker2dCase, HalfCheetahCase, SwimmerCase, AntCase, HumanoidCase>;

struct ModelName {
  template <class Case>
  static std::string GetName(int) {
    return Case::kName;
  }
};

template <class Model>
BodyParameters<Model, double> default_parameters() {
  static constexpr ParameterSpec kNone[] = {{"none", 0, 0, 0, "", ""}};
  constexpr BodyParameterSpecs<Model, 1> specs(kNone);
  BodyParameters<Model, double> p;
  for (int k = 0; k < p.kCount; k++) p.value[k] = specs.all[1 + k].value;
  return p;
}

// What the compiler made of a model.
template <class Model>
double mass_of_body_in(int b) {
  return mass_of_body<Model>(b).mass * mass_scale<Model>();
}
template <class Model>
double inverse_weight_of_body(int b) {
  if constexpr (is_planar<Model>()) {
    return compiled<Model>().body_inverse_weight[b];
  } else {
    static constexpr SpatialModel<Model> kModel;
    return kModel.body[b].inverse_weight;
  }
}
template <class Model>
double inverse_weight_of_dof(int k) {
  if constexpr (is_planar<Model>()) {
    return compiled<Model>().dof[k].inverse_weight;
  } else {
    static constexpr SpatialModel<Model> kModel;
    return kModel.inverse_weight[k];
  }
}

// Accelerations at (q, v) from a guess of zeros.
template <class Model>
__attribute__((noinline)) void solve_accelerations(const BodyParameters<Model, double>& p,
                                                   const double* q, const double* v,
                                                   const double* torque, double* a) {
  double constraint[BodyCounts<Model>::kDofs];
  for (int k = 0; k < BodyCounts<Model>::kDofs; k++) a[k] = 0;
  PoseOf<Model, double> pose;
  accelerate(p, q, v, torque, a, pose, constraint);
}

}  // namespace gallop::testing

// The engine in double is compiled once for all tests, in planar_engine.cpp and spatial_engine.cpp.
#define GALLOP_TEST_ENGINE(linkage, Model)                                                        \
  linkage template void gallop::advance_bodies<gallop::Model, double>(                            \
      const gallop::BodyParameters<gallop::Model, double>&, int, const double*, double*, double*, \
      gallop::LastEvaluation<gallop::Model, double>*);                                            \
  linkage template void gallop::testing::solve_accelerations<gallop::Model>(                      \
      const gallop::BodyParameters<gallop::Model, double>&, const double*, const double*,         \
      const double*, double*);
#define GALLOP_TEST_PLANAR_ENGINES(linkage)                \
  GALLOP_TEST_ENGINE(linkage, HopperModel)                 \
  GALLOP_TEST_ENGINE(linkage, Walker2dModel)               \
  GALLOP_TEST_ENGINE(linkage, HalfCheetahModel)            \
  GALLOP_TEST_ENGINE(linkage, SwimmerModel)                \
  GALLOP_TEST_ENGINE(linkage, InvertedPendulumModel)       \
  GALLOP_TEST_ENGINE(linkage, InvertedDoublePendulumModel) \
  GALLOP_TEST_ENGINE(linkage, ReacherModel)
#define GALLOP_TEST_SPATIAL_ENGINES(linkage) \
  GALLOP_TEST_ENGINE(linkage, AntModel)      \
  GALLOP_TEST_ENGINE(linkage, HumanoidModel)
// A unit of its own, for the compiler's time.
#define GALLOP_TEST_STANDUP_ENGINES(linkage) GALLOP_TEST_ENGINE(linkage, HumanoidStandupModel)
GALLOP_TEST_PLANAR_ENGINES(extern)
GALLOP_TEST_SPATIAL_ENGINES(extern)
GALLOP_TEST_STANDUP_ENGINES(extern)
