// kernels/off_policy/q_policy_gradient.h: against central differences of the loss in double, on
// every instruction set, and with the exact Q of a linear-quadratic problem.
#include <gallop/kernels/off_policy/q_policy_gradient.h>

#include <gtest/gtest.h>

#include <cmath>

#include "tests/learning/kernel_sets.h"
#include "tests/learning/reference_policy.h"

namespace gallop::testing {
namespace {

NetworkShape network(std::vector<int> widths, Activation activation) {
  NetworkShape shape = {};
  shape.hidden = activation;
  shape.n_layers = int(widths.size()) - 1;
  for (std::size_t l = 0; l < widths.size(); l++) shape.width[l] = widths[l];
  return shape;
}

std::vector<float> weights(const NetworkShape& shape, Random& random) {
  std::vector<float> values(std::size_t(layer_offset(shape, shape.n_layers)));
  for (float& w : values) w = float(0.4 * random.normal());
  return values;
}

struct Problem {
  static constexpr int kO = 3, kA = 2;
  PolicyShape policy = {};
  NetworkShape critic;
  std::vector<float> parameters, q1, q2, observation;
  ReplayState state = {1, 1, (std::uint64_t(2) << 32) + 9};
  float log_alpha = -0.5f;
  long count;
  bool two;

  Problem(Head head, bool two_critics, long n) : count(n), two(two_critics) {
    Random random(11);
    policy.head = head;
    policy.n_actions = kA;
    policy.network = network({kO, 6, head_outputs(head, kA)}, Activation::kTanh);
    critic = network({kO + kA, 7, 5, 1}, Activation::kTanh);
    parameters = weights(policy.network, random);
    q1 = weights(critic, random);
    q2 = weights(critic, random);
    for (const float x : {0.5f, 2.0f, 0.25f, -1.0f, 0.1f, 0.1f}) {
      if (long(parameters.size()) < parameter_count(policy)) parameters.push_back(x);
    }
    for (long k = 0; k < kO * count; k++) observation.push_back(float(random.normal()));
  }

  bool has_entropy() const { return policy.head == Head::kSquashedGaussian; }

  QPolicyGradientRequest request(float* gradient) const {
    QPolicyGradientRequest r = {};
    r.policy = {policy, parameters.data(), {}};
    r.samples.n_envs = int(count);
    r.samples.observation_rows = kO;
    r.samples.observation = observation.data();
    r.samples.count = count;
    r.critic = critic;
    r.critic1 = q1.data();
    r.critic2 = two ? q2.data() : nullptr;
    r.noise = {21, &state, 3};
    r.log_alpha = has_entropy() ? &log_alpha : nullptr;
    r.target_entropy = -2.0f;
    r.weight = 1.0f / float(count);
    r.gradient = gradient;
    return r;
  }

