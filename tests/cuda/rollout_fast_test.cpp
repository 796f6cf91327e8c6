// Rollouts of mode fast against mode strict: the network's error at every step, the simulation bit
// for bit under the actions that were taken, and the distribution of returns.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <gallop/host/registry/generated.h>
#include "tests/cuda/rollout_case.h"

namespace gallop::testing {
namespace {

// bfloat16 keeps 8 bits of units and weights and tanh.approx 11: outputs of two layers of 64 units
// with weights of these sizes were found within 0.02 of the exact ones.
constexpr double kGreatestError = 0.04, kGreatestMean = 0.006;

// A case and what is needed to look at its steps one by one on the CPU.
struct FastCase {
  RolloutCase rollout;
  std::unique_ptr<Backend> cpu = make_cpu_backend(2);
  Environments environments;
  PolicyShape shape;
  std::vector<float> parameters;

  explicit FastCase(const RolloutCase& of)
      : rollout(of),
        environments(*cpu, entry_of_type(of.environment), options_of(of)),
        shape(shape_of(of, environments)),
        parameters(parameters_of(shape, 3, of.weight_scale)) {
    rollout.arithmetic = Arithmetic::kFast;
  }
};

double activated(Activation activation, double x) {
  return activation == Activation::kTanh   ? std::tanh(x)
         : activation == Activation::kRelu ? std::max(x, 0.0)
                                           : x;
}

// Outputs of the policy's network for column `at` of observation [O, n], in double.
std::vector<double> outputs_of_network(const FastCase& c, const float* observation, int n, int at) {
  const NetworkShape& network = c.shape.network;
  std::vector<double> x(network.width[0]);
  for (std::size_t k = 0; k < x.size(); k++) x[k] = double(observation[k * n + at]);
  const float* weight = c.parameters.data();
  for (int l = 0; l < network.n_layers; l++) {
    const int n_out = network.width[l + 1];
    std::vector<double> y(n_out);
    for (int j = 0; j < n_out; j++) {
      y[j] = double(weight[x.size() * n_out + j]);
      for (std::size_t k = 0; k < x.size(); k++) y[j] += x[k] * double(weight[k * n_out + j]);
      if (l + 1 < network.n_layers) y[j] = activated(network.hidden, y[j]);
    }
    weight += (x.size() + 1) * n_out;
    x = y;
  }
  return x;
}

// The same log-probability, of category `action` or of the components action [A, n] at `at`.
double log_prob_of(const FastCase& c, const std::vector<double>& output, const float* action, int n,
                   int at) {
  if (c.shape.head == Head::kCategorical) {
    double total = 0;
    for (const double logit : output) total += std::exp(logit);
    return output[std::size_t(action[at])] - std::log(total);
  }
  const float* log_std = c.parameters.data() + c.parameters.size() - c.shape.n_actions;
  double sum = 0;
  for (int k = 0; k < c.shape.n_actions; k++) {
    const double s = double(log_std[k]),
                 z = (double(action[k * n + at]) - output[k]) * std::exp(-s);
    sum += -0.5 * z * z - s - 0.91893853320467274178;
  }
  return sum;
}

// Errors at all steps of the second of the two rollouts that a case runs: of the recorded
// log-probability, or of the action where it is the network's output.
void check_steps(const FastCase& c, const RolloutResult& result, bool rounds) {
  const int n = c.rollout.n_envs, o = c.environments.observation_rows();
  const int a = c.environments.action_rows();
  double greatest = 0, sum = 0;
  for (int t = 0; t < c.rollout.n_steps; t++) {
    const float* observation = result.observation.data() + std::size_t(t) * o * n;
    const float* action = result.action.data() + std::size_t(t) * a * n;
    for (int i = 0; i < n; i++) {
      const std::vector<double> output = outputs_of_network(c, observation, n, i);
      double error = 0;
      if (c.shape.head == Head::kDeterministic) {
        for (int k = 0; k < a; k++) {
          error = std::max(error, std::abs(double(action[k * n + i]) - output[k]));
        }
      } else {
        const float recorded = result.log_prob[std::size_t(t) * n + i];
        error = std::abs(double(recorded) - log_prob_of(c, output, action, n, i));
      }
      ASSERT_TRUE(std::isfinite(error)) << "step " << t << " of instance " << i;
      greatest = std::max(greatest, error);
      sum += error / (double(n) * c.rollout.n_steps);
    }
  }
  EXPECT_LT(greatest, kGreatestError * double(c.rollout.weight_scale));
  EXPECT_LT(sum, kGreatestMean * double(c.rollout.weight_scale));
  if (!rounds) return;
  EXPECT_GT(greatest, 1e-6) << "nothing was rounded: this is not the fast kernel";
}

// Steps the CPU's instances from their start with the recorded actions of one rollout: all
// observations, rewards and ends are those that were recorded.
void check_simulation(FastCase& c, const RolloutResult& result) {
  const int n = c.rollout.n_envs, o = c.environments.observation_rows();
  const int a = c.environments.action_rows();
  std::vector<float> observation(std::size_t(o) * n), reward(n);
  std::vector<std::uint8_t> terminated(n), truncated(n);
  StepOutput out = {};
  out.observation = observation.data();
  out.reward = reward.data();
  out.terminated = terminated.data();
  out.truncated = truncated.data();
  c.environments.reset();
  for (int t = 0; t < c.rollout.n_steps; t++) {
    c.environments.step(result.action.data() + std::size_t(t) * a * n, out);
    const auto same = [](const auto& ours, const auto& recorded, std::size_t at) {
      return std::equal(ours.begin(), ours.end(), recorded.begin() + long(at));
    };
    ASSERT_TRUE(same(observation, result.observation, std::size_t(t + 1) * o * n)) << t;
    ASSERT_TRUE(same(reward, result.reward, std::size_t(t) * n)) << t;
    ASSERT_TRUE(same(terminated, result.terminated, std::size_t(t) * n)) << t;
    ASSERT_TRUE(same(truncated, result.truncated, std::size_t(t) * n)) << t;
  }
  EXPECT_EQ(c.environments.get_state(), result.state);
}

RolloutCase fast_case(const std::string& environment, int width, Head head) {
  RolloutCase rollout;
  rollout.environment = environment;
  rollout.hidden = {width, width};
  rollout.head = head;
  rollout.n_envs = 70;
  rollout.n_steps = 12;
  rollout.time_limit = 9;
  return rollout;
}

bool has_fast_rollout(Backend& backend, RolloutCase rollout) {
  rollout.arithmetic = Arithmetic::kFast;
  const Environments environments(backend, entry_of_type(rollout.environment), options_of(rollout));
  return environments.has_fast_rollout({shape_of(rollout, environments), nullptr, {}});
}

void check(const RolloutCase& of) {
  FastCase c(of);
  SCOPED_TRACE(c.rollout.label());
  const auto subject = make_subject();
  const RolloutResult result = run_rollout(*subject, c.rollout);
  // The widest one takes more shared memory than some devices have, which then run the strict one.
  const bool is_fast = has_fast_rollout(*subject, c.rollout);
  EXPECT_TRUE(is_fast || c.rollout.hidden[0] == 256);
  check_steps(c, result, is_fast);
  EXPECT_FALSE(result.nonfinite.found);
}

TEST(FastRollout, EveryStepOfEveryEnvironmentThatHasOne) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  std::vector<std::string> checked;
  for (int k = 0; k < kNumEnvironmentEntries; k++) {
    const std::string type = kEnvironmentEntries[k].type;
    const bool discrete = spec_of_type(type).action_kind == SpaceKind::kDiscrete;
    const RolloutCase rollout =
        fast_case(type, 64, discrete ? Head::kCategorical : Head::kGaussian);
    EXPECT_FALSE(has_fast_rollout(*cpu, rollout));
    if (!has_fast_rollout(*subject, rollout)) continue;
    check(rollout);
    checked.push_back(type);
  }
  for (const char* environment : {"CartPole", "Pendulum", "LqrDean"}) {
    EXPECT_NE(std::find(checked.begin(), checked.end(), environment), checked.end()) << environment;
  }
}

TEST(FastRollout, EveryWidthActivationAndHead) {
  for (const int width : {128, 256}) {
    RolloutCase rollout = fast_case("CartPole", width, Head::kCategorical);
    rollout.n_steps = 3;
    check(rollout);
  }
  for (const Activation activation : {Activation::kRelu, Activation::kIdentity}) {
    RolloutCase rollout = fast_case("CartPole", 64, Head::kCategorical);
    rollout.activation = activation;
    check(rollout);
  }
  check(fast_case("LqrDean", 64, Head::kDeterministic));
}

TEST(FastRollout, EveryBatchSizeAroundAWarp) {
  for (const int n_envs : {1, 31, 32, 33, 127, 128, 129}) {
    RolloutCase rollout = fast_case("CartPole", 64, Head::kCategorical);
    rollout.n_envs = n_envs;
    rollout.n_steps = 2;
    check(rollout);
  }
}

TEST(FastRollout, TheSimulationIsStrict) {
  for (const char* environment : {"CartPole", "Pendulum"}) {
    const Head head = std::string(environment) == "CartPole" ? Head::kCategorical : Head::kGaussian;
    FastCase c(fast_case(environment, 64, head));
    SCOPED_TRACE(c.rollout.label());
    c.rollout.n_rollouts = 1;
    c.rollout.n_steps = 20;
    const RolloutResult result = run_rollout(*make_subject(), c.rollout);
    EXPECT_FALSE(untouched(result.ended_return)) << "no episode ended";
    check_simulation(c, result);
  }
}

// Bits that do not depend on the order of threads or on what shares a warp: instance i of a batch
// of 70 is instance i of a batch of 33.
TEST(FastRollout, BitsDependOnNeitherThreadsNorNeighbours) {
  RolloutCase rollout = fast_case("CartPole", 64, Head::kCategorical);
  rollout.arithmetic = Arithmetic::kFast;
  rollout.n_steps = 4;
  const auto subject = make_subject();
  const RolloutResult expected = run_rollout(*subject, rollout);
  in_every_order([&] { expect_same(expected, run_rollout(*subject, rollout)); });
  const int n = rollout.n_envs;
  rollout.n_envs = 33;
  const RolloutResult fewer = run_rollout(*subject, rollout);
  for (int t = 0; t < rollout.n_steps; t++) {
    for (int i = 0; i < rollout.n_envs; i++) {
      ASSERT_EQ(expected.log_prob[std::size_t(t * n + i)],
                fewer.log_prob[std::size_t(t * rollout.n_envs + i)]);
    }
  }
}

TEST(FastRollout, NormalizedObservationsUnstored) {
  RolloutCase rollout = fast_case("CartPole", 64, Head::kCategorical);
  rollout.normalized = true;
  rollout.deterministic = true;
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  const RolloutResult strict = run_rollout(*cpu, rollout);
  rollout.arithmetic = Arithmetic::kFast;
  const RolloutResult stored = run_rollout(*subject, rollout);
  rollout.stored = false;
  const RolloutResult unstored = run_rollout(*subject, rollout);
  EXPECT_TRUE(same_bits(stored.state, unstored.state));
  EXPECT_TRUE(untouched(unstored.reward));
  // The more probable action is nearly always the same one.
  std::size_t n_different = 0;
  for (std::size_t k = 0; k < strict.action.size(); k++) {
    n_different += strict.action[k] != stored.action[k] ? 1 : 0;
  }
  EXPECT_LT(double(n_different), 0.1 * double(strict.action.size()));
}

// Returns of the episodes that ended.
std::vector<double> returns_of(const RolloutResult& result) {
  std::vector<double> returns;
  for (std::size_t k = 0; k < result.reward.size(); k++) {
    if ((result.terminated[k] | result.truncated[k]) != 0) {
      returns.push_back(double(result.ended_return[k]));
    }
  }
  std::sort(returns.begin(), returns.end());
  return returns;
}

// Greatest distance of two distribution functions.
double kolmogorov_smirnov(const std::vector<double>& x, const std::vector<double>& y) {
  double greatest = 0;
  for (const std::vector<double>* points : {&x, &y}) {
    for (const double at : *points) {
      const auto below = [at](const std::vector<double>& z) {
        return double(std::upper_bound(z.begin(), z.end(), at) - z.begin()) / double(z.size());
      };
      greatest = std::max(greatest, std::abs(below(x) - below(y)));
    }
  }
  return greatest;
}

TEST(FastRollout, ReturnsHaveTheDistributionOfStrictOnes) {
  for (const char* environment : {"CartPole", "Pendulum"}) {
    RolloutCase rollout = fast_case(environment, 64, Head::kCategorical);
    if (std::string(environment) == "Pendulum") rollout.head = Head::kGaussian;
    rollout.n_envs = 256;
    rollout.n_steps = 60;
    rollout.time_limit = 50;
    SCOPED_TRACE(rollout.label());
    const auto cpu = make_cpu_backend(2);
    const auto subject = make_subject();
    const std::vector<double> strict = returns_of(run_rollout(*cpu, rollout));
    rollout.arithmetic = Arithmetic::kFast;
    const std::vector<double> fast = returns_of(run_rollout(*subject, rollout));
    ASSERT_GT(strict.size(), 200u);
    ASSERT_GT(fast.size(), 200u);
    // At the level of 0.1 %: 1.95 sqrt((n + m) / (n m)).
    const double n = double(strict.size()), m = double(fast.size());
    EXPECT_LT(kolmogorov_smirnov(strict, fast), 1.95 * std::sqrt((n + m) / (n * m)));
    // A planted change of the returns, of half a deviation, is found.
    const double mean = std::accumulate(strict.begin(), strict.end(), 0.0) / n;
    double variance = 0;
    for (const double x : strict) variance += (x - mean) * (x - mean) / n;
    std::vector<double> shifted = strict;
    for (double& x : shifted) x += 0.5 * std::sqrt(variance);
    EXPECT_GT(kolmogorov_smirnov(shifted, fast), 1.95 * std::sqrt((n + m) / (n * m)));
  }
}

// Where there is no such kernel the strict one runs, and the backend says so once.
TEST(FastRollout, OtherShapesAreStrictAndSaidToBe) {
  RolloutCase rollout;
  rollout.n_envs = 9;
  rollout.n_steps = 3;
  rollout.hidden = {64, 32};
  const auto cpu = make_cpu_backend(1);
  const RolloutResult expected = run_rollout(*cpu, rollout);
  rollout.arithmetic = Arithmetic::kFast;
  std::vector<std::string> notes;
  const auto subject = make_subject([&](const std::string& text) { notes.push_back(text); });
  expect_same(expected, run_rollout(*subject, rollout));
  expect_same(expected, run_rollout(*cpu, rollout));
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("mode fast has no rollout on tensor cores"), std::string::npos);
  notes.clear();
  rollout.hidden = {64, 64};
  run_rollout(*subject, rollout);
  EXPECT_TRUE(notes.empty());
}

}  // namespace
}  // namespace gallop::testing
