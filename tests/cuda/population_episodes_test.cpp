// Episodes of populations on the subject, against the CPU: every kind of environment and policy,
// parameters in shared memory and in the block's own row, odd sizes.
#include <cmath>
#include <limits>

#include "tests/cuda/rollout_case.h"

namespace gallop::testing {
namespace {

struct EpisodesCase {
  const char* environment = "CartPole";
  std::vector<int> hidden = {64, 64};
  Head head = Head::kCategorical;
  int members = 6, episodes = 1;
  bool mirrored = true, own_sigmas = true, given = false, normalized = false;
  bool deterministic = false, sums = true;
  bool randomized = false;  // the parameter "gravity", drawn by episodes
  CommonNumbers common = CommonNumbers::kNone;
  int rank = 0;
  int time_limit = 12;
  Activation activation = Activation::kTanh;
  float spoilt = 0.0f;  // put in the place of a parameter of the centre, if not 0
};

struct Found {
  std::vector<float> episode_return, sums;
  std::vector<std::int32_t> length;
};

Found evaluate(Backend& backend, const EpisodesCase& c) {
  RolloutCase rollout;
  rollout.environment = c.environment;
  rollout.n_envs = 1;
  rollout.time_limit = c.time_limit;
  rollout.hidden = c.hidden;
  rollout.head = c.head;
  rollout.activation = c.activation;
  Environments e(backend, entry_of_type(c.environment), options_of(rollout));
  if (c.randomized) e.randomize("gravity", {5, 15, false});
  const PolicyShape shape = shape_of(rollout, e);
  std::vector<float> values = parameters_of(shape, 3, 1.0f);
  if (c.spoilt != 0.0f) values[1] = c.spoilt;
  const std::size_t d = values.size();
  Numbers numbers(17);
  const auto center = uploaded(backend, values);
  const auto sigma = uploaded(backend, numbers.many(d, 0.05f, 0.4f));
  const auto rows = uploaded(backend, numbers.many(c.given ? c.members * d : 1, -0.5f, 0.5f));
  const auto mean = uploaded(backend, numbers.many(std::size_t(e.observation_rows()), -0.1f, 0.1f));
  const auto inverse =
      uploaded(backend, numbers.many(std::size_t(e.observation_rows()), 0.5f, 3.0f));
  const std::size_t episodes = std::size_t(c.members * c.episodes);
  auto returns = poisoned<float>(backend, episodes + 1);
  auto lengths = poisoned<std::int32_t>(backend, episodes + 1);
  auto sums = poisoned<float>(backend, 2 * std::size_t(e.observation_rows()) * episodes + 1);
  PopulationRequest r = {};
  Population& p = r.population;
  p.shape = shape;
  if (c.normalized) p.normalization = {mean.data(), inverse.data(), 1.5f};
  p.n_members = c.members;
  p.mirrored = c.mirrored ? 1 : 0;
  p.n_parameters = long(d);
  p.members = c.given ? rows.data() : nullptr;
  p.center = center.data();
  p.sigma = c.own_sigmas ? sigma.data() : nullptr;
  p.sigma_all = 0.2f;
  p.rank = c.rank;
  p.seed = 5;
  p.generation = 2;
  p.first_member = 8;
  r.episodes = c.episodes;
  r.common = c.common;
  r.deterministic = c.deterministic ? 1 : 0;
  r.reward_shift = 0.5f;
  r.episode_return = returns.data();
  r.episode_length = lengths.data();
  r.observation_sum = c.sums ? sums.data() : nullptr;
  e.evaluate_population(r);
  return {returns.download(), sums.download(), lengths.download()};
}

void expect_equal(const EpisodesCase& c) {
  SCOPED_TRACE(::testing::Message()
               << c.environment << " layers " << c.hidden.size() + 1 << " head " << int(c.head)
               << " P " << c.members << " E " << c.episodes << " rank " << c.rank);
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  const Found expected = evaluate(*cpu, c), actual = evaluate(*subject, c);
  EXPECT_TRUE(same_bits(expected.episode_return, actual.episode_return));
  EXPECT_TRUE(same_bits(expected.length, actual.length));
  EXPECT_TRUE(same_bits(expected.sums, actual.sums));
  EXPECT_GT(expected.length[0], 0);
  EXPECT_LE(expected.length[0], c.time_limit);
  EXPECT_EQ(untouched(actual.sums), !c.sums);
}

TEST(PopulationEpisodeKernels, EveryKindOfPolicyEqualsTheCpu) {
  EpisodesCase c;
  expect_equal(c);
  c.common = CommonNumbers::kDynamics;
  c.hidden = {};
  c.episodes = 3;
  expect_equal(c);
  c.hidden = {7, 5};
  c.activation = Activation::kRelu;
  c.mirrored = c.own_sigmas = false;
  c.members = 5;
  expect_equal(c);
  c.normalized = true;
  c.common = CommonNumbers::kPolicy;
  c.environment = "Pendulum";
  for (const Head head : {Head::kGaussian, Head::kGaussianNetwork, Head::kDeterministic}) {
    c.head = head;
    expect_equal(c);
    c.deterministic = !c.deterministic;
    c.sums = false;
  }
  EpisodesCase table;
  table.environment = "Mdp";
  table.hidden = {};
  expect_equal(table);
  table.episodes = 4;
  expect_equal(table);
}

TEST(PopulationEpisodeKernels, FusedWidthsEqualTheCpu) {
  for (const int width : {64, 32}) {
    for (const int members : {1, 2, 3, 5}) {
      EpisodesCase c;
      c.hidden = {width, width};
      c.members = 2 * members;
      c.mirrored = members % 2 == 0;
      c.own_sigmas = members % 3 == 0;
      c.normalized = members == 3;
      c.deterministic = members == 2;
      c.time_limit = 20;
      expect_equal(c);
      c.environment = "Pendulum";
      c.head = Head::kGaussian;
      c.sums = false;
      c.activation = members == 5 ? Activation::kRelu : Activation::kTanh;
      expect_equal(c);
    }
  }
}

TEST(PopulationEpisodeKernels, ParametersThatEpisodesDrawEqualTheCpu) {
  for (const std::vector<int>& hidden : {std::vector<int>{}, {16}, {64, 64}}) {
    EpisodesCase c;
    c.environment = "Pendulum";
    c.head = Head::kGaussian;
    c.hidden = hidden;
    c.episodes = 3;
    c.randomized = true;
    expect_equal(c);
    const auto cpu = make_cpu_backend(1);
    const std::vector<float> drawn = evaluate(*cpu, c).episode_return;
    c.randomized = false;
    EXPECT_FALSE(same_bits(drawn, evaluate(*cpu, c).episode_return));
  }
}

TEST(PopulationEpisodeKernels, EveryCountOfEpisodesEqualsTheCpu) {
  for (const int episodes : {2, 5, 16, 33, 70}) {
    EpisodesCase c;
    c.hidden = {16};
    c.members = 3;
    c.mirrored = false;
    c.episodes = episodes;
    expect_equal(c);
  }
}

TEST(PopulationEpisodeKernels, GivenMembersAndLowRankEqualTheCpu) {
  EpisodesCase c;
  c.hidden = {16, 8};
  c.given = true;
  expect_equal(c);
  c.episodes = 4;
  expect_equal(c);
  c.given = false;
  c.rank = 2;
  expect_equal(c);
  c.episodes = 1;
  expect_equal(c);
}

TEST(PopulationEpisodeKernels, NoOrderOfThreadsChangesABit) {
  EpisodesCase fused, general;
  general.hidden = {16};
  for (EpisodesCase* c : {&fused, &general}) {
    c->episodes = 3;
    c->time_limit = 6;
    in_every_order([&] { expect_equal(*c); });
  }
}

// Too many parameters for shared memory: rows of global memory.
TEST(PopulationEpisodeKernels, WideNetworksEqualTheCpu) {
  EpisodesCase c;
  c.hidden = {256, 256};
  c.members = 2;
  c.time_limit = 4;
  expect_equal(c);
  c.episodes = 3;
  expect_equal(c);
}

TEST(PopulationEpisodeKernels, RobotsEqualTheCpu) {
  EpisodesCase c;
  c.environment = "InvertedPendulum";
  c.hidden = {8};
  c.head = Head::kDeterministic;
  c.members = 4;
  c.time_limit = 6;
  c.normalized = true;
  expect_equal(c);
}

TEST(PopulationEpisodeKernels, WhatIsNotFiniteEqualsTheCpu) {
  for (const int episodes : {1, 2, 17}) {
    EpisodesCase c;
    c.environment = "Pendulum";
    c.head = Head::kDeterministic;
    c.hidden = {8};
    c.episodes = episodes;
    c.spoilt = std::numeric_limits<float>::quiet_NaN();
    expect_equal(c);
    const auto cpu = make_cpu_backend(1);
    EXPECT_TRUE(std::isnan(evaluate(*cpu, c).episode_return[0]));
  }
}

}  // namespace
}  // namespace gallop::testing
