// kernels/population/: members, sums of perturbations and ranks against their definitions, the same
// bits for every set of kernels and every split.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

// A population with arrays of its own.
struct Case {
  Population population = {};
  std::vector<float> center, sigma;

  Case(int members, long parameters, bool mirrored, bool own_sigmas) {
    Random random(std::uint64_t(parameters) + 7);
    for (long k = 0; k < parameters; k++) {
      center.push_back(float(random.normal()));
      sigma.push_back(float(random.uniform(0.01, 0.5)));
    }
    population.n_members = members;
    population.n_parameters = parameters;
    population.center = center.data();
    population.sigma = own_sigmas ? sigma.data() : nullptr;
    population.sigma_all = 0.25f;
    population.seed = (std::uint64_t(0xabcdef) << 32) + 17;
    population.generation = 3;
    population.first_member = 40;
    population.mirrored = mirrored ? 1 : 0;
  }
  void set_low_rank(int rank) {
    population.rank = rank;
    NetworkShape& network = population.shape.network;
    network.n_layers = 3;
    const int width[] = {5, 19, 8, 2};
    std::copy_n(width, 4, network.width);
    population.shape.head = Head::kGaussian;
    population.shape.n_actions = 2;
    ASSERT_EQ(population.n_parameters, parameter_count(population.shape));
  }
};
constexpr long kLowRankParameters = 6 * 19 + 20 * 8 + 9 * 2 + 2;

// Number `at` of the normals of a pair, by the layout of the counter.
float normal(const Population& p, std::uint32_t pair, long at, std::uint32_t draw) {
  const auto words =
      philox<std::uint32_t>(pair, p.generation, std::uint32_t(at / 4), draw, std::uint32_t(p.seed),
                            std::uint32_t(p.seed >> 32) << 8 | 7);
  const int first = at % 4 < 2 ? 0 : 2;
  float z[2];
  to_normals<float>(words.word[first], words.word[first + 1], z[0], z[1]);
  return z[at % 2];
}

// All perturbations of a pair.
std::vector<float> eps_of(const Population& p, std::uint32_t pair) {
  std::vector<float> eps(p.n_parameters);
  for (long k = 0; k < p.n_parameters; k++) eps[k] = normal(p, pair, k, 0);
  long weight = 0, factor = 0;
  for (int l = 0; p.rank > 0 && l < p.shape.network.n_layers; l++) {
    const int n_in = p.shape.network.width[l], n_out = p.shape.network.width[l + 1];
    for (int i = 0; i < n_in; i++) {
      for (int j = 0; j < n_out; j++) {
        float sum = 0;
        for (int q = 0; q < p.rank; q++) {
          const float a = normal(p, pair, factor + i * p.rank + q, 1);
          sum = std::fma(a, normal(p, pair, factor + n_in * p.rank + q * n_out + j, 1), sum);
        }
        eps[weight + i * n_out + j] = sum * (1.0f / std::sqrt(float(p.rank)));
      }
    }
    weight += (n_in + 1) * n_out;
    factor += p.rank * (n_in + n_out);
  }
  return eps;
}
// With its sign.
std::vector<float> eps_of_member(const Population& p, int member) {
  const std::uint32_t id = p.first_member + std::uint32_t(member);
  std::vector<float> eps = eps_of(p, p.mirrored ? id / 2 : id);
  if (p.mirrored && id % 2 == 1) {
    for (float& x : eps) x = -x;
  }
  return eps;
}

std::vector<float> members(const KernelSet& set, const Population& p, int first, int n, int grain) {
  Floats out(n * p.n_parameters);
  set.kernels->make_members({p, first, n, out.data()}, TestWork(grain));
  return out.values();
}

void expect_members(const Case& c) {
  const Population& p = c.population;
  std::vector<float> expected;
  for (int m = 0; m < p.n_members; m++) {
    const std::vector<float> eps = eps_of_member(p, m);
    for (long k = 0; k < p.n_parameters; k++) {
      const float sigma = p.sigma != nullptr ? p.sigma[k] : p.sigma_all;
      expected.push_back(std::fma(sigma, eps[k], p.center[k]));
    }
  }
  for (const KernelSet& set : kernel_sets()) {
    for (const int grain : {1, 3, p.n_members}) {
      ASSERT_TRUE(same_bits(members(set, p, 0, p.n_members, grain), expected))
          << set.isa << " grain " << grain << " parameters " << p.n_parameters;
    }
    const std::vector<float> one = members(set, p, 1, 1, 1);
    ASSERT_TRUE(same_bits(one.data(), expected.data() + p.n_parameters, p.n_parameters)) << set.isa;
  }
}

