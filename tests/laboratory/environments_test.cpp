// The problems' simulations against the environments of the same names.
#include <gtest/gtest.h>

#include <cmath>

#include "host/laboratory/problem.h"
#include "kernels/laboratory/linear_quadratic.h"
#include "kernels/random/stream.h"
#include "tests/sims/environment_tables.h"
#include "tests/sims/instance_batch.h"

namespace gallop::testing {
namespace {

// Mean reward of u ~ N(theta, sigma^2), one step each.
TEST(BanditEnvironments, HaveTheReturnsOfTheProblems) {
  constexpr int kEpisodes = 1 << 16;
  for (const char* name : {"bandit", "bandit_step"}) {
    const LaboratoryDescriptor& descriptor = find_laboratory_problem(name);
    const Options options = laboratory_options(descriptor);
    const auto problem = make_laboratory_problem(descriptor, options);
    const std::vector<CompiledEnvironment> compiled = environments_named(name);
    ASSERT_FALSE(compiled.empty());
    for (const CompiledEnvironment& e : compiled) {
      InstanceBatch instances(*e.table, kEpisodes, 7);
      instances.reset();
      std::vector<float> action(kEpisodes);
      for (int i = 0; i < kEpisodes; i++) {
        Rng<float> rng(5, kRandomAction, std::uint32_t(i), 0u, 0u);
        action[i] = float(options.real("theta") + options.real("sigma") * rng.normal());
      }
      const StepArrays to = instances.step(action, ResetMode::kSameStep);
      double sum = 0, squares = 0;
      for (int i = 0; i < kEpisodes; i++) {
        ASSERT_EQ(to.truncated[i], 1) << e.label();
        ASSERT_EQ(to.ended_length[i], 1) << e.label();
        sum += to.reward[i], squares += double(to.reward[i]) * to.reward[i];
      }
      const double mean = sum / kEpisodes;
      const double error = std::sqrt((squares / kEpisodes - mean * mean) / kEpisodes);
      EXPECT_NEAR(mean, problem->model().expected_return, 4 * error) << e.label();
    }
  }
}

// Without noise, a path of `lqr` has the rewards that the environment gives.
TEST(LinearQuadraticEnvironment, HasTheRewardsOfTheProblem) {
  using Problem = LinearQuadratic<double, 1>;
  const LaboratoryDescriptor& descriptor = find_laboratory_problem("lqr");
  const auto problem = make_laboratory_problem(descriptor, laboratory_options(descriptor));
  const LaboratoryModel& m = problem->model();
  const std::vector<float> silence(noise_floats<Problem>(m.horizon), 0.0f);
  std::vector<double> record(Problem::path_doubles(m));
  const double total = Problem::simulate(m, m.theta, {silence.data(), m.horizon}, record.data());
  const Problem::Path path(m, record.data());
  const std::vector<CompiledEnvironment> compiled = environments_named("lqr");
  ASSERT_FALSE(compiled.empty());
  for (const CompiledEnvironment& e : compiled) {
    InstanceBatch instances(*e.table, 1, 7);
    for (int k = 0; k < e.spec().n_parameters; k++) {
      if (std::string(e.spec().parameters[k].name) == "sigma_w") instances.set_parameter(k, 0);
    }
    instances.reset();
    double sum = 0;
    for (int t = 0; t < m.horizon; t++) {
      const float s = instances.observe()[0];
      const StepArrays to = instances.step({float(-m.theta[0]) * s}, ResetMode::kDisabled);
      EXPECT_NEAR(to.reward[0], path.reward(t), 1e-6) << e.label() << " step " << t;
      sum += to.reward[0];
    }
    EXPECT_NEAR(sum, total, 1e-5) << e.label();
  }
}

}  // namespace
}  // namespace gallop::testing
