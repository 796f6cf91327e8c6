// kernels/policy/heads.h: probabilities, log-probabilities, entropies, sampling and ties. Exact
// answers in double, the same code in float against them, frequencies of the shipped `act`.
#include <gallop/kernels/policy/heads.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include <gallop/kernels/policy/act.h>
#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

// Probabilities in long double.
std::vector<long double> probabilities(const std::vector<double>& logit) {
  const double greatest = *std::max_element(logit.begin(), logit.end());
  std::vector<long double> p;
  long double total = 0;
  for (const double l : logit) {
    p.push_back(std::exp((long double)l - greatest));
    total += p.back();
  }
  for (long double& x : p) x /= total;
  return p;
}

template <class F>
void expect_categorical(const std::vector<double>& logit, double tolerance) {
  const int n = int(logit.size());
  F of_f[kMaxOutputs] = {};
  std::vector<double> rounded;
  for (int i = 0; i < n; i++) {
    of_f[i] = F(logit[i]);
    rounded.push_back(double(of_f[i]));
  }
  const std::vector<long double> p = probabilities(rounded);
  Softmax<F> s;
  softmax(of_f, n, s);
  long double entropy = 0, total = 0;
  for (int i = 0; i < n; i++) {
    const long double log_p = std::log(p[i]);
    const double log_prob = double(categorical_log_prob(of_f, n, s, Int<F>(i)));
    EXPECT_NEAR(log_prob, double(log_p), tolerance * std::max(1.0, double(std::abs(log_p))));
    EXPECT_LE(log_prob, 0.0);
    EXPECT_NEAR(double(s.weight[i] * reciprocal(s.total)), double(p[i]), tolerance);
    total += std::exp((long double)log_prob);
    if (p[i] > 0) entropy -= p[i] * log_p;
  }
  EXPECT_NEAR(double(total), 1.0, 4 * n * tolerance);
  EXPECT_NEAR(double(categorical_entropy(of_f, n, s)), double(entropy), 10 * tolerance);
}

TEST(Categorical, ProbabilitiesAndEntropyAreExact) {
  Random random(61);
  for (int trial = 0; trial < 2000; trial++) {
    std::vector<double> logit(1 + random.below(trial % 10 == 0 ? kMaxOutputs : 6));
    const double scale = std::exp(random.uniform(-3, 3)), shift = random.uniform(-100, 100);
    for (double& l : logit) l = scale * random.normal() + shift;
    expect_categorical<double>(logit, 1e-13);
    expect_categorical<float>(logit, 1e-6);
  }
  expect_categorical<float>({1e30, -1e30}, 1e-6);  // an impossible action stays a number
  expect_categorical<float>({-1e4, -1e4, -1e4}, 1e-6);
}

// One uniform an action: u below the cumulative probability takes the action, u at it the next.
TEST(Categorical, SamplingInvertsTheCumulativeDistribution) {
  const std::array<double, 3> logit = {std::log(0.25), std::log(0.5), std::log(0.25)};
  Softmax<double> s;
  softmax(logit.data(), 3, s);
  const double edge = 1e-9;
  const std::pair<double, int> cases[] = {{0, 0},           {0.25 - edge, 0}, {0.25 + edge, 1},
                                          {0.75 - edge, 1}, {0.75 + edge, 2}, {1 - 0x1p-24, 2}};
  for (const auto& [u, action] : cases) EXPECT_EQ(categorical_sample(3, s, u), action) << u;
  // A category of probability 0 is never drawn, wherever it stands.
  for (int zero = 0; zero < 3; zero++) {
    float of[3] = {0, 0, 0};
    of[zero] = -200;
    Softmax<float> t;
    softmax(of, 3, t);
    for (int k = 0; k < 1 << 12; k++) {
      ASSERT_NE(categorical_sample(3, t, float(k) * 0x1p-12f), zero) << k;
    }
  }
}

TEST(Categorical, TheModeIsTheFirstOfEquals) {
  const float logit[4][3] = {{1, 1, 1}, {0, 2, 2}, {-1, -2, -1}, {0, 0, 1e-30f}};
  const int mode[] = {0, 1, 0, 2};
  for (int k = 0; k < 4; k++) EXPECT_EQ(categorical_mode(logit[k], 3), mode[k]) << k;
}

