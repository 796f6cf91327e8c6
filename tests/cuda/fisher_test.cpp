// Fisher products, divergences and the steps of a trust region on the subject, against the CPU.
#include <cmath>
#include <limits>

#include "tests/cuda/fisher_case.h"

namespace gallop::testing {
namespace {

std::vector<float> run_divergence(Backend& backend, const GradientCase& c, int active = 1) {
  const FisherCase at(backend, c);
  std::vector<float> moved = at.values;
  Numbers numbers(3);
  for (float& x : moved) x += numbers.uniform(-0.1f, 0.1f);
  const auto candidate = uploaded(backend, moved);
  const auto flag = uploaded<std::int32_t>(backend, {active});
  DivergenceRequest r = {};
  r.candidate = {at.shape, candidate.data(), {}};
  r.samples = at.from.samples;
  r.old_units = at.fisher.units();
  r.unit_stride = at.fisher.unit_stride();
  r.old_log_std = at.parameters.data() + layer_offset(at.shape.network, at.shape.network.n_layers);
  r.active = flag.data();
  const auto sums = poisoned<float>(backend, kDivergenceSums + 1);
  const auto greatest = poisoned<float>(backend, chunk_count(c.count) + 1);
  r.sums = sums.data();
  r.chunk_kl = greatest.data();
  backend.policy_divergence(r);
  std::vector<float> all = sums.download();
  const std::vector<float> behind = greatest.download();
  all.insert(all.end(), behind.begin(), behind.end());
  return all;
}

std::vector<float> run_empirical(Backend& backend, const GradientCase& c, int active = 1) {
  return run_product(backend, c, active, FisherPath::kFused, FisherMatrix::kEmpirical);
}

void expect_equal(const GradientCase& c, bool all_orders = false) {
  SCOPED_TRACE(c.label());
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  const std::vector<float> product = run_product(*cpu, c), sums = run_divergence(*cpu, c);
  const std::vector<float> empirical = run_empirical(*cpu, c);
  const auto compare = [&] {
    EXPECT_TRUE(same_bits(product, run_product(*subject, c))) << "product";
    EXPECT_TRUE(same_bits(sums, run_divergence(*subject, c))) << "divergence";
    EXPECT_TRUE(same_bits(empirical, run_empirical(*subject, c))) << "empirical";
  };
  if (all_orders) {
    in_every_order(compare);
  } else {
    compare();
  }
  for (std::size_t k = 0; k + 3 < product.size(); k++) {
    EXPECT_TRUE(std::isfinite(product[k])) << k;
    EXPECT_TRUE(std::isfinite(empirical[k])) << k;
  }
  for (int k = 0; k < kDivergenceSums; k++) EXPECT_TRUE(std::isfinite(sums[k])) << k;
  if (c.n_actions > 1 || c.head != Head::kCategorical) {
    EXPECT_GT(sums[kSumKl], 0.0f);
  }
}

TEST(Fisher, EveryCountAroundAChunk) {
  for (const long count : {1L, 3L, 127L, 128L, 129L, 513L}) {
    GradientCase c;
    c.count = count;
    c.hidden = {16};
    c.shuffled = count % 2 == 1;
    expect_equal(c);
  }
}

TEST(Fisher, EveryHead) {
  for (const Head head : {Head::kCategorical, Head::kGaussian, Head::kGaussianNetwork}) {
    for (const int n_actions : {1, 3, 6}) {
      GradientCase c;
      c.head = head;
      c.n_actions = n_actions;
      c.count = 130;
      expect_equal(c);
    }
  }
}

// Layers of less than a tile, of one round of the block, of several, and tangents that need a
// second buffer, in shared memory and beyond it.
TEST(Fisher, EveryActivationAndDepth) {
  for (const Activation activation :
       {Activation::kTanh, Activation::kRelu, Activation::kIdentity}) {
    for (const std::vector<int>& hidden :
         {std::vector<int>{}, std::vector<int>{33}, std::vector<int>{65, 50, 9},
          std::vector<int>{5, 7}, std::vector<int>{16, 72, 70}}) {
      GradientCase c;
      c.activation = activation;
      c.hidden = hidden;
      c.count = 140;
      c.n_actions = 4;
      expect_equal(c);
    }
  }
}

// One to four outputs that count, each in its own loops, over one and two layers that are kept.
TEST(Fisher, SensitivitiesOfEveryNumberOfOutputs) {
  for (const std::vector<int>& hidden :
       {std::vector<int>{64, 64}, std::vector<int>{49, 72, 66}, std::vector<int>{7, 130}}) {
    for (const auto& [head, n_actions] :
         {std::pair(Head::kCategorical, 2), std::pair(Head::kCategorical, 5),
          std::pair(Head::kGaussian, 1), std::pair(Head::kGaussian, 3),
          std::pair(Head::kGaussianNetwork, 1), std::pair(Head::kGaussianNetwork, 2)}) {
      GradientCase c;
      c.hidden = hidden;
      c.head = head;
      c.n_actions = n_actions;
      c.count = n_actions == 2 ? 300 : 131;
      ASSERT_GT(sensitivity_count(policy_of(c)), 0) << c.label();
      expect_equal(c);
    }
  }
}

TEST(Fisher, TablesAndNetworksBeyondSharedMemory) {
  GradientCase c;
  c.kind = NetworkKind::kTabular;
  c.hidden = {};
  c.n_inputs = 64;
  c.n_actions = 16;
  expect_equal(c);
  GradientCase wide;
  wide.hidden = {256, 256};
  wide.count = 150;
  for (const int n_actions : {2, 6}) {  // by sensitivities, and by passes
    wide.n_actions = n_actions;
    EXPECT_EQ(sensitivity_count(policy_of(wide)) > 0, n_actions == 2);
    expect_equal(wide);
  }
}

// The product is that of the matrix of the other parameters alone, for a vector that is 0 where
// they are fixed; what is fixed stays 0.
TEST(Fisher, ProductsLeaveFixedParametersAlone) {
  const auto subject = make_subject();
  for (const std::vector<int>& hidden : {std::vector<int>{}, std::vector<int>{40, 9}}) {
    GradientCase c;
    c.hidden = hidden;
    c.head = Head::kGaussian;
    c.n_actions = 3;
    const std::vector<float> free = run_product(*subject, c);
    c.fixed_each = 3;
    expect_equal(c);
    const std::vector<float> some = run_product(*subject, c);
    const std::size_t n = std::size_t(parameter_count(policy_of(c)));
    for (std::size_t k = 0; k < n; k++) {
      if (k % 3 == 0) {
        EXPECT_EQ(some[k], 0.0f) << k;
      } else {
        EXPECT_TRUE(is_same(some[k], free[k])) << k;
      }
    }
  }
}

TEST(Fisher, EveryOrderOfThreads) {
  for (const std::vector<int>& hidden : {std::vector<int>{64, 40}, std::vector<int>{20, 66, 3}}) {
    GradientCase c;
    c.hidden = hidden;
    c.count = 135;
    c.head = Head::kGaussian;
    expect_equal(c, true);
  }
}

TEST(Fisher, WhatIsNotWantedIsNotWritten) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  const GradientCase c;
  for (Backend* backend : {cpu.get(), subject.get()}) {
    EXPECT_TRUE(untouched(run_product(*backend, c, 0))) << backend->name();
    EXPECT_TRUE(untouched(run_divergence(*backend, c, 0))) << backend->name();
    EXPECT_TRUE(untouched(run_empirical(*backend, c, 0))) << backend->name();
  }
}

// Conjugate gradient on a diagonal matrix, which the test multiplies by: all vectors and scalars.
struct SolveResult {
  std::vector<float> vectors;
  ConjugateGradientState state;
};

SolveResult run_solver(Backend& backend, long n, int iterations, double tolerance,
                       const std::vector<float>& diagonal, const std::vector<float>& gradient) {
  DeviceArray<float> g = uploaded(backend, gradient), b = poisoned<float>(backend, n),
                     x = poisoned<float>(backend, n), residual = poisoned<float>(backend, n),
                     direction = poisoned<float>(backend, n), product = poisoned<float>(backend, n);
  DeviceArray<ConjugateGradientState> state(backend, 1);
  const ConjugateGradientRequest r = {
      n,   g.data(),  b.data(),   x.data(),    residual.data(), direction.data(), product.data(),
      0.1, tolerance, iterations, state.data()};
  const auto multiply = [&](const DeviceArray<float>& by) {
    std::vector<float> result = by.download();
    for (long i = 0; i < n; i++) result[i] = result[i] * diagonal[i];
    product.upload(result);
  };
  backend.conjugate_gradient_begin(r);
  for (int k = 0; k < iterations; k++) {
    multiply(direction);
    backend.conjugate_gradient_step(r);
  }
  multiply(x);
  backend.conjugate_gradient_end(r);
  SolveResult result;
  for (const DeviceArray<float>* v : {&b, &x, &residual, &direction, &product}) {
    const std::vector<float> values = v->download();
    result.vectors.insert(result.vectors.end(), values.begin(), values.end());
  }
  state.download(&result.state, 1);
  return result;
}

void expect_same(const SolveResult& a, const SolveResult& b) {
  EXPECT_TRUE(same_bits(a.vectors, b.vectors));
  EXPECT_EQ(std::memcmp(&a.state, &b.state, sizeof(a.state)), 0);
}

TEST(Solver, EveryLengthAndEveryWayToStop) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  for (const long n : {1L, 5L, 1023L, 1024L, 1025L, 4610L}) {
    SCOPED_TRACE(n);
    Numbers numbers{std::uint32_t(n)};
    const std::vector<float> gradient = numbers.many(n, -1.0f, 1.0f);
    std::vector<float> diagonal = numbers.many(n, 0.5f, 3.0f);
    const auto run = [&](Backend& backend, double tolerance) {
      return run_solver(backend, n, 12, tolerance, diagonal, gradient);
    };
    const SolveResult limited = run(*cpu, 0.0), tolerant = run(*cpu, 1e-2);
    expect_same(limited, run(*subject, 0.0));
    expect_same(tolerant, run(*subject, 1e-2));
    EXPECT_LE(tolerant.state.residual, 1e-2 * tolerant.state.start);
    if (n > 100) {
      EXPECT_EQ(limited.state.iterations, 12);
      EXPECT_LT(tolerant.state.iterations, 12);
    }
    EXPECT_GT(limited.state.slope, 0.0);
    // At the solution g^T x = -x^T A x.
    EXPECT_NEAR(limited.state.curvature / limited.state.slope, 1.0, 1e-4);
    for (float& d : diagonal) d = -d;
    const SolveResult negative = run(*cpu, 0.0);
    expect_same(negative, run(*subject, 0.0));
    EXPECT_EQ(negative.state.iterations, 0);
    diagonal[0] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(run(*subject, 0.0).state.iterations, 0);
  }
}

