// Backward passes from given slopes (kernels/gradients/given_slopes.h): a loss's own slopes give
// its own gradient, to the bit; any slopes give the derivatives of the network in double, by its
// parameters and by its inputs; and the bits of all instruction sets and splits are the same.
#include <gallop/kernels/gradients/given_slopes.h>

#include <gtest/gtest.h>

#include <gallop/host/runtime/backend.h>
#include "tests/host/expect_error.h"
#include "tests/learning/gradient_case.h"

namespace gallop::testing {
namespace {

// Layers 0 to 3, widths of lanes and odd ones.
const std::vector<std::vector<int>> kHidden = {{},       {1},     {33},       {64},
                                               {16, 33}, {33, 3}, {3, 1, 33}, {64, 5, 64}};
const int kCounts[] = {1, 5, 127, 128, 129, 300};

// A network with samples and slopes by its outputs and by its head's own parameters.
struct GivenCase {
  GradientCase of;
  int n_out, n_own;
  std::vector<float> output_slope, own_slope;  // [T, outputs, N], [T, own, N]

  GivenCase(const GradientConfig& c, std::uint64_t seed, bool for_value = false)
      : of(c, seed, for_value),
        n_out(outputs_of(of.shape.network)),
        n_own(for_value ? 0 : head_parameters(c.head, c.n_actions)) {
    Random random(seed + 1);
    output_slope.resize(total() * n_out);
    own_slope.resize(total() * n_own);
    for (float& x : output_slope) x = float(random.normal());
    for (float& x : own_slope) x = float(random.normal());
  }

  long total() const { return long(of.n_steps) * of.n_envs; }
  // Element k of a sample in an array [T, rows, N].
  long at(int sample, int rows, int k) const {
    const long id = of.id(sample), t = id / of.n_envs;
    return (t * rows + k) * of.n_envs + id % of.n_envs;
  }

  std::vector<float> network_gradient(const KernelSet& set, float weight, int grain = 0) const {
    Floats gradient(layer_offset(of.shape.network, of.shape.network.n_layers) + n_own);
    set.kernels->network_gradient(
        {of.shape.network, of.parameters.data(), of.normalization(), of.samples(),
         output_slope.data(), n_own > 0 ? own_slope.data() : nullptr, n_own, weight,
         Arithmetic::kStrict, gradient.data()},
        TestWork(grain));
    return gradient.values();
  }
  // NaN where nothing was written.
  std::vector<float> input_gradient(const KernelSet& set, int grain = 0) const {
    Floats slope(total() * of.rows());
    set.kernels->input_gradient({of.shape.network, of.parameters.data(), of.normalization(),
                                 of.samples(), output_slope.data(), slope.data()},
                                TestWork(grain));
    return slope.values();
  }