TEST(Gaussian, LogProbabilityEntropyAndDivergence) {
  // log N(0.5; 0.2, 0.7^2) = -(3/7)^2 / 2 - log 0.7 - log(2 pi) / 2
  const double mean[] = {0.2}, log_std[] = {std::log(0.7)}, action[] = {0.5};
  const double exact = -0.5 * (0.3 / 0.7) * (0.3 / 0.7) - std::log(0.7) - 0.5 * std::log(2 * M_PI);
  EXPECT_NEAR(gaussian_log_prob(mean, log_std, action, 1), exact, 1e-12);
  EXPECT_NEAR(gaussian_entropy(log_std, 1), 0.5 * std::log(2 * M_PI * M_E * 0.49), 1e-12);
  // KL(N(0, 1) || N(0.3, 1.2^2)) and its reverse, as expectations of log-ratios by quadrature.
  const auto divergence = [](double m0, double s0, double m1, double s1) {
    const double l0 = std::log(s0), l1 = std::log(s1), h = 1e-3;
    double sum = 0;
    for (double x = m0 - 12 * s0; x < m0 + 12 * s0; x += h) {
      const double p = gaussian_log_prob(&m0, &l0, &x, 1), q = gaussian_log_prob(&m1, &l1, &x, 1);
      sum += h * std::exp(p) * (p - q);
    }
    return sum;
  };
  EXPECT_NEAR(divergence(0, 1, 0.3, 1.2), 0.060793779, 1e-9);
  EXPECT_NEAR(divergence(0.3, 1.2, 0, 1), 0.082678443, 1e-9);
}

TEST(Gaussian, TheDeviationIsClampedInEveryUse) {
  for (const float outside : {-7.0f, 3.0f}) {
    const float clamped = outside < 0 ? kMinLogStd : kMaxLogStd;
    const float mean = 0.25f, action = 0.3f;
    EXPECT_EQ(gaussian_log_prob(&mean, &outside, &action, 1),
              gaussian_log_prob(&mean, &clamped, &action, 1));
    EXPECT_EQ(gaussian_entropy(&outside, 1), gaussian_entropy(&clamped, 1));
    float a = 0, b = 0;
    Rng<float> one(5, kRandomAction, 1, 2, 3), two(5, kRandomAction, 1, 2, 3);
    choose_action(Head::kGaussian, 1, &mean, &outside, false, one, &a);
    choose_action(Head::kGaussian, 1, &mean, &clamped, false, two, &b);
    EXPECT_EQ(a, b);
    EXPECT_NE(a, mean);
  }
}

// What every head says of itself, in double against differences of its own log-probability,
// entropy, divergence and actions.
constexpr int kActions = 3;

// Outputs and log sigma of a head at once: what derivatives are taken by.
struct HeadInputs {
  std::vector<double> output, log_std;

  double& operator[](std::size_t k) {
    return k < output.size() ? output[k] : log_std[k - output.size()];
  }
};

template <class Type>
struct HeadCase {
  using At = typename Type::template At<double>;
  HeadInputs x;
  std::vector<double> action;

  explicit HeadCase(std::uint64_t seed) {
    Random random(seed);
    for (int k = 0; k < kActions * Type::kOutputs; k++) x.output.push_back(0.7 * random.normal());
    for (int k = 0; k < kActions * Type::kParameters; k++) x.log_std.push_back(random.normal());
    for (int k = 0; k < kActions; k++) action.push_back(random.normal());
    if (Type::kDiscrete) action = {double(random.below(kActions))};
  }
  // All that derivatives are taken by.
  std::size_t size() const { return x.output.size() + x.log_std.size(); }
  // log sigma [A], which a network that gives it has among its outputs.
  static std::vector<double> log_stds(const HeadInputs& at) {
    if (Type::kOutputs == 2) return {at.output.begin() + kActions, at.output.end()};
    return at.log_std.empty() ? std::vector<double>(kActions, 0.0) : at.log_std;
  }
  template <class Body>
  static double with(const HeadInputs& at, const Body& body) {
    const std::vector<double> log_std = log_stds(at);
    return body(At(kActions, at.output.data(), log_std.data()));
  }
  // d body / d x_k by central differences.
  template <class Body>
  double slope(std::size_t k, const Body& body) const {
    const double h = 1e-5;
    HeadInputs up = x, down = x;
    up[k] += h;
    down[k] -= h;
    return (body(up) - body(down)) / (2 * h);
  }
};

