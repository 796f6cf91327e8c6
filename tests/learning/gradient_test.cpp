// The learner's gradients against central differences of the reference in double, for every head,
// activation, shape and count of samples that takes another path; and their bits.
#include <gtest/gtest.h>

#include <functional>

#include "tests/learning/gradient_case.h"

namespace gallop::testing {
namespace {

const std::vector<std::vector<int>> kHidden = {{},    {1},      {3},      {16},       {33},   {64},
                                               {128}, {16, 33}, {64, 64}, {3, 1, 33}, {33, 3}};
const PolicyLoss kLosses[] = {PolicyLoss::kLikelihoodRatio, PolicyLoss::kClippedSurrogate,
                              PolicyLoss::kSurrogate, PolicyLoss::kPenalizedSurrogate};
const int kCounts[] = {1, 5, 127, 128, 129, 300};

// One configuration of each combination, the rest rotating through it.
std::vector<GradientConfig> policy_configs() {
  std::vector<GradientConfig> configs;
  int k = 0;
  for (const Head head : {Head::kCategorical, Head::kGaussian, Head::kGaussianNetwork}) {
    for (const std::vector<int>& hidden : kHidden) {
      for (const Activation activation : {Activation::kTanh, Activation::kRelu}) {
        for (const PolicyLoss loss : kLosses) {
          GradientConfig c;
          c.head = head;
          c.hidden = hidden;
          c.activation = activation;
          c.loss = loss;
          c.count = kCounts[(k * 5 + k / 6) % 6];
          c.inputs = 1 + k * 7 % 19;
          c.n_actions = head == Head::kCategorical ? 2 + k % 5 : 1 + (k + k / 4) % 4;
          c.normalized = k % 3 == 0;
          c.ordered = (k + k / 4) % 2 == 0;
          c.entropy = 0.05f * float((k + k / 4) % 4);
          configs.push_back(c);
          k++;
        }
      }
    }
  }
  for (const int count : kCounts) {
    for (const PolicyLoss loss : kLosses) {
      GradientConfig c;
      c.tabular = true;
      c.inputs = 3 + count % 7;
      c.n_actions = 2 + count % 3;
      c.count = count;
      c.loss = loss;
      c.entropy = 0.02f;
      c.ordered = count % 2 == 0;
      configs.push_back(c);
    }
  }
  return configs;
}

std::string describe(const GradientConfig& c) {
  std::string text = c.tabular ? "table" : "layers";
  for (const int width : c.hidden) text += " " + std::to_string(width);
  return text + ", head " + std::to_string(int(c.head)) + ", loss " + std::to_string(int(c.loss)) +
         ", activation " + std::to_string(int(c.activation)) + ", inputs " +
         std::to_string(c.inputs) + ", actions " + std::to_string(c.n_actions) + ", samples " +
         std::to_string(c.count) + (c.normalized ? ", normalised" : "") +
         (c.ordered ? ", ordered" : "");
}

// Compares gradient [D] with central differences: forty coordinates, the last ones among them, and
// four directions that mix all. Returns the greatest error found, relative to the norm.
double compare(const std::vector<float>& gradient, const Vector& theta,
               const std::function<double(const Vector&)>& objective, Random& random,
               const std::string& label) {
  const double h = 1e-6;  // short: a step across the kink of a ReLU has no derivative
  const long n = long(theta.size());
  const auto slope = [&](const Vector& direction) {
    Vector up = theta, down = theta;
    for (long i = 0; i < n; i++) {
      up[i] += h * direction[i];
      down[i] -= h * direction[i];
    }
    return (objective(up) - objective(down)) / (2 * h);
  };
  double norm = 0, worst = 0;
  for (long i = 0; i < n; i++) norm += double(gradient[i]) * double(gradient[i]);
  norm = std::max(std::sqrt(norm), 1e-4);
  for (int k = 0; k < 40; k++) {
    const long i = k < 8 ? std::max(0L, n - 1 - k) : random.below(int(n));
    Vector direction(n, 0.0);
    direction[i] = 1;
    const double exact = slope(direction), error = std::abs(exact - double(gradient[i]));
    EXPECT_LE(error, 1e-4 * std::abs(exact) + 2e-7 * norm)
        << label << ", parameter " << i << " of " << n << ": " << gradient[i] << " instead of "
        << exact;
    worst = std::max(worst, error / norm);
  }
  for (int k = 0; k < 4; k++) {
    Vector direction(n);
    double length = 0, along = 0;
    for (double& d : direction) {
      d = random.normal();
      length += d * d;
    }
    if (k == 0) {  // along the gradient itself
      for (long i = 0; i < n; i++) direction[i] = gradient[i];
      length = norm * norm;
    }
    for (long i = 0; i < n; i++) {
      direction[i] /= std::sqrt(length);
      along += direction[i] * double(gradient[i]);
    }
    const double exact = slope(direction);
    EXPECT_NEAR(along, exact, 1e-4 * std::abs(exact) + 2e-6 * norm) << label << ", direction " << k;
    worst = std::max(worst, std::abs(along - exact) / norm);
  }
  return worst;
}

TEST(PolicyGradient, EqualsFiniteDifferences) {
  double worst = 0;
  int seed = 0, n_configs = 0;
  for (const GradientConfig& c : policy_configs()) {
    const GradientCase example(c, 100 + seed++);
    Random random(seed);
    const std::vector<float> gradient = example.policy_gradient(kernel_sets().back());
    worst = std::max(worst, compare(
                                gradient, example.parameters_in_double(),
                                [&](const Vector& p) { return example.policy_objective(p); },
                                random, describe(c)));
    double statistics[kPolicyStatistics] = {};
    example.policy_objective(example.parameters_in_double(), statistics);
    for (int k = 0; k < kPolicyStatistics; k++) {
      EXPECT_NEAR(gradient[example.n_parameters() + k], statistics[k],
                  2e-6 * c.count * std::max(1.0, std::abs(statistics[k]) / c.count))
          << describe(c) << ", statistic " << k;
    }
    n_configs++;
  }
  EXPECT_GT(n_configs, 280);
  std::printf("%d configurations, greatest error %.2g of the norm\n", n_configs, worst);
}

TEST(ValueGradient, EqualsFiniteDifferences) {
  double worst = 0;
  int k = 0;
  for (const bool tabular : {false, true}) {
    for (const std::vector<int>& hidden : kHidden) {
      for (const Activation activation : {Activation::kTanh, Activation::kRelu}) {
        GradientConfig c;
        c.tabular = tabular;
        if (!tabular) c.hidden = hidden;
        c.activation = activation;
        c.inputs = 1 + k * 5 % 17;
        c.count = kCounts[k % 6];
        c.normalized = !tabular && k % 2 == 0;
        c.ordered = k % 3 == 0;
        const GradientCase example(c, 500 + k, true);
        Random random(k++);
        const std::vector<float> gradient = example.value_gradient(kernel_sets().back());
        worst = std::max(worst, compare(
                                    gradient, example.parameters_in_double(),
                                    [&](const Vector& p) { return example.value_objective(p); },
                                    random, describe(c)));
        double squares = 0;
        example.value_objective(example.parameters_in_double(), &squares);
        EXPECT_NEAR(gradient[example.n_parameters()], squares, 2e-6 * std::max(1.0, squares));
      }
    }
  }
  std::printf("%d configurations, greatest error %.2g of the norm\n", k, worst);
}

// With values of before: samples within the range, and on either side of it, with targets on either
// side.
TEST(ValueGradient, ClippedEqualsFiniteDifferences) {
  double worst = 0;
  for (int k = 0; k < 24; k++) {
    GradientConfig c;
    c.hidden = kHidden[k % kHidden.size()];
    c.activation = Activation::kTanh;
    c.count = kCounts[k % 6];
    c.ordered = k % 3 == 0;
    GradientCase example(c, 700 + k, true);
    Random random(k);
    example.before = example.target;
    for (float& value : example.before) value += float(random.uniform(-0.6, 0.6));
    const std::vector<float> gradient = example.value_gradient(kernel_sets().back());
    worst = std::max(worst, compare(
                                gradient, example.parameters_in_double(),
                                [&](const Vector& p) { return example.value_objective(p); }, random,
                                describe(c)));
    double squares = 0;
    example.value_objective(example.parameters_in_double(), &squares);
    EXPECT_NEAR(gradient[example.n_parameters()], squares, 2e-6 * std::max(1.0, squares));
    for (const KernelSet& set : kernel_sets()) {
      EXPECT_TRUE(same_bits(example.value_gradient(set, 64), gradient)) << set.isa;
    }
    if (c.count < 127) continue;
    example.clip = 1e9f;
    const std::vector<float> wide = example.value_gradient(kernel_sets().back());
    EXPECT_FALSE(same_bits(wide, gradient)) << "nothing was clipped";
    example.before.clear();
    EXPECT_TRUE(same_bits(wide, example.value_gradient(kernel_sets().back())));
  }
  std::printf("greatest error %.2g of the norm\n", worst);
}

// PPO's loss is flat where the ratio has left the range in the advantage's direction, and not where
// it has left it against it.
TEST(PolicyGradient, TheClippedSurrogateIsFlatOnOneSideOnly) {
  for (const Head head : {Head::kCategorical, Head::kGaussian}) {
    for (const double log_ratio : {0.5, -0.5, 0.05}) {
      for (const float advantage : {1.5f, -1.5f}) {
        GradientConfig c;
        c.head = head;
        c.count = 1;
        GradientCase example(c, 7);
        example.act_anew(kernel_sets()[0]);
        example.log_prob[0] -= float(log_ratio);
        example.advantage[0] = advantage;
        const bool flat = (log_ratio > 0.2 && advantage > 0) || (log_ratio < -0.2 && advantage < 0);
        for (const KernelSet& set : kernel_sets()) {
          const std::vector<float> gradient = example.policy_gradient(set);
          double norm = 0;
          for (long i = 0; i < example.n_parameters(); i++) norm += std::abs(gradient[i]);
          EXPECT_EQ(norm == 0, flat) << set.isa << " log ratio " << log_ratio << " A " << advantage;
          EXPECT_EQ(gradient[example.n_parameters() + kStatClipped],
                    std::abs(log_ratio) > 0.2 ? 1.0f : 0.0f);
        }
      }
    }
  }
}

// Without advantages the penalty alone is left: beta times the divergence's gradient, none at the
// policy that acted.
TEST(PolicyGradient, ThePenaltyIsBetaTimesTheDivergence) {
  for (const Head head : {Head::kCategorical, Head::kGaussian, Head::kGaussianNetwork}) {
    GradientConfig c;
    c.head = head;
    c.hidden = {6};
    c.loss = PolicyLoss::kPenalizedSurrogate;
    GradientCase example(c, 9);
    example.advantage.assign(example.advantage.size(), 0.0f);
    for (const KernelSet& set : kernel_sets()) {
      example.kl_penalty = 0.25f;
      const std::vector<float> once = example.policy_gradient(set);
      example.kl_penalty = 2.0f;
      const std::vector<float> eightfold = example.policy_gradient(set);
      double norm = 0;
      for (long i = 0; i < example.n_parameters(); i++) {
        norm = std::max(norm, std::abs(double(once[i])));
        EXPECT_NEAR(eightfold[i], 8 * once[i], 1e-5 * std::abs(eightfold[i]) + 1e-7) << i;
      }
      EXPECT_GT(norm, 1e-3) << set.isa;
      GradientCase fresh = example;
      fresh.act_anew(set);
      const std::vector<float> at_old = fresh.policy_gradient(set);
      for (long i = 0; i < fresh.n_parameters(); i++) EXPECT_EQ(at_old[i], 0.0f) << set.isa << i;
    }
  }
}

// L(theta) = mean of rho A: at the policy that acted its differences are the policy gradient.
TEST(PolicyGradient, TheSurrogateHasThePolicyGradientWhereItActed) {
  for (const Head head : {Head::kCategorical, Head::kGaussian, Head::kGaussianNetwork}) {
    GradientConfig c;
    c.head = head;
    c.hidden = {5};
    c.loss = PolicyLoss::kLikelihoodRatio;
    GradientCase example(c, 10);
    example.act_anew(kernel_sets()[0]);
    const std::vector<float> g = example.policy_gradient(kernel_sets()[0]);
    // The reference's own log-probabilities, so that its ratio is exactly 1.
    std::vector<double> old;
    const Vector theta = example.parameters_in_double();
    const long offset = layer_offset(example.shape.network, example.shape.network.n_layers);
    const auto log_prob = [&](const Vector& at, int s) {
      const Vector output = reference_forward(example.shape.network, at, example.input(s));
      return reference_distribution(example.shape, output, at.data() + offset, example.action_of(s))
          .log_prob;
    };
    for (int s = 0; s < c.count; s++) old.push_back(log_prob(theta, s));
    const auto surrogate = [&](const Vector& at) {
      double sum = 0;
      for (int s = 0; s < c.count; s++) {
        sum -= std::exp(log_prob(at, s) - old[s]) * double(example.advantage[s]) / c.count;
      }
      return sum;
    };
    double error = 0, norm = 0;
    for (long i = 0; i < example.n_parameters(); i++) {
      const double h = 1e-5;
      Vector up = theta, down = theta;
      up[i] += h;
      down[i] -= h;
      const double slope = (surrogate(up) - surrogate(down)) / (2 * h);
      error += std::pow(slope - double(g[i]), 2);
      norm += slope * slope;
    }
    EXPECT_LT(std::sqrt(error / norm), 1e-6) << int(head);
  }
}

TEST(PolicyGradient, ADeviationBeyondItsRangeHasNoGradient) {
  for (const Head head : {Head::kGaussian, Head::kGaussianNetwork}) {
    for (const float beyond : {-5.5f, 2.5f}) {
      GradientConfig c;
      c.head = head;
      c.count = 40;
      c.n_actions = 2;
      c.entropy = 0.1f;
      c.loss = PolicyLoss::kLikelihoodRatio;
      GradientCase example(c, 8);
      const long n = example.n_parameters();  // the last is log sigma, or its output's bias
      example.parameters[n - 1] = beyond;
      if (head == Head::kGaussianNetwork) {  // weights of that output
        for (long i = 0; i < c.inputs; i++) example.parameters[i * 4 + 3] = 0;
      }
      for (const KernelSet& set : kernel_sets()) {
        const std::vector<float> gradient = example.policy_gradient(set);
        EXPECT_EQ(gradient[n - 1], 0.0f) << set.isa;
        EXPECT_NE(gradient[n - 2], 0.0f) << set.isa;
      }
    }
  }
}

TEST(Gradients, EveryInstructionSetAndSplitGivesTheSameBits) {
  int seed = 0;
  for (GradientConfig c : policy_configs()) {
    c.count = kCounts[seed % 6] + 128 * (seed % 4);
    const GradientCase policy(c, 900 + seed), value(c, 900 + seed, true);
    const std::vector<float> first = policy.policy_gradient(kernel_sets()[0]);
    const std::vector<float> first_value = value.value_gradient(kernel_sets()[0]);
    for (const float g : first) ASSERT_TRUE(std::isfinite(g)) << describe(c);
    for (const KernelSet& set : kernel_sets()) {
      for (const int grain : {1, 2, 1 << 20}) {
        EXPECT_TRUE(same_bits(policy.policy_gradient(set, grain), first))
            << set.isa << " grain " << grain << ": " << describe(c);
        EXPECT_TRUE(same_bits(value.value_gradient(set, grain), first_value))
            << set.isa << " grain " << grain << ": " << describe(c);
      }
    }
    seed++;
  }
}

// What acted and what learns compute one forward pass to the last bit: the ratio of new to old
// probability is exactly 1 before the first update, and the value of a target is the target.
TEST(Gradients, TheLearnerSeesThePolicyThatActed) {
  int seed = 0;
  for (GradientConfig c : policy_configs()) {
    c.ordered = false;
    for (const KernelSet& set : kernel_sets()) {
      GradientCase policy(c, 1300 + seed), value(c, 1300 + seed, true);
      policy.act_anew(set);
      const std::vector<float> gradient = policy.policy_gradient(set);
      ASSERT_EQ(gradient[policy.n_parameters() + kStatKl], 0.0f) << set.isa << " " << describe(c);
      ASSERT_EQ(gradient[policy.n_parameters() + kStatClipped], 0.0f) << set.isa;
      value.target = value.evaluate(set);
      const std::vector<float> error = value.value_gradient(set);
      for (const float g : error) ASSERT_EQ(g, 0.0f) << set.isa << " " << describe(c);
    }
    seed++;
  }
}

TEST(Gradients, ANumberThatIsNotFiniteRefusesTheStep) {
  for (const KernelSet& set : kernel_sets()) {
    for (const float bad : {INFINITY, NAN}) {
      GradientConfig c;
      c.hidden = {16};
      c.count = 300;
      GradientCase policy(c, 3), value(c, 3, true);
      policy.advantage[200] = bad;
      value.target[200] = bad;
      int refused = 0;
      const std::vector<float> gradient = policy.policy_gradient(set);
      for (long i = 0; i < policy.n_parameters(); i++)
        refused += std::isfinite(gradient[i]) ? 0 : 1;
      EXPECT_GT(refused, 0) << set.isa;
      refused = 0;
      for (const float g : value.value_gradient(set)) refused += std::isfinite(g) ? 0 : 1;
      EXPECT_GT(refused, 0) << set.isa;
    }
  }
}

}  // namespace
}  // namespace gallop::testing