TEST(Solver, EveryOrderOfThreads) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  Numbers numbers(4);
  const std::vector<float> gradient = numbers.many(1500, -1.0f, 1.0f);
  const std::vector<float> diagonal = numbers.many(1500, 0.5f, 3.0f);
  const SolveResult expected = run_solver(*cpu, 1500, 3, 0.0, diagonal, gradient);
  in_every_order(
      [&] { expect_same(expected, run_solver(*subject, 1500, 3, 0.0, diagonal, gradient)); });
}

// A search through given sums: surrogate and KL of each candidate.
struct SearchResult {
  std::vector<float> parameters, candidates;
  LineSearchState state;
};

SearchResult run_search(Backend& backend, long n, ConjugateGradientState solved,
                        const std::vector<std::pair<float, float>>& tries,
                        const std::vector<float>& chunk_kl = {}) {
  Numbers numbers(9);
  const std::vector<float> old_values = numbers.many(n, -1.0f, 1.0f);
  const auto old = uploaded(backend, old_values), parameters = uploaded(backend, old_values);
  const auto direction = uploaded(backend, numbers.many(n, -1.0f, 1.0f));
  std::vector<float> statistics(kPolicyStatistics, 0.0f);
  statistics[kStatSurrogate] = -10.0f;
  statistics[kStatEntropy] = 60.0f;
  const auto of_gradient = uploaded(backend, statistics);
  DeviceArray<float> of_chunks;
  if (!chunk_kl.empty()) of_chunks = uploaded(backend, chunk_kl);
  const auto solution = uploaded<ConjugateGradientState>(backend, {solved});
  DeviceArray<float> sums(backend, kDivergenceSums);
  DeviceArray<LineSearchState> state(backend, 1);
  const LineSearchRequest r = {n,
                               old.data(),
                               direction.data(),
                               parameters.data(),
                               of_gradient.data(),
                               sums.data(),
                               solution.data(),
                               100,
                               0.01,
                               0.8,
                               int(tries.size()),
                               state.data(),
                               of_chunks.data(),
                               int(chunk_kl.size())};
  SearchResult result;
  backend.line_search_begin(r);
  for (const auto& [surrogate, kl] : tries) {
    const std::vector<float> candidate = parameters.download();
    result.candidates.insert(result.candidates.end(), candidate.begin(), candidate.end());
    sums.upload({surrogate, kl, 55.0f});
    backend.line_search_step(r);
  }
  result.parameters = parameters.download();
  state.download(&result.state, 1);
  if (result.state.taken == 0.0) {
    EXPECT_TRUE(same_bits(old_values, result.parameters)) << backend.name();
  }
  return result;
}

