// A whole step of a trust region (algorithms/trpo.h) on the CPU and on the subject: the
// bits of the same step made piece by piece, and refusals that leave the parameters alone.
#include <cmath>
#include <limits>

#include <gallop/algorithms/trpo.h>
#include <gallop/host/error.h>
#include <gallop/host/training/run_options.h>
#include "tests/cuda/subject.h"

namespace gallop::testing {
namespace {

constexpr SolverOptions kSolver = {0.1, 10, 1e-10};

// A learner with a rollout and its advantages.
struct Region {
  RunOptions options;
  OnPolicyLearner learner;
  TrustRegion region;

  Region(Backend& backend, const std::string& environment)
      : options(small(environment)),
        learner({backend, options.environment(), options.values(), options.seed(),
                 options.configure()}),
        region(backend, learner) {
    learner.collect();
    learner.estimate_advantages();
  }
  static RunOptions small(const std::string& environment) {
    RunOptions made(environment, "trpo");
    for (const char* text : {"n_envs=16", "n_steps=20", "hidden=16,8"}) {
      made.set_assignment(text, "test");
    }
    return made;
  }
  std::vector<float> parameters() { return learner.policy().parameters().values(); }
  void set_advantages(Backend& backend, float value) {
    const std::vector<float> values(learner.n_samples(), value);
    const float* to = learner.all_samples().advantage;
    backend.to_device(const_cast<float*>(to), values.data(), values.size() * sizeof(float));
  }
};

class TrustRegionStep : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Heads, TrustRegionStep, ::testing::Values("cartpole", "pendulum", "mdp"));

// With delta so great that the first steps leave the region, and so small that none has to.
TEST_P(TrustRegionStep, EqualsItsPieces) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  for (const double delta : {1e-3, 0.5}) {
    std::vector<std::vector<float>> results;
    for (Backend* backend : {cpu.get(), subject.get()}) {
      Region whole(*backend, GetParam()), pieces(*backend, GetParam());
      const std::vector<float> before = pieces.parameters();
      const LineSearchState step = trpo_step(*backend, whole.region, kSolver, {delta, 0.7, 20});
      const double norm = pieces.region.prepare();
      const double curvature =
          pieces.region.natural_direction(kSolver.damping, kSolver.iterations, kSolver.tolerance);
      TrustRegion::Candidate stands = pieces.region.try_step(0.0);
      EXPECT_EQ(step.before, stands.surrogate);
      double scale = std::sqrt(2 * delta / curvature), taken = 0;
      int tried = 0;
      while (taken == 0 && tried < 20) {
        const TrustRegion::Candidate now = pieces.region.try_step(scale);
        tried++;
        if (now.surrogate < step.before && now.kl <= delta) {
          taken = scale;
          stands = now;
        }
        scale *= 0.7;
      }
      EXPECT_GT(taken, 0.0);
      EXPECT_EQ(step.taken, taken);
      EXPECT_EQ(step.tried, tried);
      EXPECT_EQ(step.surrogate, stands.surrogate);
      EXPECT_EQ(step.kl, stands.kl);
      EXPECT_EQ(step.entropy, stands.entropy);
      EXPECT_EQ(std::sqrt(whole.region.last_solve().start), norm);
      EXPECT_EQ(whole.region.last_solve().curvature, curvature);
      EXPECT_EQ(whole.region.slope(), pieces.region.slope());
      EXPECT_TRUE(same_bits(pieces.parameters(), whole.parameters()));
      EXPECT_FALSE(same_bits(before, whole.parameters()));
      results.push_back(whole.parameters());
    }
    EXPECT_TRUE(same_bits(results[0], results[1]));
  }
}

TEST_P(TrustRegionStep, WhereNothingPassesNothingMoves) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  for (Backend* backend : {cpu.get(), subject.get()}) {
    Region at(*backend, GetParam());
    const std::vector<float> before = at.parameters();
    at.set_advantages(*backend, 0.0f);
    const LineSearchState flat = trpo_step(*backend, at.region, kSolver, {0.01, 0.8, 10});
    EXPECT_EQ(flat.taken, 0.0);
    EXPECT_EQ(flat.tried, 0);
    EXPECT_EQ(flat.kl, 0.0);
    EXPECT_TRUE(same_bits(before, at.parameters()));
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      at.set_advantages(*backend, bad);
      for (int k = 0; k < 3; k++) {  // as it comes, captured, repeated
        try {
          trpo_step(*backend, at.region, kSolver, {0.01, 0.8, 10});
          ADD_FAILURE() << "not refused";
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ExitCode::non_finite);
          EXPECT_NE(std::string(error.what()).find("gradient"), std::string::npos) << error.what();
        }
        EXPECT_TRUE(same_bits(before, at.parameters()));
      }
    }
  }
}

}  // namespace
}  // namespace gallop::testing
