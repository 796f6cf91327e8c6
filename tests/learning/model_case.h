// A learned model that is known: the scalar linear-quadratic system of the laboratory as a network
// of tanh units, with a learner, its transitions and exact answers.
//
//   s' = a s + b u + sigma_w w,  u = -k s + sigma e,  r = -(s^2 + rho u^2)
//
// Linear maps and squares are made of tanh(x) near 0 and of tanh(c + x) + tanh(c - x) where the
// fourth derivative of tanh is 0: exact to about 1e-4.
#pragma once

#include <cmath>
#include <memory>

#include <gallop/host/learning/model_paths.h>
#include "tests/learning/learner_parts.h"

namespace gallop::testing {

constexpr double kA = 0.95, kB = 0.5, kRho = 0.1, kHorizon = 10;

// U and dU/dk over ten steps from s = 1 (algorithms' reference, section 5.1).
struct LqrAnswer {
  double value = 0, by_gain = 0;
};
inline LqrAnswer lqr_answer(double k, double sigma, double sigma_w) {
  LqrAnswer answer;
  double m = 1, dm = 0;
  for (int t = 0; t < int(kHorizon); t++) {
    answer.value -= (1 + kRho * k * k) * m + kRho * sigma * sigma;
    answer.by_gain -= 2 * kRho * k * m + (1 + kRho * k * k) * dm;
    const double f = kA - kB * k;
    dm = -2 * kB * f * m + f * f * dm;
    m = f * f * m + kB * kB * sigma * sigma + sigma_w * sigma_w;
  }
  return answer;
}

// Weights of a network of one hidden layer of tanh: `squares` and `lines` are directions in its
// inputs, each with factors for the outputs.
class KnownNetwork {
 public:
  KnownNetwork(int inputs, int outputs) : inputs_(inputs), constant_(std::size_t(outputs), 0.0) {}

  // outputs += factors * (direction x)
  void add_line(const std::vector<double>& direction, const std::vector<double>& factors) {
    constexpr double kSmall = 0.005;
    add_unit(direction, kSmall, 0, factors, 1 / kSmall);
  }
  // outputs += factors * (direction x)^2
  void add_square(const std::vector<double>& direction, const std::vector<double>& factors) {
    constexpr double kSmall = 0.2;
    const double t = std::sqrt(2.0 / 3), at = std::atanh(t), second = -2 * t * (1 - t * t);
    for (const double sign : {1.0, -1.0}) {
      add_unit(direction, sign * kSmall, at, factors, 1 / (second * kSmall * kSmall));
    }
    for (std::size_t j = 0; j < factors.size(); j++) {
      constant_[j] -= factors[j] * 2 * t / (second * kSmall * kSmall);
    }
  }
  void add_constant(int output, double x) { constant_[std::size_t(output)] += x; }

  int units() const { return int(unit_.size()); }
  std::vector<float> parameters() const {
    std::vector<float> all;
    for (int k = 0; k < inputs_; k++) {
      for (const Unit& u : unit_) all.push_back(float(u.weight[std::size_t(k)]));
    }
    for (const Unit& u : unit_) all.push_back(float(u.bias));
    for (const Unit& u : unit_) {
      for (const double f : u.factor) all.push_back(float(f));
    }
    for (const double c : constant_) all.push_back(float(c));
    return all;
  }

 private:
  struct Unit {
    std::vector<double> weight, factor;
    double bias;
  };
  void add_unit(const std::vector<double>& direction, double scale, double bias,
                const std::vector<double>& factors, double gain) {
    Unit unit = {direction, factors, bias};
    for (double& w : unit.weight) w *= scale;
    for (double& f : unit.factor) f *= gain;
    unit_.push_back(unit);
  }

  int inputs_;
  std::vector<Unit> unit_;
  std::vector<double> constant_;
};

// Change of the state, and reward, of state and action.
inline KnownNetwork lqr_model() {
  KnownNetwork network(2, 2);
  network.add_line({1, 0}, {kA - 1, 0});
  network.add_line({0, 1}, {kB, 0});
  network.add_square({1, 0}, {0, -1});
  network.add_square({0, 1}, {0, -kRho});
  return network;
}

struct ModelCase {
  LearnerParts parts;
  TransitionStore store;
  DynamicsModel model;

  // On lqr by the options of an algorithm, with a linear policy.
  ModelCase(const std::string& algorithm, std::vector<std::string> options, double held_out = 0)
      : parts("lqr", algorithm, with_linear_policy(std::move(options)), 2),
        store(parts.context, parts.learner.environments(), parts.learner.rollout(), held_out),
        model(parts.context, store) {}

  void set_policy(double k, double sigma) {
    const float values[] = {float(-k), 0.0f, float(std::log(sigma))};
    std::copy_n(values, 3, parts.learner.policy().parameters().mutable_data());
  }
  void collect() {
    parts.learner.collect();
    store.add(parts.learner.rollout());
  }
  // The model is the system itself, with noise of this deviation.
  void use_known_model(double sigma_w) {
    const std::vector<float> known = lqr_model().parameters();
    ASSERT_EQ(long(known.size()), model.member(0).size());
    std::copy(known.begin(), known.end(), model.member(0).mutable_data());
    model.set_statistics({{0, 0}, {1, 1}, {0, 0}, {1, 1}, {float(sigma_w)}});
  }
  // dU/dk of what the gradient behind the policy's parameters climbs.
  double by_gain() const { return double(parts.learner.policy().parameters().gradient()[0]); }

 private:
  static std::vector<std::string> with_linear_policy(std::vector<std::string> options) {
    options.insert(options.end(), {"hidden=", "gamma=1", "n_steps=10"});
    return options;
  }
};

struct MeanAndError {
  double mean = 0, error = 0;  // standard error of the mean
};
inline MeanAndError mean_and_error(const std::vector<double>& x) {
  MeanAndError result;
  const double n = double(x.size());
  for (const double v : x) result.mean += v / n;
  double squares = 0;
  for (const double v : x) squares += (v - result.mean) * (v - result.mean);
  result.error = std::sqrt(squares / (n * (n - 1)));
  return result;
}

}  // namespace gallop::testing