TEST(Population, MembersAreThoseOfTheDefinition) {
  for (const long parameters : {1, 2, 5, 63, 64, 65, 1023, 1024, 1025, 2050}) {
    for (const bool mirrored : {false, true}) {
      expect_members(Case(6, parameters, mirrored, parameters % 2 == 0));
    }
  }
  Case low(4, kLowRankParameters, true, true);
  for (const int rank : {1, 2, 3, 7}) {
    low.set_low_rank(rank);
    expect_members(low);
  }
}

TEST(Population, GivenMembersAreThoseThatAreGiven) {
  Case c(3, 10, false, false);
  Random random(5);
  std::vector<float> given(30);
  for (float& x : given) x = float(random.normal());
  c.population.members = given.data();
  for (const KernelSet& set : kernel_sets()) {
    EXPECT_TRUE(same_bits(members(set, c.population, 0, 3, 1), given));
    EXPECT_TRUE(same_bits(members(set, c.population, 2, 1, 1).data(), given.data() + 20, 10));
  }
}

TEST(Population, PerturbationsAreIndependentNormals) {
  Case c(400, 1000, false, false);
  std::fill(c.center.begin(), c.center.end(), 0.0f);
  c.population.sigma_all = 1.0f;
  const int n = 400000;
  const std::vector<float> x = members(kernel_sets().back(), c.population, 0, 400, 7);
  double sum = 0, squares = 0, fourth = 0, beside = 0, below = 0;
  for (int i = 0; i < n; i++) {
    sum += x[i];
    squares += x[i] * x[i];
    fourth += std::pow(double(x[i]), 4);
    if (i + 1 < n) beside += x[i] * x[i + 1];
    if (i + 1000 < n) below += x[i] * x[i + 1000];
  }
  const double five = 5 / std::sqrt(n);  // standard errors
  EXPECT_NEAR(sum / n, 0, five);
  EXPECT_NEAR(squares / n, 1, five * std::sqrt(2));
  EXPECT_NEAR(fourth / n, 3, five * std::sqrt(96));
  EXPECT_NEAR(beside / n, 0, five);
  EXPECT_NEAR(below / n, 0, five);
  c.population.generation++;
  const std::vector<float> next = members(kernel_sets().back(), c.population, 0, 400, 7);
  double both = 0;
  for (int i = 0; i < n; i++) both += x[i] * next[i];
  EXPECT_NEAR(both / n, 0, five);
}

struct Sums {
  std::vector<float> sum, squares;
};
Sums sums(const KernelSet& set, const Population& p, const std::vector<float>& weight, int grain,
          bool squares = true) {
  Floats sum(p.n_parameters), square(p.n_parameters);
  set.kernels->sum_members({p, weight.data(), sum.data(), squares ? square.data() : nullptr},
                           TestWork(grain));
  return {sum.values(), square.values()};
}

void expect_sums(const Case& c) {
  const Population& p = c.population;
  Random random(11);
  std::vector<float> weight(p.n_members);
  for (float& w : weight) w = float(random.normal());
  std::vector<double> sum(p.n_parameters), squares(p.n_parameters), magnitude(p.n_parameters);
  for (int m = 0; m < p.n_members; m++) {
    const std::vector<float> eps = eps_of_member(p, m);
    for (long k = 0; k < p.n_parameters; k++) {
      sum[k] += double(weight[m]) * eps[k];
      squares[k] += double(weight[m]) * eps[k] * eps[k];
      magnitude[k] += std::abs(weight[m]) * (1 + eps[k] * eps[k]);
    }
  }
  const Sums first = sums(kernel_sets()[0], p, weight, 1);
  for (long k = 0; k < p.n_parameters; k++) {
    ASSERT_NEAR(first.sum[k], sum[k], 1e-5 * magnitude[k]) << k;
    ASSERT_NEAR(first.squares[k], squares[k], 1e-5 * magnitude[k]) << k;
  }
  for (const KernelSet& set : kernel_sets()) {
    for (const int grain : {1, 2, 5, 1000}) {
      const Sums found = sums(set, p, weight, grain);
      ASSERT_TRUE(same_bits(found.sum, first.sum)) << set.isa << " grain " << grain;
      ASSERT_TRUE(same_bits(found.squares, first.squares)) << set.isa << " grain " << grain;
    }
    const Sums alone = sums(set, p, weight, 1, false);
    ASSERT_TRUE(same_bits(alone.sum, first.sum)) << set.isa;
    ASSERT_TRUE(std::isnan(alone.squares[0])) << "not asked for, and written";
  }
}

TEST(Population, SumsAreThoseOfTheDefinition) {
  for (const int n_members : {2, 126, 128, 130, 300}) {
    for (const bool mirrored : {false, true}) {
      for (const long parameters : {1, 66, 1025})
        expect_sums(Case(n_members, parameters, mirrored, false));
    }
  }
  Case low(132, kLowRankParameters, true, true);
  low.set_low_rank(2);
  expect_sums(low);
}

