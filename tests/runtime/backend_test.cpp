// Operations of the backend that are made of several kernels: the same bits for every number of
// threads, and exact answers.
#include <gallop/host/runtime/backend.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numeric>

#include <gallop/host/runtime/aligned_memory.h>
#include <gallop/kernels/random/shuffle.h>
#include "tests/host/expect_error.h"
#include "tests/learning/gradient_case.h"
#include "tests/learning/rewards_case.h"

namespace gallop::testing {
namespace {

const std::vector<std::unique_ptr<Backend>>& backends() {
  static const std::vector<std::unique_ptr<Backend>> all = [] {
    std::vector<std::unique_ptr<Backend>> made;
    for (const int threads : {1, 2, 3, 8}) made.push_back(make_cpu_backend(threads));
    return made;
  }();
  return all;
}

TEST(Backend, MomentsAreExactAndFreeOfOrder) {
  Random random(71);
  for (int trial = 0; trial < 30; trial++) {
    const long rows = 1 + random.below(30), n = 1 + random.below(300), stride = n + random.below(9);
    const double shift = random.chance(0.5) ? 0 : 1000 * random.normal();
    std::vector<float> x(rows * stride, NAN);
    long double sum = 0, squares = 0;
    for (long r = 0; r < rows; r++) {
      for (long i = 0; i < n; i++) {
        x[r * stride + i] = float(shift + random.normal());
        sum += x[r * stride + i];
      }
    }
    const long double mean = sum / (rows * n);
    for (long r = 0; r < rows; r++) {
      for (long i = 0; i < n; i++)
        squares += (x[r * stride + i] - mean) * (x[r * stride + i] - mean);
    }
    const Moments first = moments(*backends()[0], x.data(), rows, n, stride);
    EXPECT_EQ(first.count, rows * n);
    EXPECT_NEAR(first.mean, double(mean), 1e-12 * std::max(1.0, std::abs(shift)));
    EXPECT_NEAR(first.sum_of_squares, double(squares), 1e-9 * double(squares) + 1e-12);
    std::vector<float> y = x;  // rows backwards
    for (long r = 0; r < rows; r++) {
      std::reverse_copy(x.begin() + r * stride, x.begin() + r * stride + n,
                        y.begin() + (rows - 1 - r) * stride);
    }
    for (const auto& backend : backends()) {
      for (const std::vector<float>* of : {&x, &y}) {
        const Moments m = moments(*backend, of->data(), rows, n, stride);
        EXPECT_EQ(m.mean, first.mean);
        EXPECT_EQ(m.sum_of_squares, first.sum_of_squares);
      }
    }
  }
  std::vector<float> bad = {1, 2, INFINITY, 4};
  EXPECT_TRUE(std::isnan(moments(*backends()[1], bad.data(), 2, 2, 2).mean));
  EXPECT_EQ(moments(*backends()[1], bad.data(), 0, 2, 2).count, 0);
}

TEST(Backend, StandardizedNumbersHaveMeanZeroAndDeviationOne) {
  Random random(72);
  std::vector<float> x(5000), first;
  for (float& v : x) v = float(3 + 2 * random.normal());
  for (const auto& backend : backends()) {
    std::vector<float> y = x;
    const Moments m = moments(*backend, y.data(), 1, 5000, 5000);
    const double std = std::sqrt(m.sum_of_squares / 5000);
    backend->standardize({y.data(), 5000, float(m.mean), float(1 / std)});
    const Moments after = moments(*backend, y.data(), 1, 5000, 5000);
    EXPECT_NEAR(after.mean, 0, 1e-7);
    EXPECT_NEAR(after.sum_of_squares / 5000, 1, 1e-6);
    if (first.empty()) first = y;
    EXPECT_TRUE(same_bits(y, first));
  }
}

TEST(Backend, TheNormIsExactAndSaysWhatIsNotFinite) {
  Random random(73);
  for (const int n : {1, 5, 64, 1000}) {
    std::vector<float> x(n);
    long double squares = 0;
    for (float& v : x) {
      v = float(random.normal() * std::exp(random.uniform(-10, 10)));
      squares += (long double)v * v;
    }
    for (const auto& backend : backends()) {
      EXPECT_NEAR(norm(*backend, x.data(), n), double(std::sqrt(squares)),
                  1e-12 * double(std::sqrt(squares)));
    }
    x[n / 2] = 1e38f;
    EXPECT_NEAR(norm(*backends()[0], x.data(), n), 1e38, 1e31);
    x[n - 1] = NAN;
    EXPECT_FALSE(std::isfinite(norm(*backends()[0], x.data(), n)));
  }
}

TEST(Backend, AShuffleIsAPermutationThatThreadsDoNotChange) {
  for (const long n : {1L, 2L, 1000L, 12345L}) {
    std::vector<std::uint32_t> first(n), other(n), next(n);
    backends()[0]->shuffle({7, 3, n, first.data()});
    for (const auto& backend : backends()) {
      backend->shuffle({7, 3, n, other.data()});
      EXPECT_EQ(other, first);
    }
    for (long i = 0; i + 1 < n; i++) {
      const auto key = [&](long k) { return std::pair(shuffle_key(7, 3, first[k]), first[k]); };
      ASSERT_LT(key(i), key(i + 1));
    }
    backends()[0]->shuffle({7, 4, n, next.data()});
    EXPECT_EQ(next != first, n > 2);
    std::sort(other.begin(), other.end());
    std::vector<std::uint32_t> all(n);
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(other, all);
  }
}

TEST(Backend, FinalValuesAreWrittenWhereAnEpisodeWasCutAndNowhereElse) {
  GradientConfig c;
  c.hidden = {16};
  c.count = 240;
  c.normalized = true;
  GradientCase network(c, 5, true);
  const long total = long(network.n_steps) * network.n_envs;
  const std::vector<float> value = network.evaluate(kernel_sets().back());
  Random random(74);
  std::vector<std::uint8_t> terminated(total), truncated(total);
  for (long i = 0; i < total; i++) {
    terminated[i] = random.chance(0.2);
    truncated[i] = random.chance(0.3);
  }
  for (const auto& backend : backends()) {
    std::vector<float> got(total, -77.0f), all(total, NAN);
    backend->values({network.shape.network, network.parameters.data(), network.normalization(),
                     network.n_steps, network.n_envs, network.observation.data(), got.data(),
                     terminated.data(), truncated.data()});
    backend->values({network.shape.network, network.parameters.data(), network.normalization(),
                     network.n_steps, network.n_envs, network.observation.data(), all.data()});
    EXPECT_TRUE(same_bits(all, value));
    for (long i = 0; i < total; i++) {
      const bool cut = truncated[i] != 0 && terminated[i] == 0;
      ASSERT_EQ(got[i], cut ? value[i] : -77.0f) << i;
    }
  }
}

TEST(Backend, ThreadsDoNotChangeGradientsEstimatesAndSteps) {
  GradientConfig c;
  c.hidden = {64, 33};
  c.count = 1500;
  c.ordered = true;
  c.entropy = 0.01f;
  const GradientCase policy(c, 9), value(c, 9, true);
  const std::vector<float> expected = policy.policy_gradient(kernel_sets()[0]);
  const std::vector<float> expected_value = value.value_gradient(kernel_sets()[0]);
  Random random(75);
  const RewardsCase rewards = random_rewards(random, 300, 700);
  std::vector<float> first_advantage, first_parameters;
  for (const auto& backend : backends()) {
    PolicyGradientRequest p = {};
    p.policy = {policy.shape, policy.parameters.data(), policy.normalization()};
    p.samples = policy.samples();
    p.loss = c.loss;
    p.clip = policy.clip;
    p.entropy_coefficient = c.entropy;
    p.weight = policy.weight;
    std::vector<float> gradient(expected.size(), NAN);
    p.gradient = gradient.data();
    backend->policy_gradient(p);
    EXPECT_TRUE(same_bits(gradient, expected));
    ValueGradientRequest v = {};
    v.shape = value.shape.network;
    v.parameters = value.parameters.data();
    v.samples = value.samples();
    v.weight = value.weight;
    std::vector<float> value_gradient(expected_value.size(), NAN);
    v.gradient = value_gradient.data();
    backend->value_gradient(v);
    EXPECT_TRUE(same_bits(value_gradient, expected_value));

    std::vector<float> advantage(300 * 700, NAN), parameters(9000, 1.0f), m(9000), s(9000), g(9000);
    GaeRequest e = {};
    e.n_steps = 300;
    e.n_envs = 700;
    e.gamma = 0.99f;
    e.lambda = 0.95f;
    e.reward_scale = 1;
    e.reward = rewards.reward.data();
    e.terminated = rewards.terminated.data();
    e.truncated = rewards.truncated.data();
    e.value = rewards.value.data();
    e.final_value = rewards.final_value.data();
    e.advantage = advantage.data();
    backend->gae(e);
    if (first_advantage.empty()) first_advantage = advantage;
    EXPECT_TRUE(same_bits(advantage, first_advantage));
    EXPECT_TRUE(
        std::all_of(advantage.begin(), advantage.end(), [](float x) { return std::isfinite(x); }));
    for (int i = 0; i < 9000; i++) g[i] = std::sin(float(i));
    StepState state = {0.1, 1.0, 1.0, 0.0, 1.0, 0};
    backend->optimizer_step({StepRule::kAdam, parameters.data(), g.data(), m.data(), s.data(),
                             &state, 0.0, 0.9, 0.999, 1e-8f, 9000});
    if (first_parameters.empty()) first_parameters = parameters;
    EXPECT_TRUE(same_bits(parameters, first_parameters));
    EXPECT_EQ(std::count(parameters.begin(), parameters.end(), 1.0f), 1) << "only g = 0 stays";
  }
}

TEST(AlignedMemory, OfEverySizeIsAlignedAndCanBeWritten) {
  for (const std::size_t bytes : {std::size_t(1), std::size_t(64), (std::size_t(4) << 20) - 1,
                                  std::size_t(4) << 20, (std::size_t(5) << 20) + 3}) {
    char* const memory = static_cast<char*>(allocate_aligned(bytes));
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % 64, 0u);
    memory[0] = memory[bytes - 1] = 1;
    std::free(memory);
  }
  EXPECT_EQ(allocate_aligned(~std::size_t(0)), nullptr);
}

TEST(Backend, MemoryThatIsNotThereIsAnErrorThatNamesTheBytesAndTheOptions) {
  for (const char* text : {"bytes", "n_envs", "n_steps"}) {
    test::expect_error_with(
        ExitCode::value, [] { backends()[0]->allocate(std::size_t(1) << 60); },
        "1152921504606846976", text);
  }
}

}  // namespace
}  // namespace gallop::testing