TEST(LineSearch, TakesTheFirstThatPassesAndElseNothing) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const ConjugateGradientState solved = {1.0, 0.0, 0.5, 0.7, 10, 0};
  ConjugateGradientState flat = solved, endless = solved;
  flat.curvature = 0.0;
  endless.start = double(kInf);
  struct Case {
    ConjugateGradientState solved;
    std::vector<std::pair<float, float>> tries;
    int taken;  // number of the candidate that stands, -1 for none
  };
  // Means over 100 samples: surrogate below -0.1, KL at most 0.01.
  const std::vector<Case> cases = {
      {solved, {{-11, 0.5f}, {-12, 0.4f}}, 0},
      {solved, {{-9, 0.5f}, {-11, 1.5f}, {-11, 0.5f}, {-12, 0.1f}}, 2},
      {solved, {{-10, 0.5f}, {-11, 2.0f}}, -1},
      {solved, {{-11, kNan}, {kNan, 0.5f}, {-kInf, 0.5f}, {-11, -kInf}}, -1},
      {solved, {{-11, kNan}, {-11, 0.5f}}, 1},
      {flat, {{-11, 0.5f}}, -1},
      {endless, {{-11, 0.5f}}, -1},
      {solved, {}, -1},
  };
  for (std::size_t k = 0; k < cases.size(); k++) {
    SCOPED_TRACE(k);
    const Case& c = cases[k];
    const SearchResult expected = run_search(*cpu, 1300, c.solved, c.tries);
    in_every_order([&] {
      const SearchResult actual = run_search(*subject, 1300, c.solved, c.tries);
      EXPECT_TRUE(same_bits(expected.parameters, actual.parameters));
      EXPECT_TRUE(same_bits(expected.candidates, actual.candidates));
      EXPECT_EQ(std::memcmp(&expected.state, &actual.state, sizeof(actual.state)), 0);
    });
    const double full = std::sqrt(2 * 0.01 / 0.5);
    const double taken = c.taken < 0 ? 0.0 : full * std::pow(0.8, c.taken);
    EXPECT_NEAR(expected.state.taken, taken, 1e-12);
    EXPECT_EQ(expected.state.searching, 0);
    EXPECT_EQ(expected.state.before, -0.1);
    EXPECT_EQ(expected.state.entropy, c.taken < 0 ? 0.6 : 0.55);
  }
}

// Mean KL 0.005 and one chunk with a state beyond delta: refused; none beyond: taken, and told.
TEST(LineSearch, TheGreatestOfAllChunksBoundsTheStepWhereItIsGiven) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  const ConjugateGradientState solved = {1.0, 0.0, 0.5, 0.7, 10, 0};
  std::vector<float> chunks(700, 0.004f);
  for (const float greatest : {0.0099f, 0.0101f}) {
    chunks[613] = greatest;
    const SearchResult expected = run_search(*cpu, 1300, solved, {{-11, 0.5f}}, chunks);
    EXPECT_EQ(expected.state.taken > 0, greatest < 0.01f);
    EXPECT_EQ(expected.state.greatest_kl, greatest < 0.01f ? double(greatest) : 0.0);
    in_every_order([&] {
      const SearchResult actual = run_search(*subject, 1300, solved, {{-11, 0.5f}}, chunks);
      EXPECT_TRUE(same_bits(expected.parameters, actual.parameters));
      EXPECT_EQ(std::memcmp(&expected.state, &actual.state, sizeof(actual.state)), 0);
    });
  }
}

}  // namespace
}  // namespace gallop::testing