  // Sum over the outputs of a sample of slope times output, in double.
  double along_slopes(const Vector& theta, const Vector& x, int sample) const {
    const Vector output = reference_forward(of.shape.network, theta, x);
    double sum = 0;
    for (int j = 0; j < n_out; j++) {
      sum += double(output_slope[at(sample, n_out, j)]) * output[j];
    }
    return sum;
  }
  Vector observation(int sample) const {
    Vector x;
    for (int k = 0; k < of.rows(); k++)
      x.push_back(double(of.observation[at(sample, of.rows(), k)]));
    return x;
  }
};

std::vector<GradientConfig> configs() {
  std::vector<GradientConfig> all;
  int k = 0;
  for (const std::vector<int>& hidden : kHidden) {
    for (const Activation activation :
         {Activation::kTanh, Activation::kRelu, Activation::kIdentity}) {
      for (const Head head : {Head::kGaussian, Head::kGaussianNetwork, Head::kCategorical}) {
        GradientConfig c;
        c.head = head;
        c.hidden = hidden;
        c.activation = activation;
        c.loss = PolicyLoss(k % 4);
        c.count = kCounts[(k * 5 + k / 6) % 6];
        c.inputs = 1 + k * 7 % 19;
        c.n_actions = 1 + (k + k / 4) % 9;  // up to kFewOutputs and beyond
        c.normalized = (k + k / 3) % 2 == 0;
        c.ordered = (k + k / 4) % 2 == 0;
        c.entropy = 0.05f * float(k % 3);
        all.push_back(c);
        k++;
      }
    }
  }
  return all;
}
GradientConfig table(int count) {
  GradientConfig c;
  c.tabular = true;
  c.inputs = 3 + count % 7;
  c.n_actions = 2 + count % 3;
  c.count = count;
  c.ordered = count % 2 == 0;
  return c;
}

// Puts the slopes of the case's own loss in place of the given ones.
void use_own_slopes(GivenCase& c, const KernelSet& set) {
  const GradientCase& of = c.of;
  const int n_actions = of.config.n_actions;
  PolicyGradientRequest r = {};
  r.policy = {of.shape, of.parameters.data(), of.normalization()};
  r.loss = of.config.loss;
  r.clip = of.clip;
  r.kl_penalty = of.kl_penalty;
  r.entropy_coefficient = of.config.entropy;
  r.weight = of.weight;
  const std::vector<float> outputs = of.evaluate(set);
  for (int s = 0; s < of.config.count; s++) {
    float output[kMaxOutputs], log_std[kMaxOutputs], action[kMaxOutputs], d[kMaxOutputs],
        ds[kMaxOutputs] = {};
    for (int j = 0; j < c.n_out; j++) output[j] = outputs[j * c.total() + of.id(s)];
    log_std_of(of.shape.head, n_actions, output,
               of.parameters.data() + layer_offset(of.shape.network, of.shape.network.n_layers),
               log_std);
    const Vector chosen = of.action_of(s);
    for (std::size_t k = 0; k < chosen.size(); k++) action[k] = float(chosen[k]);
    policy_loss<float>(r, output, log_std, action, of.log_prob[of.id(s)], of.advantage[of.id(s)], d,
                       ds);
    for (int j = 0; j < c.n_out; j++) c.output_slope[c.at(s, c.n_out, j)] = d[j];
    for (int k = 0; k < c.n_own; k++) c.own_slope[c.at(s, c.n_own, k)] = ds[k];
  }
}

void expect_own_gradient(const GradientConfig& config, int seed) {
  for (const KernelSet& set : kernel_sets()) {
    GivenCase policy(config, seed);
    use_own_slopes(policy, set);
    std::vector<float> expected = policy.of.policy_gradient(set);
    expected.resize(policy.of.n_parameters());
    EXPECT_TRUE(same_bits(policy.network_gradient(set, 1.0f), expected)) << set.isa;

    GivenCase value(config, seed, true);
    const std::vector<float> outputs = value.of.evaluate(set);
    for (long i = 0; i < value.total(); i++)
      value.output_slope[i] = outputs[i] - value.of.target[i];
    expected = value.of.value_gradient(set);
    expected.pop_back();
    EXPECT_TRUE(same_bits(value.network_gradient(set, value.of.weight), expected)) << set.isa;
  }
}

TEST(NetworkGradient, SlopesOfALossGiveItsOwnGradientToTheBit) {
  int seed = 2000;
  for (const GradientConfig& c : configs()) {
    SCOPED_TRACE(seed);
    expect_own_gradient(c, seed++);
  }
  for (const int count : kCounts) expect_own_gradient(table(count), seed++);
}

TEST(NetworkGradient, OfAnySlopesEqualsFiniteDifferences) {
  int seed = 2200;
  std::vector<GradientConfig> all = configs();
  all.push_back(table(300));
  for (const GradientConfig& config : all) {
    const GivenCase c(config, seed++);
    const std::vector<float> gradient = c.network_gradient(kernel_sets().back(), 0.5f);
    const long n_network = layer_offset(c.of.shape.network, c.of.shape.network.n_layers);
    double norm = 0;
    for (long i = 0; i < n_network; i++) norm += double(gradient[i]) * double(gradient[i]);
    norm = std::sqrt(norm);
    Random random(seed);
    Vector theta = c.of.parameters_in_double();
    for (int k = 0; k < 12; k++) {
      const long i = k < 4 ? std::max(0L, n_network - 1 - k) : random.below(int(n_network));
      const double h = 1e-6, was = theta[i];
      double slope = 0;
      for (const double step : {h, -h}) {
        theta[i] = was + step;
        for (int s = 0; s < config.count; s++) {
          slope += 0.5 * c.along_slopes(theta, c.of.input(s), s) / (2 * step);
        }
      }
      theta[i] = was;
      EXPECT_NEAR(gradient[i], slope, 1e-4 * std::abs(slope) + 1e-6 * norm) << seed << " " << i;
    }
    for (int k = 0; k < c.n_own; k++) {
      double sum = 0;
      for (int s = 0; s < config.count; s++) sum += 0.5 * double(c.own_slope[c.at(s, c.n_own, k)]);
      EXPECT_NEAR(gradient[n_network + k], sum, 1e-5 * config.count);
    }
  }
}

TEST(InputGradient, EqualsFiniteDifferencesThroughTheNormalisation) {
  int seed = 2400;
  long n_zero = 0;
  for (const GradientConfig& config : configs()) {
    const GivenCase c(config, seed++);
    const Normalization by = c.of.normalization();
    const std::vector<float> slope = c.input_gradient(kernel_sets().back());
    const Vector theta = c.of.parameters_in_double();
    long n_written = 0;
    double greatest = 0;
    for (const float x : slope) {
      n_written += std::isnan(x) ? 0 : 1;
      if (!std::isnan(x)) greatest = std::max(greatest, std::abs(double(x)));
    }
    EXPECT_EQ(n_written, long(config.count) * config.inputs) << "places of samples, and no other";
    for (int s = 0; s < config.count; s += 1 + config.count / 40) {
      Vector x = c.observation(s);
      for (int k = 0; k < config.inputs; k++) {
        const double h = 1e-6, was = x[k];
        double exact = 0;
        for (const double step : {h, -h}) {
          x[k] = was + step;
          exact += c.along_slopes(theta, reference_normalize(by, x), s) / (2 * step);
        }
        x[k] = was;
        const float found = slope[c.at(s, config.inputs, k)];
        EXPECT_NEAR(found, exact, 1e-4 * std::abs(exact) + 2e-6 * greatest)
            << seed << " sample " << s << " input " << k;
        const bool at_limit =
            config.normalized && std::abs(reference_normalize(by, x)[k]) >= double(by.limit);
        if (at_limit) {
          EXPECT_EQ(found, 0.0f);
        }
        n_zero += at_limit ? 1 : 0;
      }
    }
  }
  EXPECT_GT(n_zero, 50);
}

TEST(GivenSlopes, EveryInstructionSetAndSplitGivesTheSameBits) {
  int seed = 2600;
  for (GradientConfig config : configs()) {
    config.count += 128 * (seed % 4);
    const GivenCase c(config, seed++);
    const std::vector<float> gradient = c.network_gradient(kernel_sets()[0], 0.3f);
    const std::vector<float> inputs = c.input_gradient(kernel_sets()[0]);
    for (const float g : gradient) ASSERT_TRUE(std::isfinite(g)) << seed;
    for (const KernelSet& set : kernel_sets()) {
      for (const int grain : {0, 1, 2}) {
        EXPECT_TRUE(same_bits(c.network_gradient(set, 0.3f, grain), gradient)) << set.isa << grain;
        EXPECT_TRUE(same_bits(c.input_gradient(set, grain), inputs)) << set.isa << " " << grain;
      }
    }
  }
}

TEST(GivenSlopes, WhatIsNotFiniteShows) {
  GradientConfig config;
  config.hidden = {16};
  config.count = 300;
  config.normalized = true;
  for (const KernelSet& set : kernel_sets()) {
    GivenCase c(config, 5);
    c.output_slope[c.at(200, c.n_out, 1)] = INFINITY;
    for (const float g : c.network_gradient(set, 1.0f)) EXPECT_TRUE(std::isnan(g)) << set.isa;
    const std::vector<float> slopes = c.input_gradient(set);
    long n_bad = 0;
    for (int k = 0; k < config.inputs; k++) {
      n_bad += std::isfinite(slopes[c.at(200, config.inputs, k)]) ? 0 : 1;
      EXPECT_TRUE(std::isfinite(slopes[c.at(199, config.inputs, k)]));
    }
    EXPECT_GT(n_bad, 0) << set.isa;
  }
}

TEST(GivenSlopes, WhatCannotBeServedIsRefusedByName) {
  const auto backend = make_cpu_backend(1);
  InputGradientRequest inputs = {};
  inputs.shape.kind = NetworkKind::kTabular;
  test::expect_error_with(
      ExitCode::value, [&] { backend->input_gradient(inputs); }, "input_gradient", "table");
  NetworkGradientRequest network = {};
  network.n_own = 2;
  test::expect_error_with(
      ExitCode::value, [&] { backend->network_gradient(network); }, "network_gradient", "n_own");
  const float slope = 0;
  network = {};
  network.own_slope = &slope;
  test::expect_error_with(
      ExitCode::value, [&] { backend->network_gradient(network); }, "network_gradient", "n_own");
}

}  // namespace
}  // namespace gallop::testing
