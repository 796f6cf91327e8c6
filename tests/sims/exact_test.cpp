// The exact problems against their published answers, and the compiled environments against them:
// the mean return of many episodes must be within four standard errors.
#include <gtest/gtest.h>

#include <functional>

#include <gallop/kernels/random/stream.h>
#include "tests/reference/lqr_exact.h"
#include "tests/reference/mdp_exact.h"
#include "tests/sims/environment_tables.h"
#include "tests/sims/instance_batch.h"

namespace gallop::testing {
namespace {

constexpr int kEpisodes = 1 << 16;

TEST(ExactLqr, HasTheKnownNumbers) {
  ScalarLqr p;
  const LqrAnswer noisy = exact_lqr(p, 0.4L, 0.3L);
  EXPECT_NEAR(double(noisy.value), -2.987698532370, 1e-12);
  EXPECT_NEAR(double(noisy.by_gain), 4.353621344392, 1e-12);
  EXPECT_NEAR(double(noisy.by_sigma), -3.289741284308, 1e-12);
  p.sigma_w = 0;
  const LqrAnswer quiet = exact_lqr(p, 0.4L, 0);
  EXPECT_NEAR(double(quiet.value), -2.314921254103, 1e-12);
  EXPECT_NEAR(double(quiet.by_gain), 3.687966369066, 1e-12);
}

TEST(ExactMdp, HasTheKnownNumbers) {
  const ThreeStateMdp p;
  EXPECT_NEAR(p.value(0), 0.718458947309, 1e-12);
  EXPECT_NEAR(p.value(1), 1.459046771, 1e-9);
  EXPECT_NEAR(p.value(2), 2.897565427, 1e-9);
}

// Mean return of one episode of every instance must be `exact`; act gives the action of instance i.
void expect_mean_return(const CompiledEnvironment& e, int horizon, double exact,
                        const std::function<float(int i, int t, float observation)>& act) {
  InstanceBatch instances(*e.table, kEpisodes, 20260801);
  instances.reset();
  std::vector<float> observation = instances.observe();
  StepArrays to(kEpisodes, 1);
  for (int t = 0; t < horizon; t++) {
    std::vector<float> action(kEpisodes);
    for (int i = 0; i < kEpisodes; i++) action[i] = act(i, t, observation[i]);
    to = instances.step(action, ResetMode::kSameStep);
    observation = to.observation;
  }
  double sum = 0, squares = 0;
  for (int i = 0; i < kEpisodes; i++) {
    ASSERT_EQ(to.truncated[i], 1) << e.label();
    ASSERT_EQ(to.ended_length[i], horizon) << e.label();
    sum += to.ended_return[i];
    squares += double(to.ended_return[i]) * to.ended_return[i];
  }
  const double mean = sum / kEpisodes;
  const double error = std::sqrt((squares / kEpisodes - mean * mean) / kEpisodes);
  EXPECT_GT(error, 0) << e.label();
  EXPECT_NEAR(mean, exact, 4 * error) << e.label();
}

TEST(ExactLqr, IsTheMeanReturnOfTheEnvironment) {
  const std::vector<CompiledEnvironment> compiled = environments_named("lqr");
  ASSERT_FALSE(compiled.empty());
  for (const CompiledEnvironment& e : compiled) {
    expect_mean_return(e, 10, double(exact_lqr({}, 0.4L, 0.3L).value), [](int i, int t, float s) {
      Rng<float> rng(5, kRandomAction, std::uint32_t(i), 0u, std::uint32_t(t));
      return -0.4f * s + 0.3f * rng.normal();
    });
  }
}

TEST(ExactMdp, IsTheMeanReturnOfTheEnvironment) {
  const std::vector<CompiledEnvironment> compiled = environments_named("mdp");
  ASSERT_FALSE(compiled.empty());
  const ThreeStateMdp p;
  for (const CompiledEnvironment& e : compiled) {
    expect_mean_return(e, ThreeStateMdp::kHorizon, p.value(0), [&](int i, int t, float s) {
      Rng<float> rng(5, kRandomAction, std::uint32_t(i), 0u, std::uint32_t(t));
      return rng.uniform() < float(p.probability(int(s), 0)) ? 0.0f : 1.0f;
    });
  }
}

}  // namespace
}  // namespace gallop::testing
