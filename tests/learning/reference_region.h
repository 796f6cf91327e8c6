// Fisher matrices and divergences of policies at recorded states, in double and from the equations
// alone: what trust-region steps are measured with.
#pragma once

#include <Eigen/Dense>

#include "tests/learning/kernel_sets.h"
#include "tests/learning/learner_parts.h"
#include "tests/learning/reference_policy.h"

namespace gallop::testing {

// The inputs of a learner's policy at every sample of its rollout.
inline std::vector<Vector> recorded_inputs(const LearnerParts& p) {
  const RolloutArrays a = p.arrays();
  const int rows = p.learner.samples(nullptr, 0).observation_rows;
  std::vector<Vector> inputs;
  for (long s = 0; s < p.learner.n_samples(); s++) {
    Vector x;
    for (int k = 0; k < rows; k++) {
      x.push_back(a.observation[(s / a.n_envs * rows + k) * a.n_envs + s % a.n_envs]);
    }
    inputs.push_back(p.learner.environments().has_index_observations()
                         ? x
                         : reference_normalize(p.learner.policy().view().normalization, x));
  }
  return inputs;
}

// log sigma of component i within its limits.
inline double reference_log_std(const PolicyShape& shape, const Vector& theta, const Vector& output,
                                int i) {
  const double given = shape.head == Head::kGaussianNetwork
                           ? output[shape.n_actions + i]
                           : theta[layer_offset(shape.network, shape.network.n_layers) + i];
  return std::min(std::max(given, double(kMinLogStd)), double(kMaxLogStd));
}

// Mean KL(old || now) over the inputs.
inline double reference_kl(const PolicyShape& shape, const std::vector<Vector>& inputs,
                           const Vector& old, const Vector& now) {
  double sum = 0;
  for (const Vector& x : inputs) {
    const Vector a = reference_forward(shape.network, old, x);
    const Vector b = reference_forward(shape.network, now, x);
    for (int i = 0; i < shape.n_actions; i++) {
      if (shape.head == Head::kCategorical) {
        const Vector action = {double(i)};
        const double p = reference_distribution(shape, a, nullptr, action).log_prob;
        const double q = reference_distribution(shape, b, nullptr, action).log_prob;
        sum += std::exp(p) * (p - q);
        continue;
      }
      const double s = reference_log_std(shape, old, a, i), t = reference_log_std(shape, now, b, i);
      sum += t - s + (std::exp(2 * s) + std::pow(a[i] - b[i], 2)) / (2 * std::exp(2 * t)) - 0.5;
    }
  }
  return sum / double(inputs.size());
}

// mean of J^T M J over the inputs, J by central differences of the head's inputs.
inline Eigen::MatrixXd reference_fisher(const PolicyShape& shape, const std::vector<Vector>& inputs,
                                        const Vector& theta) {
  const long d = long(theta.size());
  const int n = shape.n_actions;
  const bool categorical = shape.head == Head::kCategorical;
  const int rows = categorical ? n : 2 * n;  // logits; means and log sigma
  const auto head = [&](const Vector& at, const Vector& x) {
    Vector y = reference_forward(shape.network, at, x);
    if (categorical) return y;
    Vector h(y.begin(), y.begin() + n);
    for (int i = 0; i < n; i++) h.push_back(reference_log_std(shape, at, y, i));
    return h;
  };
  Eigen::MatrixXd fisher = Eigen::MatrixXd::Zero(d, d), jacobian(rows, d);
  for (const Vector& x : inputs) {
    Vector moved = theta;
    for (long j = 0; j < d; j++) {
      const double h = 1e-5;
      moved[j] = theta[j] + h;
      const Vector up = head(moved, x);
      moved[j] = theta[j] - h;
      const Vector down = head(moved, x);
      moved[j] = theta[j];
      for (int i = 0; i < rows; i++) jacobian(i, j) = (up[i] - down[i]) / (2 * h);
    }
    const Vector at = head(theta, x);
    Eigen::MatrixXd m = Eigen::MatrixXd::Zero(rows, rows);
    if (categorical) {
      Eigen::VectorXd p(n);
      for (int i = 0; i < n; i++) p[i] = std::exp(at[i]);
      p /= p.sum();
      m = Eigen::MatrixXd(p.asDiagonal()) - p * p.transpose();
    } else {
      for (int i = 0; i < n; i++) {
        m(i, i) = std::exp(-2 * at[n + i]);
        m(n + i, n + i) = 2;
      }
    }
    fisher += jacobian.transpose() * m * jacobian / double(inputs.size());
  }
  return fisher;
}

// Moves the policy away from its beginning, where outputs are nearly 0.
inline void scatter(LearnerParts& p, double scale, std::uint64_t seed) {
  std::vector<float> theta = p.learner.policy().parameters().values();
  Random random(seed);
  for (float& x : theta) x += float(scale * random.normal());
  p.backend->to_device(p.learner.policy().parameters().mutable_data(), theta.data(),
                       theta.size() * sizeof(float));
}

inline Vector policy_of(LearnerParts& p) {
  const std::vector<float> values = p.learner.policy().parameters().values();
  return {values.begin(), values.end()};
}

}  // namespace gallop::testing
