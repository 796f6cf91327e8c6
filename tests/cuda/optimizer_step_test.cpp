// Steps of an optimiser that limit and refuse by themselves, and sums over episodes, on the subject
// against the CPU.
#include <cmath>

#include "tests/cuda/subject.h"

namespace gallop::testing {
namespace {

// Parameters, moments and state after each of some gradients.
struct Steps {
  std::vector<float> parameters, first, second;
  std::vector<StepState> states;
};

Steps take_steps(Backend& backend, StepRule rule, double max_norm,
                 const std::vector<std::vector<float>>& gradients) {
  const std::size_t n = gradients.front().size();
  Numbers numbers(31);
  const auto parameters = uploaded(backend, numbers.many(n, -1.0f, 1.0f));
  const auto first = uploaded(backend, std::vector<float>(n, 0.0f));
  const auto second = uploaded(backend, std::vector<float>(n, 0.0f));
  const auto state = uploaded<StepState>(backend, {{0.01, 1.0, 1.0, 0.0, 1.0, 0}});
  Steps steps;
  for (const std::vector<float>& numbers_of : gradients) {
    const auto gradient = uploaded(backend, numbers_of);
    backend.optimizer_step({rule, parameters.data(), gradient.data(), first.data(), second.data(),
                            state.data(), max_norm, 0.9, 0.99, 1e-8f, long(n)});
    steps.states.push_back(state.download().front());
  }
  steps.parameters = parameters.download();
  steps.first = first.download();
  steps.second = second.download();
  return steps;
}

void expect_same(const Steps& expected, const Steps& actual) {
  EXPECT_TRUE(same_bits(expected.parameters, actual.parameters));
  EXPECT_TRUE(same_bits(expected.first, actual.first));
  EXPECT_TRUE(same_bits(expected.second, actual.second));
  for (std::size_t k = 0; k < expected.states.size(); k++) {
    const StepState &a = expected.states[k], &b = actual.states[k];
    EXPECT_EQ(a.power1, b.power1);
    EXPECT_EQ(a.power2, b.power2);
    EXPECT_TRUE(a.norm == b.norm || (a.norm != a.norm && b.norm != b.norm))
        << a.norm << " " << b.norm;
    EXPECT_EQ(a.scale, b.scale);
    EXPECT_EQ(a.refused, b.refused);
  }
}

std::vector<std::vector<float>> some_gradients(std::size_t n, int count) {
  Numbers numbers(77);
  std::vector<std::vector<float>> gradients;
  for (int k = 0; k < count; k++) gradients.push_back(numbers.many(n, -2.0f, 2.0f));
  return gradients;
}

// Sizes for the kernel of one block, at its limit, and for those of the whole device.
TEST(OptimizerStep, EveryRuleAndSizeInEveryOrderOfThreads) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  for (const StepRule rule : {StepRule::kAdam, StepRule::kRmsProp, StepRule::kPlain}) {
    for (const double limit : {0.0, 0.5}) {
      for (const std::size_t n : {std::size_t(1), std::size_t(130), std::size_t(1500)}) {
        const auto gradients = some_gradients(n, 4);
        const Steps expected = take_steps(*cpu, rule, limit, gradients);
        in_every_order(
            [&] { expect_same(expected, take_steps(*subject, rule, limit, gradients)); });
        EXPECT_EQ(expected.states.back().refused, 0);
      }
      for (const std::size_t n : {std::size_t(16384), std::size_t(16385)}) {
        const auto gradients = some_gradients(n, 2);
        expect_same(take_steps(*cpu, rule, limit, gradients),
                    take_steps(*subject, rule, limit, gradients));
      }
    }
  }
}

// From the first gradient on that is not finite, or too great, nothing changes.
TEST(OptimizerStep, RefusesFromTheFirstBadGradientOn) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  for (const std::size_t n : {std::size_t(40), std::size_t(16400)}) {
    for (const float bad : {float(NAN), float(INFINITY), -float(INFINITY), 1e20f}) {
      auto gradients = some_gradients(n, 5);
      gradients[2][n / 3] = bad;
      const Steps good = take_steps(*cpu, StepRule::kAdam, 0.0, {gradients[0], gradients[1]});
      const Steps expected = take_steps(*cpu, StepRule::kAdam, 0.0, gradients);
      expect_same(expected, take_steps(*subject, StepRule::kAdam, 0.0, gradients));
      EXPECT_TRUE(same_bits(good.parameters, expected.parameters));
      EXPECT_TRUE(same_bits(good.second, expected.second));
      EXPECT_EQ(expected.states[1].refused, 0);
      for (const int k : {2, 3, 4}) {
        EXPECT_EQ(expected.states[k].refused, 1);
        EXPECT_FALSE(std::isfinite(expected.states[k].norm)) << bad;
      }
    }
  }
}

