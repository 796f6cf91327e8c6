// Every model of sims/models, with what the tests need to know of it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "kernels/bodies/integrate.h"
#include "sims/models/half_cheetah_model.h"
#include "sims/models/hopper_model.h"
#include "sims/models/inverted_double_pendulum_model.h"
#include "sims/models/inverted_pendulum_model.h"
#include "sims/models/swimmer_model.h"
#include "sims/models/walker2d_model.h"

namespace gallop::testing {

// Heights of random states; environment steps of a controlled run that stays predictable.
struct HopperCase {
  using Model = HopperModel;
  static constexpr const char *kName = "hopper", *kRecorded = "hopper";
  static constexpr double kLow = 0.7, kHigh = 1.4;
  static constexpr int kFrameSkip = 4, kOpenLoop = 100;
};
struct Walker2dCase {
  using Model = Walker2dModel;
  static constexpr const char *kName = "walker2d", *kRecorded = "walker2d_v5";
  static constexpr double kLow = 0.7, kHigh = 1.4;
  static constexpr int kFrameSkip = 4, kOpenLoop = 100;
};
struct HalfCheetahCase {
  using Model = HalfCheetahModel;
  static constexpr const char *kName = "half_cheetah", *kRecorded = "half_cheetah";
  static constexpr double kLow = -0.4, kHigh = 0.2;
  static constexpr int kFrameSkip = 5, kOpenLoop = 10;  // chaotic beyond
};
struct SwimmerCase {
  using Model = SwimmerModel;
  static constexpr const char *kName = "swimmer", *kRecorded = "swimmer";
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

using AllModels = ::testing::Types<HopperCase, Walker2dCase, HalfCheetahCase, SwimmerCase,
                                   InvertedPendulumCase, InvertedDoublePendulumCase>;
// Those of the golden file.
using RecordedModels = ::testing::Types<HopperCase, Walker2dCase, HalfCheetahCase, SwimmerCase>;

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

}  // namespace gallop::testing
