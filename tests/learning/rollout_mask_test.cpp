// What a mask makes of a rollout in which instances met numbers that are not finite.
#include <gallop/host/learning/rollout_mask.h>

#include <gtest/gtest.h>

#include <cmath>

#include "tests/host/expect_error.h"

namespace gallop {
namespace {

constexpr int kSteps = 5, kInstances = 3, kRows = 2;

// Observation component k of instance i at time t is 100 t + 10 i + k, and so on.
HostRollout numbered() {
  HostRollout r = {kSteps, kInstances, kRows, 1, {}, {}, {}, {}, {}, {}, {}, {}, {}};
  for (int t = 0; t <= kSteps; t++) {
    for (int k = 0; k < kRows; k++) {
      for (int i = 0; i < kInstances; i++) r.observation.push_back(100.0f * t + 10.0f * i + k);
    }
  }
  for (int t = 0; t < kSteps; t++) {
    for (int i = 0; i < kInstances; i++) {
      r.action.push_back(t + 0.5f * i);
      r.log_prob.push_back(-1.0f - t - 0.25f * i);
      r.reward.push_back(1.0f);
      r.ended_return.push_back(7.0f);
      r.terminated.push_back(0);
      r.truncated.push_back(0);
      r.ended_length.push_back(3);
    }
  }
  r.final_observation.assign(std::size_t(kSteps) * kRows * kInstances, -1.0f);
  return r;
}
float seen(const HostRollout& r, int t, int i, int k = 0) {
  return r.observation[(std::size_t(t) * kRows + k) * kInstances + i];
}
std::size_t at(int t, int i) { return std::size_t(t) * kInstances + i; }

// All of the episode as far as it lies in the rollout, its finite beginning too.
TEST(RolloutMask, HidesTheEpisodeAndRepeatsItsFirstRow) {
  HostRollout r = numbered();
  r.terminated[at(0, 1)] = 1;
  for (int t = 3; t <= kSteps; t++) {
    for (int k = 0; k < kRows; k++) {
      r.observation[(std::size_t(t) * kRows + k) * kInstances + 1] = NAN;
    }
  }
  for (int t = 2; t < kSteps; t++) r.reward[at(t, 1)] = NAN;
  const HostRollout before = r;
  const RolloutMask mask({kSteps, 2, kSteps}, r);
  EXPECT_FALSE(mask.empty());
  for (int t = 0; t < kSteps; t++) {
    const bool hidden = t >= 1;
    EXPECT_FALSE(mask.hides(t, 0) || mask.hides(t, 2));
    EXPECT_EQ(mask.hides(t, 1), hidden);
    EXPECT_EQ(r.truncated[at(t, 1)], hidden ? 1 : 0);
    EXPECT_EQ(r.terminated[at(t, 1)], hidden ? 0 : 1) << "that one ended by itself";
    EXPECT_EQ(r.reward[at(t, 1)], hidden ? 0.0f : 1.0f);
    EXPECT_EQ(r.ended_length[at(t, 1)], hidden ? 0 : 3);
    EXPECT_EQ(r.log_prob[at(t, 1)], before.log_prob[at(std::min(t, 1), 1)]);
    EXPECT_EQ(r.action[at(t, 1)], before.action[at(std::min(t, 1), 1)]);
    EXPECT_EQ(r.final_observation[(t * kRows + 0) * kInstances + 1], hidden ? 110.0f : -1.0f);
  }
  for (int t = 0; t <= kSteps; t++) {
    for (int k = 0; k < kRows; k++) {
      EXPECT_EQ(seen(r, t, 1, k), 100.0f * std::min(t, 1) + 10 + k);
      EXPECT_EQ(seen(r, t, 0, k), seen(before, t, 0, k));
      EXPECT_EQ(seen(r, t, 2, k), seen(before, t, 2, k));
    }
  }
  EXPECT_EQ(mask.n_cuts(), 4);
}

// The episode began before this rollout: all that is here of it.
TEST(RolloutMask, HidesAllWhereTheEpisodeBeganBefore) {
  HostRollout r = numbered();
  const RolloutMask mask({3, kSteps, kSteps}, r);
  for (int t = 0; t < kSteps; t++) EXPECT_TRUE(mask.hides(t, 0)) << t;
  EXPECT_EQ(mask.n_cuts(), kSteps);
}

// Its first observation is none: another instance's row stands in.
TEST(RolloutMask, TakesAnotherInstancesRowWhereItHasNone) {
  HostRollout r = numbered();
  for (int t = 0; t <= kSteps; t++) r.observation[std::size_t(t) * kRows * kInstances] = INFINITY;
  const RolloutMask mask({0, 0, kSteps}, r);
  for (int t = 0; t < kSteps; t++) {
    EXPECT_TRUE(mask.hides(t, 0));
    EXPECT_EQ(seen(r, t, 0), 20.0f);
    EXPECT_EQ(seen(r, t, 1), 10.0f) << "this one's own is finite";
    EXPECT_EQ(r.action[at(t, 0)], 1.0f);
  }
}

TEST(RolloutMask, NeedsAnInstanceThatIsWhole) {
  HostRollout r = numbered();
  test::expect_error_with(
      ExitCode::non_finite,
      [&] {
        RolloutMask({0, 4, 1}, r);
      },
      "all 3 instances");
  EXPECT_TRUE(RolloutMask().empty());
  EXPECT_FALSE(RolloutMask().hides(0, 0));
}

}  // namespace
}  // namespace gallop
