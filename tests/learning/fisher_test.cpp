// kernels/gradients/fisher.h: products with the Fisher matrix against the form J^T M J of the
// reference in double, the divergence of two policies, and the natural gradient of the three-state
// decision process (the algorithms' reference, section 5.2).
#include <gallop/kernels/gradients/fisher.h>

#include <gtest/gtest.h>

#include "tests/learning/gradient_case.h"

namespace gallop::testing {
namespace {

std::vector<GradientConfig> configs() {
  const int counts[] = {1, 127, 128, 129, 300};
  std::vector<GradientConfig> all;
  int k = 0;
  for (const Head head : {Head::kCategorical, Head::kGaussian, Head::kGaussianNetwork}) {
    for (const std::vector<int>& hidden :
         std::vector<std::vector<int>>{{}, {1}, {16}, {33, 3}, {64, 64}, {40, 24, 33}}) {
      for (const Activation activation : {Activation::kTanh, Activation::kRelu}) {
        GradientConfig c;
        c.head = head;
        c.hidden = hidden;
        c.activation = activation;
        c.count = counts[k % 5];
        c.inputs = 1 + k * 7 % 11;
        c.n_actions = head == Head::kCategorical ? 2 + k % 4 : 1 + k % 3;
        c.normalized = k % 2 == 0;
        c.ordered = k % 3 == 0;
        all.push_back(c);
        k++;
      }
    }
  }
  GradientConfig five;
  five.head = Head::kCategorical;
  five.hidden = {64, 64};
  five.n_actions = 5;
  five.inputs = 6;
  five.count = 140;
  all.push_back(five);
  GradientConfig table;
  table.tabular = true;
  table.inputs = 5;
  table.n_actions = 3;
  table.count = 200;
  all.push_back(table);
  return all;
}

struct Fisher {
  const GradientCase& c;
  const KernelSet& set;
  FisherRequest request = {};
  Floats units;

  Fisher(const GradientCase& of, const KernelSet& by)
      : c(of), set(by), units(chunk_count(of.config.count) * unit_floats(of.shape)) {
    request.policy = {c.shape, c.parameters.data(), c.normalization()};
    request.samples = c.samples();
    request.weight = c.weight;
    request.units = units.data();
    request.unit_stride = unit_floats(c.shape);
    set.kernels->fisher_prepare(request, TestWork());
  }

  std::vector<float> times(const std::vector<float>& vector, int grain = 0) const {
    Floats product(c.n_parameters());
    FisherRequest r = request;
    r.vector = vector.data();
    r.product = product.data();
    set.kernels->fisher_product(r, TestWork(grain));
    return product.values();
  }
};

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); i++) sum += double(a[i]) * double(b[i]);
  return sum;
}

// Derivative of the outputs of a sample along a direction, by central differences.
Vector tangent(const GradientCase& c, int sample, const std::vector<float>& direction) {
  const double h = 1e-8;  // few units change their side of a kink
  Vector up = c.parameters_in_double(), down = up;
  for (std::size_t i = 0; i < up.size(); i++) {
    up[i] += h * double(direction[i]);
    down[i] -= h * double(direction[i]);
  }
  Vector t = reference_forward(c.shape.network, up, c.input(sample));
  const Vector low = reference_forward(c.shape.network, down, c.input(sample));
  for (std::size_t j = 0; j < t.size(); j++) t[j] = (t[j] - low[j]) / (2 * h);
  return t;
}

// mean over samples of (J w)^T M (J v), with M written out from the distributions.
double bilinear(const GradientCase& c, const std::vector<float>& w, const std::vector<float>& v) {
  const int n = c.config.n_actions;
  const Vector theta = c.parameters_in_double();
  const long offset = layer_offset(c.shape.network, c.shape.network.n_layers);
  double sum = 0;
  for (int s = 0; s < c.config.count; s++) {
    const Vector output = reference_forward(c.shape.network, theta, c.input(s));
    const Vector a = tangent(c, s, w), b = tangent(c, s, v);
    double form = 0;
    if (c.config.head == Head::kCategorical) {
      double total = 0, mean_a = 0, mean_b = 0;
      for (int i = 0; i < n; i++) total += std::exp(output[i]);
      for (int i = 0; i < n; i++) {
        const double p = std::exp(output[i]) / total;
        form += p * a[i] * b[i];
        mean_a += p * a[i];
        mean_b += p * b[i];
      }
      form -= mean_a * mean_b;
    } else {
      for (int i = 0; i < n; i++) {
        const bool network = c.config.head == Head::kGaussianNetwork;
        const double given = network ? output[n + i] : theta[offset + i];
        const double log_std = std::min(std::max(given, -5.0), 2.0);
        form += a[i] * b[i] * std::exp(-2 * log_std);
        if (log_std != given) continue;
        form +=
            network ? 2 * a[n + i] * b[n + i] : 2 * double(w[offset + i]) * double(v[offset + i]);
      }
    }
    sum += form / c.config.count;
  }
  return sum;
}