TEST(Population, EqualWeightsOfMirroredPairsCancel) {
  const Case c(260, 70, true, false);
  for (const KernelSet& set : kernel_sets()) {
    const Sums found = sums(set, c.population, std::vector<float>(260, 0.7f), 1);
    for (const float x : found.sum) EXPECT_EQ(x, 0.0f);
    for (const float x : found.squares) EXPECT_GT(x, 0.0f);
  }
}

TEST(Population, WeightsThatAreNotFiniteShowInEverySum) {
  const Case c(300, 70, false, false);
  for (const float bad : {std::numeric_limits<float>::infinity(), NAN}) {
    std::vector<float> weight(300, 1.0f);
    weight[200] = bad;
    for (const KernelSet& set : kernel_sets()) {
      const Sums found = sums(set, c.population, weight, 1);
      for (const float x : found.sum) EXPECT_TRUE(std::isnan(x));
      for (const float x : found.squares) EXPECT_TRUE(std::isnan(x));
    }
  }
}

TEST(Population, RanksAreThoseOfAStableSort) {
  Random random(3);
  for (const int n : {1, 2, 3, 100, 10000}) {
    std::vector<float> fitness(n);
    for (float& x : fitness) x = float(random.below(20) - 10);  // with ties
    for (int i = 0; i < n; i += 7) fitness[i] = float(random.normal() * 1e20);
    for (int i = 3; i < n; i += 11) fitness[i] = -0.0f;
    for (int i = 5; i < n; i += 13) fitness[i] = i % 2 == 0 ? NAN : -NAN;
    for (int i = 6; i < n; i += 29) fitness[i] = i % 2 == 0 ? INFINITY : -INFINITY;
    std::vector<std::uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      if (std::isnan(fitness[a]) || std::isnan(fitness[b]))
        return !std::isnan(fitness[a]) && std::isnan(fitness[b]);
      return fitness[a] > fitness[b];
    });
    for (const KernelSet& set : kernel_sets()) {
      for (const int grain : {1, 64, n}) {
        std::vector<std::uint32_t> found(n, 9), rank(n, 9), alone(n, 9);
        std::vector<float> centered(n, 9);
        set.kernels->rank_members({fitness.data(), n, found.data(), rank.data(), centered.data()},
                                  TestWork(grain));
        set.kernels->rank_members({fitness.data(), n, nullptr, alone.data(), nullptr},
                                  TestWork(grain));
        ASSERT_EQ(found, order) << set.isa;
        ASSERT_EQ(alone, rank) << set.isa;
        double sum = 0;
        for (int k = 0; k < n; k++) {
          ASSERT_EQ(rank[order[k]], std::uint32_t(k));
          const float expected = n == 1 ? 0.0f : float(0.5 - double(k) / (n - 1));
          ASSERT_EQ(centered[order[k]], expected);
          sum += centered[order[k]];
        }
        ASSERT_NEAR(sum, 0, 1e-5);
      }
    }
  }
}

TEST(Population, WhatCannotBeIsRefused) {
  Case c(6, 10, true, false);
  float x = 0;
  EXPECT_EQ(refusal(MembersRequest{c.population, 0, 6, &x}), nullptr);
  const auto says = [](const char* why, const char* word) {
    return why != nullptr && std::strstr(why, word) != nullptr;
  };
  EXPECT_TRUE(says(refusal(MembersRequest{c.population, 5, 2, &x}), "not there"));
  EXPECT_TRUE(says(refusal(MembersRequest{c.population, -1, 2, &x}), "not there"));
  EXPECT_TRUE(says(refusal(RankRequest{&x, 0, nullptr, nullptr, nullptr}), "no members"));
  SumMembersRequest r = {c.population, &x, &x, nullptr};
  EXPECT_EQ(refusal(r), nullptr);
  r.population.n_members = 5;
  EXPECT_TRUE(says(refusal(r), "pairs"));
  r.population.n_members = 0;
  EXPECT_TRUE(says(refusal(r), "without members"));
  r.population = c.population;
  r.population.first_member = 3;
  EXPECT_TRUE(says(refusal(r), "even id"));
  r.population = c.population;
  r.population.rank = -1;
  EXPECT_TRUE(says(refusal(r), "rank"));
  r.population = c.population;
  for (const long parameters : {0L, 1L << 31}) {
    r.population.n_parameters = parameters;
    EXPECT_TRUE(says(refusal(r), "from 1 to 2^31 - 1 parameters"));
  }
  r.population = c.population;
  r.population.members = &x;
  EXPECT_TRUE(says(refusal(r), "no perturbations"));
}

}  // namespace
}  // namespace gallop::testing