template <class Type>
class HeadType : public ::testing::Test {};
using HeadTypes = ::testing::Types<Categorical, Gaussian, GaussianNetwork>;
TYPED_TEST_SUITE(HeadType, HeadTypes);

TYPED_TEST(HeadType, TheSlopeOfTheLossIsThatOfItsParts) {
  using Case = HeadCase<TypeParam>;
  for (std::uint64_t seed = 1; seed <= 40; seed++) {
    Case c(seed);
    const double slope = 0.7, bonus = 0.3;
    HeadInputs d = c.x;
    const double entropy = Case::with(c.x, [&](const auto& at) {
      return at.loss_slope(c.action.data(), slope, bonus, d.output.data(), d.log_std.data());
    });
    EXPECT_EQ(entropy, Case::with(c.x, [](const auto& at) { return at.entropy(); }));
    for (std::size_t k = 0; k < c.size(); k++) {
      const double expected = c.slope(k, [&](const HeadInputs& at) {
        return Case::with(at, [&](const auto& here) {
          return slope * here.log_prob(c.action.data()) - bonus * here.entropy();
        });
      });
      EXPECT_NEAR(d[k], expected, 1e-6 * (1 + std::abs(expected))) << seed << " " << k;
    }
  }
}

// KL(x || x + d) = d^T M d / 2 to second order, and 0 at d = 0.
TYPED_TEST(HeadType, TheMetricIsTheCurvatureOfTheDivergence) {
  using Case = HeadCase<TypeParam>;
  for (std::uint64_t seed = 1; seed <= 40; seed++) {
    Case c(seed);
    Random random(seed + 100);
    HeadInputs t = c.x, u = c.x;
    for (std::size_t k = 0; k < c.size(); k++) t[k] = random.normal();
    Case::with(c.x, [&](const auto& at) {
      at.metric(t.output.data(), u.output.data());
      return 0.0;
    });
    double curvature = 0;
    for (std::size_t k = 0; k < t.output.size(); k++) curvature += t.output[k] * u.output[k];
    if constexpr (TypeParam::kParameters > 0) {
      for (int i = 0; i < kActions; i++) {
        curvature += t.log_std[i] * t.log_std[i] * TypeParam::parameter_metric(c.x.log_std[i]);
      }
    }
    const auto divergence = [&](double h) {
      HeadInputs moved = c.x;
      for (std::size_t k = 0; k < c.size(); k++) moved[k] += h * t[k];
      return Case::with(c.x, [&](const auto& at) {
        return Case::with(moved, [&](const auto& now) { return at.divergence_to(now); });
      });
    };
    const double h = 1e-3;
    EXPECT_NEAR(divergence(0), 0, 1e-15);
    EXPECT_NEAR((divergence(h) + divergence(-h)) / (h * h), curvature, 1e-4 * (1 + curvature));
  }
}