std::vector<float> random_vector(Random& random, long n) {
  std::vector<float> v(n);
  for (float& x : v) x = float(random.normal());
  return v;
}

TEST(Fisher, ProductsEqualTheReferenceAndAreSymmetric) {
  double worst = 0;
  int seed = 0;
  for (const GradientConfig& config : configs()) {
    const GradientCase c(config, 2000 + seed);
    Random random(seed++);
    const Fisher fisher(c, kernel_sets().back());
    for (int k = 0; k < 4; k++) {
      const std::vector<float> v = random_vector(random, c.n_parameters());
      std::vector<float> w = random_vector(random, c.n_parameters());
      if (k == 3) {  // one coordinate alone, the last
        w.assign(w.size(), 0);
        w.back() = 1;
      }
      const std::vector<float> fv = fisher.times(v), fw = fisher.times(w);
      const double scale = std::sqrt(bilinear(c, w, w) * bilinear(c, v, v)) + 1e-12;
      const double exact = bilinear(c, w, v);
      EXPECT_NEAR(dot(w, fv), exact, 1e-4 * scale) << "configuration " << seed;
      EXPECT_NEAR(dot(w, fv), dot(v, fw), 1e-5 * scale) << "configuration " << seed;
      EXPECT_GE(dot(v, fv), -1e-6 * scale);
      worst = std::max(worst, std::abs(dot(w, fv) - exact) / scale);
    }
  }
  std::printf("%d configurations, greatest error %.2g\n", seed, worst);
}

// Both ways of a product are among the configurations, with one to four outputs that count.
TEST(Fisher, ConfigurationsHaveBothWays) {
  std::vector<int> seen(kMostSensitivities + 1, 0);
  for (const GradientConfig& config : configs()) {
    const GradientCase c(config, 1);
    const int count = sensitivity_count(c.shape);
    seen[count]++;
    if (count > 0) {
      EXPECT_EQ(count, free_outputs(c.shape));
      EXPECT_EQ(
          unit_floats(c.shape) - network_unit_floats(c.shape.network),
          long(count) * kChunkSamples * (config.hidden.size() == 2 ? 64 : padded(40) + padded(24)));
    }
  }
  for (int count = 0; count <= kMostSensitivities; count++) EXPECT_GT(seen[count], 0) << count;
}

TEST(Fisher, EveryInstructionSetAndSplitGivesTheSameBits) {
  int seed = 0;
  for (const GradientConfig& config : configs()) {
    const GradientCase c(config, 2100 + seed);
    Random random(seed++);
    const std::vector<float> v = random_vector(random, c.n_parameters());
    const std::vector<float> first = Fisher(c, kernel_sets()[0]).times(v);
    for (const KernelSet& set : kernel_sets()) {
      const Fisher fisher(c, set);
      for (const int grain : {1, 2, 0}) {
        ASSERT_TRUE(same_bits(fisher.times(v, grain), first)) << set.isa << " " << seed;
      }
    }
  }
}

// Mean surrogate, KL(old || candidate) and entropy of a candidate.
std::vector<double> divergence(const GradientCase& c, const KernelSet& set,
                               const std::vector<float>& candidate) {
  const Fisher old(c, set);
  Floats sums(kDivergenceSums);
  DivergenceRequest r = {};
  r.candidate = {c.shape, candidate.data(), c.normalization()};
  r.samples = c.samples();
  r.old_units = old.units.data();
  r.unit_stride = old.request.unit_stride;
  r.old_log_std = c.parameters.data() + layer_offset(c.shape.network, c.shape.network.n_layers);
  r.sums = sums.data();
  set.kernels->policy_divergence(r, TestWork(2));
  std::vector<double> means;
  for (int k = 0; k < kDivergenceSums; k++) means.push_back(double(sums[k]) / c.config.count);
  return means;
}

