// Gradients through the simulator on the subject, against the CPU: adjoints, derivatives of steps,
// the policy's backward pass, replayed states, differences.
#include "tests/cuda/subject.h"
#include "tests/learning/pathwise_case.h"

namespace gallop::testing {
namespace {

std::vector<float> gradient(const std::string& environment, const std::vector<std::string>& options,
                            std::unique_ptr<Backend> backend, bool with_tail) {
  PathwiseCase c(environment, options, std::move(backend));
  c.learner.environments().set_time_limit(5);
  const Environments& e = c.learner.environments();
  const std::size_t n = std::size_t(c.learner.n_samples()) * e.observation_rows();
  DeviceArray<float> tail(*c.backend, n);
  std::vector<float> values(n);
  for (std::size_t k = 0; k < n; k++) values[k] = 0.01f * float(k % 17) - 0.05f;
  tail.upload(values);
  const float* const given = with_tail ? tail.data() : nullptr;
  std::vector<float> all = c.next(given);
  c.learner.update_normalizer();
  c.learner.collect();
  const std::vector<float> more = c.find(given);
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

void expect_equal(const std::string& environment, std::vector<std::string> options,
                  bool with_tail = false) {
  SCOPED_TRACE(environment + " " + options[0]);
  options.insert(options.end(), {"n_envs=21", "n_steps=9", "gamma=0.9"});
  const std::vector<float> expected =
      gradient(environment, options, make_cpu_backend(2), with_tail);
  const std::vector<float> actual = gradient(environment, options, make_subject(), with_tail);
  ASSERT_EQ(expected.size(), actual.size());
  bool is_moving = false;
  for (std::size_t k = 0; k < expected.size(); k++) {
    ASSERT_TRUE(std::isfinite(expected[k])) << k;
    ASSERT_EQ(std::memcmp(&expected[k], &actual[k], sizeof(float)), 0) << k;
    is_moving = is_moving || expected[k] != 0;
  }
  EXPECT_TRUE(is_moving);
}

TEST(Pathwise, PoliciesOfAnyShape) {
  expect_equal("pendulum", {"hidden="});
  expect_equal("pendulum", {"hidden=16,8", "normalize_observations=true"}, true);
  expect_equal("pendulum", {"hidden=64,64", "log_std=network"}, true);
  expect_equal("lqr", {"hidden=5", "activation=relu", "sample_actions=false"}, true);
}

TEST(Pathwise, ParametersThatEpisodesDraw) {
  const std::string ranges = "randomize=mass=0.7..1.4:log,gravity=8..12";
  expect_equal("pendulum", {ranges, "hidden=8"}, true);
  expect_equal("pendulum", {ranges, "hidden=8", "state_interval=4"});
  expect_equal("pendulum", {ranges, "hidden=8", "derivatives=differences"});
}

TEST(Pathwise, ReplayedStatesLimitsAndDifferences) {
  expect_equal("pendulum", {"state_interval=4", "hidden=8"}, true);
  expect_equal("pendulum", {"max_adjoint=0.5", "hidden=8", "reward_scale=0.1"});
  expect_equal("pendulum", {"derivatives=differences", "hidden=8"}, true);
  expect_equal("inverted_pendulum", {"derivatives=differences", "hidden=8"}, true);
}

}  // namespace
}  // namespace gallop::testing