  struct Loss {
    double loss = 0, q = 0, log_pi = 0;
  };
  // From the equations, in double, at the shipped noise.
  Loss loss(const Vector& theta) const {
    Loss sum;
    const Vector w1(q1.begin(), q1.end()), w2(q2.begin(), q2.end());
    const double* const tail = theta.data() + layer_offset(policy.network, policy.network.n_layers);
    for (long s = 0; s < count; s++) {
      Vector x;
      for (int k = 0; k < kO; k++) x.push_back(observation[k * count + s]);
      const Vector out = reference_forward(policy.network, theta, x);
      Rng<double> rng(21, kRandomUpdate, std::uint32_t(s), std::uint32_t(state.draws),
                      std::uint32_t(state.draws >> 32));
      rng.draw = 3u << 16;
      double log_pi = 0;
      for (int k = 0; k < kA; k++) {
        double u = out[k], half = 1, centre = 0;
        if (policy.head != Head::kDeterministic) {
          half = tail[k];
          centre = tail[kA + k];
        }
        if (has_entropy()) {
          const double eps = rng.normal();
          u += std::exp(out[kA + k]) * eps;
          log_pi += -0.5 * eps * eps - out[kA + k] - 0.5 * std::log(2 * M_PI);
          log_pi -= std::log(1 - std::tanh(u) * std::tanh(u)) + std::log(half);
        }
        x.push_back(policy.head == Head::kDeterministic ? u : centre + half * std::tanh(u));
      }
      double q = reference_forward(critic, w1, x)[0];
      if (two) q = std::min(q, reference_forward(critic, w2, x)[0]);
      sum.q += q;
      sum.log_pi += log_pi;
      const double alpha = has_entropy() ? std::exp(double(log_alpha)) : 0;
      sum.loss += (alpha * log_pi - q) / double(count);
    }
    return sum;
  }
};

TEST(QPolicyGradient, IsTheDerivativeOfTheLoss) {
  for (const Head head :
       {Head::kSquashedGaussian, Head::kSquashedDeterministic, Head::kDeterministic}) {
    for (const bool two : {false, true}) {
      const Problem p(head, two, 150);
      const long learnt = layer_offset(p.policy.network, p.policy.network.n_layers);
      const long all = parameter_count(p.policy);
      Vector theta(p.parameters.begin(), p.parameters.end());
      std::vector<float> first;
      for (const KernelSet& set : kernel_sets()) {
        SCOPED_TRACE(set.isa + " head " + std::to_string(int(head)) + (two ? " two" : " one"));
        Floats gradient(all + kQPolicyStatistics);
        set.kernels->q_policy_gradient(p.request(gradient.data()), TestWork(1));
        if (first.empty()) first = gradient.values();
        EXPECT_TRUE(same_bits(first, gradient.values()));
      }
      for (long k = 0; k < learnt; k++) {
        Vector up = theta, down = theta;
        up[k] += 1e-5;
        down[k] -= 1e-5;
        const double expected = (p.loss(up).loss - p.loss(down).loss) / 2e-5;
        EXPECT_NEAR(first[k], expected, 3e-5 * (1 + std::abs(expected))) << k;
      }
      for (long k = learnt; k < all; k++) EXPECT_EQ(first[k], 0.0f) << "the range is not learnt";
      const Problem::Loss sums = p.loss(theta);
      EXPECT_NEAR(first[all + kStatQ], sums.q, 1e-3);
      EXPECT_NEAR(first[all + kStatLogPi], sums.log_pi, 1e-3);
      EXPECT_NEAR(first[all + kStatTemperature], -(sums.log_pi / 150 - 2.0), 1e-5);
    }
  }
}

// s' = a s + b u, r = -(q s^2 + rho u^2), u = -k s over H steps from s = 1, without noise. Q_t is
// quadratic; at u = mu(s) the critic that is compatible with the policy, linear in the action with
// the slope of Q_t, gives the exact gradient: dU/dk = 3.687966369066.
constexpr double kGradient = 3.687966369066;
constexpr double kA = 0.95, kB = 0.5, kQ = 1, kRho = 0.1, kGain = 0.4;
constexpr int kH = 10;

// The states of the episode, and dQ_t/du at the policy's action in each.
void exact_slopes(double (&state)[kH], double (&slope)[kH]) {
  double s = 1;
  for (int t = 0; t < kH; t++) {
    state[t] = s;
    s = (kA - kB * kGain) * s;
  }
  double value = 0;  // V_(t + 1)(s) = value s^2
  for (int t = kH - 1; t >= 0; t--) {
    const double u = -kGain * state[t], next = kA * state[t] + kB * u;
    slope[t] = -2 * kRho * u + 2 * value * next * kB;
    value = -(kQ + kRho * kGain * kGain) + value * (kA - kB * kGain) * (kA - kB * kGain);
  }
}

TEST(QPolicyGradient, OfTheExactQIsThePolicyGradientOfALinearQuadraticProblem) {
  double state[kH], slope[kH];
  exact_slopes(state, slope);
  // In double by the head: dU/dk = sum of dmu/dk dQ/du, dmu/dk = -s.
  double exact = 0;
  for (int t = 0; t < kH; t++) {
    double d_output;
    const double mean = -kGain * state[t];
    Deterministic::At<double>(1, &mean, nullptr).pull_back(&mean, &slope[t], &d_output, nullptr);
    exact += -state[t] * d_output;
  }
  EXPECT_NEAR(exact, kGradient, 1e-10);

  for (const KernelSet& set : kernel_sets()) {
    double sum = 0;
    for (int t = 0; t < kH; t++) {
      QPolicyGradientRequest r = {};
      const float parameters[] = {float(-kGain), 0.0f}, observation[] = {float(state[t])};
      // Q_t at mu(s) and its slope there; of the state it needs none.
      const float critic[] = {0.0f, float(slope[t]), 0.25f};
      const ReplayState unused = {1, 1, 0};
      r.policy.shape = {network({1, 1}, Activation::kTanh), Head::kDeterministic, 1};
      r.policy.parameters = parameters;
      r.samples.n_envs = 1;
      r.samples.observation_rows = 1;
      r.samples.observation = observation;
      r.samples.count = 1;
      r.critic = network({2, 1}, Activation::kTanh);
      r.critic1 = critic;
      r.noise = {1, &unused, 0};
      r.weight = 1.0f;
      Floats gradient(2 + kQPolicyStatistics);
      r.gradient = gradient.data();
      set.kernels->q_policy_gradient(r, TestWork());
      sum += double(gradient[0]);  // of the loss -Q by the weight -k
    }
    EXPECT_NEAR(sum, kGradient, 2e-6) << set.isa;
  }
}

}  // namespace
}  // namespace gallop::testing