TEST(Divergence, EqualsTheReferenceAndVanishesAtThePolicyThatActed) {
  int seed = 0;
  for (const GradientConfig& config : configs()) {
    GradientCase c(config, 2200 + seed);
    c.config.loss = PolicyLoss::kSurrogate;
    Random random(seed++);
    std::vector<float> moved = c.parameters;
    for (float& p : moved) p += float(0.02 * random.normal());
    const Vector theta = c.parameters_in_double(), candidate(moved.begin(), moved.end());
    const long offset = layer_offset(c.shape.network, c.shape.network.n_layers);
    double kl = 0, statistics[kPolicyStatistics] = {};
    c.policy_objective(candidate, statistics);
    for (int s = 0; s < config.count; s++) {
      const Vector before = reference_forward(c.shape.network, theta, c.input(s));
      const Vector after = reference_forward(c.shape.network, candidate, c.input(s));
      for (int i = 0; i < config.n_actions; i++) {
        if (config.head == Head::kCategorical) {
          const Vector a = {double(i)};
          const double p = reference_distribution(c.shape, before, nullptr, a).log_prob;
          kl += std::exp(p) * (p - reference_distribution(c.shape, after, nullptr, a).log_prob);
          continue;
        }
        const bool network = config.head == Head::kGaussianNetwork;
        const auto clamped = [](double x) { return std::min(std::max(x, -5.0), 2.0); };
        const double s0 = clamped(network ? before[config.n_actions + i] : theta[offset + i]);
        const double s1 = clamped(network ? after[config.n_actions + i] : candidate[offset + i]);
        const double d = before[i] - after[i];
        kl += s1 - s0 + (std::exp(2 * s0) + d * d) / (2 * std::exp(2 * s1)) - 0.5;
      }
    }
    for (const KernelSet& set : kernel_sets()) {
      const std::vector<double> means = divergence(c, set, moved);
      const double n = config.count;
      EXPECT_NEAR(means[kSumKl], kl / n, 1e-4 * kl / n + 1e-6) << set.isa << " " << seed;
      EXPECT_NEAR(means[kSumSurrogate], statistics[kStatSurrogate] / n, 1e-5) << set.isa;
      EXPECT_NEAR(means[kSumEntropy], statistics[kStatEntropy] / n, 1e-5) << set.isa;
      EXPECT_NEAR(divergence(c, set, c.parameters)[kSumKl], 0, 1e-6) << set.isa;
    }
  }
}

// States in proportion to their occupancy: F times the natural gradient is the gradient of a step,
// and the step to a radius of 0.01 has the mean divergence of the exact solution.
TEST(Fisher, TheNaturalGradientOfTheDecisionProcess) {
  const double occupancy[] = {2.290834635, 1.168814780, .540350585};
  const double gradient[] = {0.194890228173, 0.119017164742, 0.199507935135};
  const double natural[] = {.174004917, .208271144, .755178721};
  const double beta = .437098334, delta = 0.01, divergence_after = .009653417;
  GradientConfig config;
  config.tabular = true;
  config.inputs = 3;
  config.n_actions = 2;
  config.count = 400000;
  GradientCase c(config, 1);
  c.parameters = {.2f, -.1f, 0, .3f, -.2f, .1f};
  long at = 0;
  for (int s = 0; s < 3; s++) {
    const long end = s == 2 ? config.count : at + std::lround(occupancy[s] / 4 * config.count);
    while (at < end) c.observation[at++] = float(s);
  }
  std::vector<float> v, moved = c.parameters;
  for (int s = 0; s < 3; s++) {
    for (const double sign : {-1.0, 1.0}) {
      v.push_back(float(sign * natural[s]));
      moved[v.size() - 1] += float(beta * sign * natural[s]);
    }
  }
  for (const KernelSet& set : kernel_sets()) {
    const std::vector<float> product = Fisher(c, set).times(v);
    for (int s = 0; s < 3; s++) {
      EXPECT_NEAR(product[2 * s], -gradient[s] / 4, 1e-6) << set.isa;
      EXPECT_NEAR(product[2 * s + 1], gradient[s] / 4, 1e-6) << set.isa;
    }
    EXPECT_NEAR(std::sqrt(2 * delta / dot(v, product)), beta, 1e-5) << set.isa;
    EXPECT_NEAR(divergence(c, set, moved)[kSumKl], divergence_after, 1e-6) << set.isa;
  }
}

}  // namespace
}  // namespace gallop::testing