TEST(Episodes, SumsAreThoseOfTheDefinition) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  for (const long n : {1L, 31L, 700L, 5000L}) {
    for (const float share : {0.0f, 0.1f, 1.0f}) {
      Numbers numbers{std::uint32_t(n)};
      const auto terminated = numbers.flags(n, share), truncated = numbers.flags(n, share);
      std::vector<float> returns = numbers.many(n, -500.0f, 900.0f);
      std::vector<std::int32_t> lengths(n);
      for (std::int32_t& length : lengths) length = std::int32_t(numbers.word() % 1000);
      double sum = 0;
      std::int64_t total = 0, count = 0;
      for (long i = 0; i < n; i++) {
        if ((terminated[i] | truncated[i]) == 0) {
          returns[i] = float(NAN);  // what nobody wrote is not read
          continue;
        }
        sum += double(returns[i]);
        total += lengths[i];
        count++;
      }
      for (const auto* backend : {&cpu, &subject}) {
        in_every_order([&] {
          const auto a = uploaded(**backend, terminated), b = uploaded(**backend, truncated);
          const auto c = uploaded(**backend, returns);
          const auto d = uploaded(**backend, lengths);
          const EpisodeSums sums =
              episode_sums(**backend, {a.data(), b.data(), c.data(), d.data(), n, nullptr});
          EXPECT_EQ(sums.episodes, count);
          EXPECT_EQ(sums.lengths, total);
          EXPECT_NEAR(sums.returns, sum, 1e-9 * double(n));
        });
      }
    }
  }
}

TEST(Episodes, BitsAreTheCpusAndAReturnThatIsNotFiniteShows) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  Numbers numbers(5);
  const long n = 3000;
  const auto terminated = numbers.flags(n, 0.3f), truncated = numbers.flags(n, 0.1f);
  std::vector<float> returns = numbers.many(n, -3.0f, 1e4f);
  const std::vector<std::int32_t> lengths(n, 7);
  const auto run = [&](Backend& backend) {
    const auto a = uploaded(backend, terminated), b = uploaded(backend, truncated);
    const auto c = uploaded(backend, returns);
    const auto d = uploaded(backend, lengths);
    return episode_sums(backend, {a.data(), b.data(), c.data(), d.data(), n, nullptr});
  };
  EXPECT_EQ(run(*cpu).returns, run(*subject).returns);
  for (long i = 0; i < n; i++) {
    if (terminated[i] != 0) returns[i] = float(INFINITY);
  }
  EXPECT_TRUE(std::isnan(run(*cpu).returns));
  EXPECT_TRUE(std::isnan(run(*subject).returns));
}

TEST(Moments, OfGroupsAreThoseOfEach) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  const int groups = 40, rows = 6, n = 33;  // more groups than the smallest scratch has room for
  Numbers numbers(8);
  const std::vector<float> x = numbers.many(std::size_t(groups) * rows * n, -4.0f, 9.0f);
  const auto on_cpu = uploaded(*cpu, x), on_subject = uploaded(*subject, x);
  const auto actual =
      grouped_moments(*subject, on_subject.data(), groups, n, rows, n, long(groups) * n);
  ASSERT_EQ(actual.size(), std::size_t(groups));
  for (int g = 0; g < groups; g++) {
    const Moments expected = moments(*cpu, on_cpu.data() + g * n, rows, n, long(groups) * n);
    EXPECT_EQ(expected.mean, actual[g].mean);
    EXPECT_EQ(expected.sum_of_squares, actual[g].sum_of_squares);
    EXPECT_EQ(expected.count, actual[g].count);
  }
}

}  // namespace
}  // namespace gallop::testing