// The action at the same random numbers, as its mean and log sigma move.
TEST(HeadPullBack, IsTheDerivativeOfTheReparameterisedAction) {
  const auto check = [](auto head) {
    using Type = decltype(head);
    using Case = HeadCase<Type>;
    for (std::uint64_t seed = 1; seed <= 40; seed++) {
      Case c(seed);
      const auto act = [&](const HeadInputs& at, double* action) {
        Rng<double> rng(seed, kRandomAction, 1, 2, 3);
        const std::vector<double> log_std = Case::log_stds(at);
        Type::choose(kActions, at.output.data(), log_std.data(), false, rng, action);
      };
      std::array<double, kActions> action, d_action = {0.3, -1.1, 0.6};
      act(c.x, action.data());
      HeadInputs d = c.x;
      Case::with(c.x, [&](const auto& at) {
        at.pull_back(action.data(), d_action.data(), d.output.data(), d.log_std.data());
        return 0.0;
      });
      for (std::size_t k = 0; k < c.size(); k++) {
        const double expected = c.slope(k, [&](const HeadInputs& at) {
          std::array<double, kActions> moved;
          act(at, moved.data());
          double sum = 0;
          for (int i = 0; i < kActions; i++) sum += d_action[i] * moved[i];
          return sum;
        });
        EXPECT_NEAR(d[k], expected, 1e-6 * (1 + std::abs(expected))) << seed << " " << k;
      }
    }
  };
  check(Gaussian{});
  check(GaussianNetwork{});
  check(Deterministic{});
}

TEST(Heads, SizesFollowFromTheHead) {
  EXPECT_EQ(head_outputs(Head::kCategorical, 3), 3);
  EXPECT_EQ(head_outputs(Head::kGaussianNetwork, 3), 6);
  EXPECT_EQ(head_parameters(Head::kGaussian, 3), 3);
  EXPECT_EQ(head_parameters(Head::kGaussianNetwork, 3), 0);
  EXPECT_TRUE(is_discrete(Head::kCategorical));
  EXPECT_FALSE(is_discrete(Head::kDeterministic));
  const double a[] = {0.5}, b[] = {0.25};
  using At = Deterministic::At<double>;
  EXPECT_EQ(At(1, a, nullptr).divergence_to(At(1, a, nullptr)), 0);
  EXPECT_EQ(At(1, a, nullptr).divergence_to(At(1, b, nullptr)), HUGE_VAL);
}

// The shipped `act` with a network of biases alone, so that every instance has the same outputs.
struct Acted {
  std::vector<float> action, log_prob;
};
Acted act_with_biases(const KernelSet& set, Head head, int n_actions, std::vector<float> outputs,
                      int n, bool deterministic) {
  PolicyShape shape = {};
  shape.network = {NetworkKind::kMlp, Activation::kTanh, 1, {1, int(outputs.size())}};
  if (head == Head::kGaussian) shape.network.width[1] = n_actions;
  shape.head = head;
  shape.n_actions = n_actions;
  std::vector<float> parameters(shape.network.width[1], 0.0f);  // weights, then what is given
  parameters.insert(parameters.end(), outputs.begin(), outputs.end());
  const int rows = head == Head::kCategorical ? 1 : n_actions;
  const long padded_n = (n + 15) / 16 * 16;
  Floats action(long(rows) * n), log_prob(n), scratch(2 * 64 * 32), observation(n);
  for (int i = 0; i < n; i++) observation[i] = 1;
  std::vector<std::uint32_t> episode(padded_n, 7);
  std::vector<std::int32_t> elapsed(padded_n, 3);
  set.kernels->act({{shape, parameters.data(), {nullptr, nullptr, 0}},
                    n,
                    observation.data(),
                    n,
                    action.data(),
                    n,
                    log_prob.data(),
                    deterministic ? 1 : 0,
                    99,
                    {1000, nullptr},
                    episode.data(),
                    elapsed.data(),
                    scratch.data()});
  return {action.values(), log_prob.values()};
}

TEST(Act, FrequenciesOfCategoriesAreTheProbabilities) {
  const int n = 1 << 18;
  const std::vector<float> logit = {0.5f, -1.0f, 1.25f, 0.0f};
  const std::vector<long double> p = probabilities({0.5, -1, 1.25, 0});
  for (const KernelSet& set : kernel_sets()) {
    const Acted acted = act_with_biases(set, Head::kCategorical, 4, logit, n, false);
    std::array<int, 4> count = {};
    for (int i = 0; i < n; i++) {
      const int a = int(acted.action[i]);
      ASSERT_TRUE(a >= 0 && a < 4 && acted.action[i] == float(a)) << set.isa;
      count[a]++;
      ASSERT_NEAR(acted.log_prob[i], double(std::log(p[a])), 1e-6) << set.isa;
    }
    double chi_squared = 0;
    for (int a = 0; a < 4; a++) {
      const double expected = double(p[a]) * n;
      chi_squared += (count[a] - expected) * (count[a] - expected) / expected;
    }
    EXPECT_LT(chi_squared, 16.27) << set.isa << ": 0.1 % of three degrees of freedom";
    const Acted mode = act_with_biases(set, Head::kCategorical, 4, logit, 100, true);
    for (int i = 0; i < 100; i++) ASSERT_EQ(mode.action[i], 2.0f) << set.isa;
  }
}

