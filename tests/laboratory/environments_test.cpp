// The laboratory's paths against the environments of the same names, as every backend steps them.
#include <gtest/gtest.h>

#include <cmath>

#include <gallop/host/laboratory/problems/bandit.h>
#include <gallop/host/laboratory/problems/lqr.h>
#include <gallop/host/laboratory/problems/mdp.h>
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

// A path of the laboratory is an episode of the instance with its number: fed with the path's
// actions, environments see to the bit what the path recorded, noise included.
template <class P, int N>
void expect_episodes_of_instances(const LaboratoryDescriptor& descriptor) {
  using C = Paths<P, float, N>;
  constexpr int kPaths = 3 * kLaboratoryChunk;
  const auto problem = make_laboratory_problem(descriptor, laboratory_options(descriptor));
  const LaboratoryModel& m = problem->model();
  const LaboratoryKernels& kernels = descriptor.kernels(processor_isa());
  ASSERT_EQ(kernels.record_size(m), kLaboratoryChunk / N * C::size(m.horizon));
  std::vector<float> record(size_t(3) * kernels.record_size(m), std::nanf(""));
  LaboratoryRequest r = {};
  r.model = &m, r.theta = m.theta, r.seed = 11, r.stream = kPathStream;
  r.first_path = 5, r.n_paths = kPaths, r.record = record.data();
  kernels.sample(r);
  const auto path = [&](int i) { return C(record.data() + i / N * C::size(m.horizon), m.horizon); };
  for (const CompiledEnvironment& e : environments_named(descriptor.name)) {
    InstanceBatch instances(*e.table, kPaths, 11, 5);
    instances.reset();
    for (int t = 0; t < m.horizon; t++) {
      const std::vector<float> seen = instances.observe();
      std::vector<float> action(size_t(C::kA) * kPaths);
      const auto expect = [&](float x, float recorded, int i) {
        EXPECT_EQ(x, recorded) << e.label() << " step " << t << " path " << i;
      };
      for (int i = 0; i < kPaths; i++) {
        for (int k = 0; k < C::kO; k++) {
          expect(seen[k * kPaths + i], path(i).observation[(t * C::kO + k) * N + i % N], i);
        }
        for (int k = 0; k < C::kA; k++) {
          action[k * kPaths + i] = path(i).action[(t * C::kA + k) * N + i % N];
        }
      }
      const StepArrays to = instances.step(action, ResetMode::kDisabled);
      for (int i = 0; i < kPaths; i++) expect(to.reward[i], path(i).reward[t * N + i % N], i);
    }
  }
}
template <class P>
void expect_episodes_of_instances(const char* name) {
  const LaboratoryDescriptor& descriptor = find_laboratory_problem(name);
  if (processor_isa() == Isa::v4)
    expect_episodes_of_instances<P, 16>(descriptor);
  else
    expect_episodes_of_instances<P, 8>(descriptor);
}

TEST(RecordedPaths, AreEpisodesOfInstances) {
  expect_episodes_of_instances<BanditProblem>("bandit");
  expect_episodes_of_instances<BanditStepProblem>("bandit_step");
  expect_episodes_of_instances<MdpProblem>("mdp");
  expect_episodes_of_instances<LqrProblem>("lqr");
  expect_episodes_of_instances<LqrDeanProblem>("lqr_dean");
}

}  // namespace
}  // namespace gallop::testing
