// kernels/gradients/empirical_fisher.h: products with the covariance of the gradients of log pi
// against sums over single samples in double, and the limit in which both Fisher matrices agree.
#include <gallop/kernels/gradients/empirical_fisher.h>

#include <gtest/gtest.h>

#include "tests/learning/gradient_case.h"
#include "tests/learning/learner_parts.h"

namespace gallop::testing {
namespace {

std::vector<GradientConfig> configs() {
  const int counts[] = {1, 127, 128, 129, 300};
  std::vector<GradientConfig> all;
  int k = 0;
  for (const Head head : {Head::kCategorical, Head::kGaussian, Head::kGaussianNetwork}) {
    for (const std::vector<int>& hidden :
         std::vector<std::vector<int>>{{}, {1}, {33, 3}, {64, 64}, {40, 24, 33}}) {
      GradientConfig c;
      c.head = head;
      c.hidden = hidden;
      c.activation = k % 2 == 0 ? Activation::kTanh : Activation::kRelu;
      c.count = counts[k % 5];
      c.inputs = 1 + k * 7 % 11;
      c.n_actions = head == Head::kCategorical ? 2 + k % 4 : 1 + k % 3;
      c.normalized = k % 2 == 0;
      c.ordered = k % 3 == 0;
      all.push_back(c);
      k++;
    }
  }
  GradientConfig table;
  table.tabular = true;
  table.inputs = 5;
  table.n_actions = 3;
  table.count = 200;
  all.push_back(table);
  return all;
}

std::vector<float> product(const GradientCase& c, const KernelSet& set,
                           const std::vector<float>& vector, int grain = 0) {
  Floats units(chunk_count(c.config.count) * unit_floats(c.shape)), to(c.n_parameters());
  FisherRequest r = {};
  r.policy = {c.shape, c.parameters.data(), c.normalization()};
  r.samples = c.samples();
  r.weight = c.weight;
  r.units = units.data();
  r.unit_stride = unit_floats(c.shape);
  r.vector = vector.data();
  r.product = to.data();
  set.kernels->fisher_prepare(r, TestWork());
  set.kernels->empirical_fisher_product(r, TestWork(grain));
  return to.values();
}

std::vector<float> random_vector(Random& random, long n) {
  std::vector<float> v(n);
  for (float& x : v) x = float(random.normal());
  return v;
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); i++) sum += double(a[i]) * double(b[i]);
  return sum;
}

// d log pi(a_s | s) along a direction, by central differences.
double slope(const GradientCase& c, int sample, const std::vector<float>& direction) {
  const double h = 1e-6;
  const long offset = layer_offset(c.shape.network, c.shape.network.n_layers);
  const auto log_prob = [&](double by) {
    Vector theta = c.parameters_in_double();
    for (std::size_t i = 0; i < theta.size(); i++) theta[i] += by * double(direction[i]);
    const Vector output = reference_forward(c.shape.network, theta, c.input(sample));
    return reference_distribution(c.shape, output, theta.data() + offset, c.action_of(sample))
        .log_prob;
  };
  return (log_prob(h) - log_prob(-h)) / (2 * h);
}

TEST(EmpiricalFisher, ProductsEqualSumsOverSingleSamples) {
  int seed = 0;
  for (const GradientConfig& config : configs()) {
    const GradientCase c(config, 2600 + seed);
    Random random(seed++);
    for (int k = 0; k < 3; k++) {
      const std::vector<float> v = random_vector(random, c.n_parameters());
      std::vector<float> w = random_vector(random, c.n_parameters());
      if (k == 2) {  // one coordinate alone, the last: of the head, where it has parameters
        w.assign(w.size(), 0);
        w.back() = 1;
      }
      double exact = 0, vv = 0, ww = 0;
      for (int s = 0; s < config.count; s++) {
        const double a = slope(c, s, v), b = slope(c, s, w);
        exact += a * b / config.count;
        vv += a * a / config.count;
        ww += b * b / config.count;
      }
      const std::vector<float> fv = product(c, kernel_sets().back(), v);
      const double scale = std::sqrt(vv * ww) + 1e-9;
      EXPECT_NEAR(dot(w, fv), exact, 2e-4 * scale) << "configuration " << seed;
      EXPECT_NEAR(dot(v, fv), vv, 2e-4 * vv + 1e-9) << "configuration " << seed;
    }
  }
  EXPECT_GT(seed, 10);
}

TEST(EmpiricalFisher, EveryInstructionSetAndSplitGivesTheSameBits) {
  int seed = 0;
  for (const GradientConfig& config : configs()) {
    const GradientCase c(config, 2700 + seed);
    Random random(seed++);
    const std::vector<float> v = random_vector(random, c.n_parameters());
    const std::vector<float> first = product(c, kernel_sets()[0], v);
    for (const KernelSet& set : kernel_sets()) {
      for (const int grain : {1, 2, 0}) {
        ASSERT_TRUE(same_bits(product(c, set, v, grain), first)) << set.isa << " " << seed;
      }
    }
  }
}

// Actions are drawn from the policy: over many samples the two matrices are one, as the expectation
// of psi psi^T is the metric of the distribution.
TEST(EmpiricalFisher, TendsToTheAnalyticOne) {
  for (const char* environment : {"cartpole", "pendulum"}) {
    LearnerParts p(environment, "trpo", {"n_envs=64", "n_steps=512", "hidden=8"});
    p.learner.collect();
    const PolicyView policy = p.learner.policy().view();
    Floats units(chunk_count(p.learner.n_samples()) * unit_floats(policy.shape));
    Floats analytic(parameter_count(policy.shape)), empirical(parameter_count(policy.shape));
    FisherRequest r = {};
    r.policy = policy;
    r.samples = p.learner.all_samples();
    r.weight = 1.0f / float(p.learner.n_samples());
    r.units = units.data();
    r.unit_stride = unit_floats(policy.shape);
    p.backend->fisher_prepare(r);
    Random random(5);
    for (int k = 0; k < 5; k++) {
      const std::vector<float> v = random_vector(random, parameter_count(policy.shape));
      r.vector = v.data();
      r.product = analytic.data();
      p.backend->fisher_product(r);
      r.product = empirical.data();
      p.backend->empirical_fisher_product(r);
      const double a = dot(v, analytic.values()), e = dot(v, empirical.values());
      EXPECT_NEAR(e, a, 0.06 * a) << environment;
      EXPECT_NE(e, a);
    }
  }
}

}  // namespace
}  // namespace gallop::testing
