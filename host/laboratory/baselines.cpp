#include <Eigen/Dense>

#include <gallop/host/laboratory/problem.h>

namespace gallop {
namespace {

// w that minimises sum (y - w' phi)^2, from the upper triangle of sum phi phi' by rows and, behind
// it, sum phi y: `normal` [n (n + 1) / 2 + n].
std::vector<double> solve_normal(const double* normal, int n) {
  Eigen::MatrixXd a(n, n);
  Eigen::VectorXd y(n);
  for (int i = 0; i < n; i++) {
    for (int j = i; j < n; j++) a(i, j) = a(j, i) = *normal++;
  }
  for (int i = 0; i < n; i++) y(i) = *normal++;
  // Features of one scale, so that what counts as zero does not hang on their units.
  Eigen::VectorXd scale = a.diagonal().cwiseMax(0).cwiseSqrt();
  for (int i = 0; i < n; i++) scale(i) = scale(i) > 0 ? 1 / scale(i) : 0;
  a = (scale.asDiagonal() * a * scale.asDiagonal()).eval();
  Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd> decomposition;
  decomposition.setThreshold(1e-10);
  decomposition.compute(a);
  const Eigen::VectorXd w =
      scale.cwiseProduct(decomposition.solve(scale.cwiseProduct(y).eval()).eval());
  return {w.data(), w.data() + n};
}

}  // namespace

void LaboratoryProblem::fit_baselines(const std::vector<double>& sums) {
  LaboratoryModel& m = model();
  const PilotLayout layout = {m.n_parameters, m.horizon, m.n_features};
  double squares = 0, weighted = 0;
  for (int d = 0; d < m.n_parameters; d++) {
    const double square = sums[layout.squares() + d], product = sums[layout.weighted() + d];
    m.optimal[d] = square > 0 ? product / square : 0;
    squares += square;
    weighted += product;
  }
  m.optimal_scalar = squares > 0 ? weighted / squares : 0;
  linear_ = solve_normal(&sums[layout.linear()], m.n_features + 3);
  m.linear = linear_.data();
  for (const Discounting how : {kPlain, kDiscounted}) {
    std::vector<double>& critic = critic_[how];
    critic.clear();
    for (int t = 0; t < m.horizon; t++) {
      const std::vector<double> weights = solve_normal(&sums[layout.critic(how, t)], m.n_features);
      critic.insert(critic.end(), weights.begin(), weights.end());
    }
    critic.resize(size_t(m.horizon + 1) * m.n_features, 0.0);
    m.critic[how] = critic.data();
  }
}

}  // namespace gallop
