// kernels/off_policy/ and the average of kernels/optimizers/vector.h on every instruction set:
// targets and smoothed actions against their definitions, the process against its stationary
// variance.
#include <gallop/kernels/operations.h>

#include <gtest/gtest.h>

#include <cmath>

#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

TEST(QTargets, AreTheirDefinition) {
  const long n = 37;
  Random random(2);
  Floats reward(n), ends(n), q1(n), q2(n), log_prob(n);
  for (long k = 0; k < n; k++) {
    reward[k] = float(random.normal());
    ends[k] = random.chance(0.3) ? 1.0f : 0.0f;
    q1[k] = float(random.normal());
    q2[k] = float(random.normal());
    log_prob[k] = float(random.normal());
  }
  const float log_alpha = -0.5f;
  for (const KernelSet& set : kernel_sets()) {
    for (const int form : {0, 1, 2}) {
      Floats target(n);
      const bool entropy = form == 2;
      set.kernels->q_targets({n, reward.data(), ends.data(), q1.data(),
                              form > 0 ? q2.data() : nullptr, entropy ? log_prob.data() : nullptr,
                              entropy ? &log_alpha : nullptr, 0.97f, 0.1f, target.data()},
                             TestWork(5));
      for (long k = 0; k < n; k++) {
        double q = q1[k];
        if (form > 0) q = std::min(q, double(q2[k]));
        if (entropy) q -= std::exp(-0.5) * double(log_prob[k]);
        const double expected = 0.1 * double(reward[k]) + (ends[k] == 1.0f ? 0 : 0.97 * q);
        EXPECT_NEAR(target[k], expected, 1e-6) << set.isa << " " << form << " " << k;
      }
    }
  }
}

TEST(Polyak, GoesAPartOfTheWayAndCopiesAtOne) {
  for (const KernelSet& set : kernel_sets()) {
    Floats target(21), source(21);
    for (long k = 0; k < 21; k++) {
      target[k] = float(k);
      source[k] = 0.1f * float(k) - 3;
    }
    set.kernels->polyak({target.data(), source.data(), 0.25f, 21}, TestWork(7));
    for (long k = 0; k < 21; k++) {
      EXPECT_NEAR(target[k], 0.75 * double(k) + 0.25 * (0.1 * double(k) - 3), 1e-5);
    }
    set.kernels->polyak({target.data(), source.data(), 1.0f, 21}, TestWork(7));
    EXPECT_TRUE(same_bits(target.data(), source.data(), 21));
    set.kernels->polyak({target.data(), source.data(), 0.0f, 21}, TestWork(7));
    EXPECT_TRUE(same_bits(target.data(), source.data(), 21));
  }
}

// Their noise is normal within its limit, and they stay within the bounds.
TEST(SampleActions, SmoothedOnesAreClippedTwice) {
  const long n = 1 << 16;
  const float parameters[] = {0, 0, 2.0f, 0.5f, 0.1f};  // a linear map, then the range
  SampleActionsRequest r = {};
  r.shape.network.n_layers = 1;
  r.shape.network.width[0] = r.shape.network.width[1] = 1;
  r.shape.head = Head::kSquashedDeterministic;
  r.shape.n_actions = 1;
  r.parameters = parameters;
  const ReplayState state = {1, 1, 4};
  r.noise = {9, &state, 0};
  r.smoothing = 0.2f;
  r.smoothing_limit = 0.5f;
  r.n = n;
  for (const KernelSet& set : kernel_sets()) {
    Floats output(n), action(n), log_prob(n);
    for (long k = 0; k < n; k++) output[k] = k < n / 2 ? 0.3f : 2.0f;
    r.output = output.data();
    r.action = action.data();
    r.log_prob = log_prob.data();
    set.kernels->sample_actions(r, TestWork(64));
    double sum = 0, squares = 0;
    for (long k = 0; k < n / 2; k++) {
      const double noise = (double(action[k]) - 0.5) / 2 - std::tanh(0.3);
      ASSERT_LE(std::abs(noise), 0.5 + 1e-6);
      sum += noise;
      squares += noise * noise;
      EXPECT_EQ(log_prob[k], 0.0f);
    }
    const double count = double(n / 2), std_error = 0.2 / std::sqrt(count);
    EXPECT_NEAR(sum / count, 0, 4 * std_error) << set.isa;
    // N(0, 0.2) that is limited to 2.5 deviations: the part beyond, 1.24 %, has square 0.25.
    const double t = 2.5, density = std::exp(-t * t / 2) / std::sqrt(2 * M_PI);
    const double tail = std::erfc(t / std::sqrt(2.0));
    const double variance = 0.04 * (1 - tail - 2 * t * density + tail * t * t);
    EXPECT_NEAR(squares / count, variance, 0.02 * variance) << set.isa;
    for (long k = n / 2; k < n; k++) ASSERT_LE(action[k], 2.5f);
    // Another batch, and another slot of the same one.
    ReplayState next = state;
    next.draws++;
    Floats other(n);
    SampleActionsRequest again = r;
    again.action = other.data();
    again.noise.state = &next;
    set.kernels->sample_actions(again, TestWork());
    EXPECT_FALSE(same_bits(action.data(), other.data(), n));
    again.noise = r.noise;
    again.noise.slot = 1;
    set.kernels->sample_actions(again, TestWork());
    EXPECT_FALSE(same_bits(action.data(), other.data(), n));
    again.noise.slot = 0;
    set.kernels->sample_actions(again, TestWork());
    EXPECT_TRUE(same_bits(action.data(), other.data(), n));
  }
}

// sigma^2 dt / (1 - (1 - theta dt)^2), 0 where an episode begins, and actions within their bounds.
TEST(OuNoise, HasItsStationaryVariance) {
  const long n = 4096;
  const double theta = 0.15, sigma = 0.2, dt = 0.5;
  const double kept = 1 - theta * dt, stationary = sigma * sigma * dt / (1 - kept * kept);
  const float half[] = {1.0f, 2.0f}, centre[] = {0.0f, 0.5f};
  for (const KernelSet& set : kernel_sets()) {
    Floats process(2 * n), action(2 * n);
    std::vector<std::uint32_t> episode(n, 3);
    for (int step = 0; step < 60; step++) {
      const std::vector<std::int32_t> elapsed(n, step);
      for (long k = 0; k < 2 * n; k++) action[k] = k < n ? 0.9f : 0.5f;
      set.kernels->ou_noise({n,
                             2,
                             float(theta),
                             float(sigma),
                             float(dt),
                             half,
                             centre,
                             1,
                             {5, nullptr},
                             episode.data(),
                             elapsed.data(),
                             process.data(),
                             action.data()},
                            TestWork(64));
      for (long k = 0; k < n; k++) ASSERT_LE(action[k], 1.0f);
      if (step != 0 && step != 59) continue;
      double squares = 0, product = 0;
      for (long k = 0; k < n; k++) {
        squares += double(process[k]) * double(process[k]);
        product += double(process[k]) * double(process[n + k]);
      }
      // Where it begins, the variance is that of one draw; relative deviation sqrt(2 / n).
      const double expected = step == 0 ? sigma * sigma * dt : stationary;
      EXPECT_NEAR(squares / n, expected, 5 * std::sqrt(2.0 / n) * expected) << set.isa << step;
      EXPECT_NEAR(product / n, 0, 5 * expected / std::sqrt(double(n))) << "independent components";
    }
  }
}

}  // namespace
}  // namespace gallop::testing