TEST(Act, GaussianSamplesHaveTheMeanTheDeviationAndTheirLogProbability) {
  const int n = 1 << 18;
  const float mean[] = {0.5f, -2.0f, 0.0f}, log_std[] = {-1.0f, 0.5f, 3.0f};
  const double sigma[] = {std::exp(-1.0), std::exp(0.5), std::exp(2.0)};
  for (const Head head : {Head::kGaussian, Head::kGaussianNetwork}) {
    // For kGaussian the log deviations are the parameters behind the network's.
    const std::vector<float> outputs = {mean[0],    mean[1],    mean[2],
                                        log_std[0], log_std[1], log_std[2]};
    for (const KernelSet& set : kernel_sets()) {
      const Acted acted = act_with_biases(set, head, 3, outputs, n, false);
      for (int k = 0; k < 3; k++) {
        double sum = 0, squares = 0, cross = 0;
        for (int i = 0; i < n; i++) {
          const double z = (acted.action[long(k) * n + i] - mean[k]) / sigma[k];
          const double w =
              (acted.action[long((k + 1) % 3) * n + i] - mean[(k + 1) % 3]) / sigma[(k + 1) % 3];
          sum += z;
          squares += z * z;
          cross += z * w;
        }
        EXPECT_NEAR(sum / n, 0, 4 / std::sqrt(n)) << set.isa << " component " << k;
        EXPECT_NEAR(squares / n, 1, 4 * std::sqrt(2.0 / n)) << set.isa << " component " << k;
        EXPECT_NEAR(cross / n, 0, 4 / std::sqrt(n)) << set.isa << " components are independent";
      }
      for (int i = 0; i < n; i++) {
        double exact = 0;
        for (int k = 0; k < 3; k++) {
          const double z = (acted.action[long(k) * n + i] - mean[k]) / sigma[k];
          exact += -0.5 * z * z - std::log(sigma[k]) - 0.5 * std::log(2 * M_PI);
        }
        ASSERT_NEAR(acted.log_prob[i], exact, 2e-6 * std::max(1.0, std::abs(exact))) << set.isa;
      }
      const Acted mode = act_with_biases(set, head, 3, outputs, 40, true);
      for (int i = 0; i < 40; i++) ASSERT_EQ(mode.action[40 + i], -2.0f) << set.isa;
    }
  }
}

TEST(Act, EveryInstructionSetGivesTheSameBits) {
  for (const int n : {1, 15, 16, 17, 31, 33, 100}) {
    for (const Head head :
         {Head::kCategorical, Head::kGaussian, Head::kGaussianNetwork, Head::kDeterministic}) {
      const int outputs = head == Head::kGaussianNetwork || head == Head::kGaussian ? 4 : 2;
      const std::vector<float> given = {0.3f, -0.4f, 0.1f, -1.5f};
      const std::vector<float> used(given.begin(), given.begin() + outputs);
      const Acted first = act_with_biases(kernel_sets()[0], head, 2, used, n, false);
      for (const float x : first.action) ASSERT_TRUE(std::isfinite(x)) << "n " << n;
      for (const KernelSet& set : kernel_sets()) {
        const Acted other = act_with_biases(set, head, 2, used, n, false);
        EXPECT_TRUE(same_bits(other.action, first.action)) << set.isa << " n " << n;
        EXPECT_TRUE(same_bits(other.log_prob, first.log_prob)) << set.isa << " n " << n;
      }
    }
  }
}

}  // namespace
}  // namespace gallop::testing
