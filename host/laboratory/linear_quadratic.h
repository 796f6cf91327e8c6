// Exact answers of linear-quadratic systems under u = -K s + sigma eps:
//
//   s' = A s + B u + W eps',  reward -(s' Q s + u' R u) on the state before the step
//
// over H steps, by recursions of Riccati and Lyapunov in double, and over infinite time.
#pragma once

#include <Eigen/Dense>
#include <vector>

namespace gallop {

template <int N>
struct LinearQuadraticSystem {
  using Matrix = Eigen::Matrix<double, N, N>;
  using Vector = Eigen::Matrix<double, N, 1>;
  Matrix a = Matrix::Identity(), b = Matrix::Identity();
  Matrix q = Matrix::Identity(), r = Matrix::Identity();  // symmetric
  Matrix w = Matrix::Identity();
  Vector initial = Vector::Zero();  // mean of s_0
  double initial_sigma = 0;         // its standard deviation in every direction
  int horizon = 1;

  Matrix noise() const { return w * w.transpose(); }
  // E[s_0 s_0'].
  Matrix first_moment() const {
    return initial * initial.transpose() + initial_sigma * initial_sigma * Matrix::Identity();
  }
};

template <int N>
struct LinearQuadraticAnswer {
  using Matrix = Eigen::Matrix<double, N, N>;
  double value = 0;           // U
  Matrix by_gain;             // dU/dK
  double by_sigma = 0;        // dU/dsigma
  std::vector<Matrix> p;      // [H + 1] V_t(s) = -(s' P_t s + c_t)
  std::vector<double> c;      // [H + 1]
  std::vector<double> noise;  // [H + 1] tr(P_t W W')
  std::vector<double> rest;   // [H] E[G_t]
};

// With rewards discounted by gamma. Backwards
//   P_t = Q + K'RK + gamma (A-BK)' P_{t+1} (A-BK)
//   c_t = sigma^2 tr R + gamma (tr(P_{t+1} (sigma^2 BB' + WW')) + c_{t+1}),
// forwards M_{t+1} = (A-BK) M_t (A-BK)' + sigma^2 BB' + WW' from M_0 = E[s_0 s_0'], and
//   dU/dK = -2 sum_t gamma^t (R K - gamma B' P_{t+1} (A-BK)) M_t
//   dU/dsigma = -2 sigma sum_t gamma^t (tr R + gamma tr(B' P_{t+1} B)).
template <int N>
LinearQuadraticAnswer<N> solve(const LinearQuadraticSystem<N>& system,
                               const Eigen::Matrix<double, N, N>& gain, double sigma,
                               double gamma = 1) {
  using Matrix = Eigen::Matrix<double, N, N>;
  const int horizon = system.horizon;
  const Matrix closed = system.a - system.b * gain;
  const Matrix noise = system.noise(), pushed = system.b * system.b.transpose();
  const Matrix cost = system.q + gain.transpose() * system.r * gain;
  LinearQuadraticAnswer<N> answer;
  answer.p.assign(horizon + 1, Matrix::Zero());
  answer.c.assign(horizon + 1, 0.0);
  answer.noise.assign(horizon + 1, 0.0);
  answer.rest.assign(horizon, 0.0);
  for (int t = horizon - 1; t >= 0; t--) {
    const Matrix& next = answer.p[t + 1];
    answer.p[t] = cost + gamma * closed.transpose() * next * closed;
    answer.c[t] = sigma * sigma * system.r.trace() +
                  gamma * ((next * (sigma * sigma * pushed + noise)).trace() + answer.c[t + 1]);
    answer.noise[t] = (answer.p[t] * noise).trace();
  }
  answer.by_gain.setZero();
  Matrix moment = system.first_moment();
  double factor = 1;
  for (int t = 0; t < horizon; t++) {
    const Matrix& next = answer.p[t + 1];
    answer.rest[t] = -((answer.p[t] * moment).trace() + answer.c[t]);
    answer.by_gain -=
        2 * factor * (system.r * gain - gamma * system.b.transpose() * next * closed) * moment;
    answer.by_sigma -= 2 * sigma * factor * (system.r.trace() + gamma * (next * pushed).trace());
    moment = (closed * moment * closed.transpose() + sigma * sigma * pushed + noise).eval();
    factor *= gamma;
  }
  answer.value = answer.rest[0];
  return answer;
}

// U alone, of plain rewards.
template <int N>
double expected_return(const LinearQuadraticSystem<N>& system,
                       const Eigen::Matrix<double, N, N>& gain, double sigma) {
  using Matrix = Eigen::Matrix<double, N, N>;
  const Matrix closed = system.a - system.b * gain;
  const Matrix cost = system.q + gain.transpose() * system.r * gain;
  const Matrix noise = sigma * sigma * system.b * system.b.transpose() + system.noise();
  Matrix moment = system.first_moment();
  double value = 0;
  for (int t = 0; t < system.horizon; t++) {
    value -= (cost * moment).trace() + sigma * sigma * system.r.trace();
    moment = (closed * moment * closed.transpose() + noise).eval();
  }
  return value;
}

// Infinite time, without exploration: average cost of u = -K s, and the gain that minimises it.
template <int N>
struct AverageCost {
  using Matrix = Eigen::Matrix<double, N, N>;
  double cost;      // C(K) = tr(P W W') = tr((Q + K'RK) Sigma), infinite where K does not stabilise
  Matrix gradient;  // dC/dK = 2 ((R + B'PB) K - B'PA) Sigma
};

namespace linear_quadratic {

// The limit of X = C + F' X F, by doubling: 60 rounds sum 2^60 terms. Infinite where it diverges.
template <class Matrix>
Matrix lyapunov(Matrix f, Matrix c) {
  constexpr int kRounds = 60;
  for (int k = 0; k < kRounds; k++) {
    const Matrix more = f.transpose() * c * f;
    c += more;
    const double size = c.norm();
    if (!(size < 1e150)) break;  // beyond it norms overflow
    if (more.norm() <= 1e-18 * size) return c;
    f = (f * f).eval();
  }
  return Matrix::Constant(__builtin_inf());
}

}  // namespace linear_quadratic

template <int N>
AverageCost<N> average_cost(const LinearQuadraticSystem<N>& system,
                            const Eigen::Matrix<double, N, N>& gain) {
  using Matrix = Eigen::Matrix<double, N, N>;
  const Matrix closed = system.a - system.b * gain;
  const Matrix cost = system.q + gain.transpose() * system.r * gain;
  const Matrix p = linear_quadratic::lyapunov<Matrix>(closed, cost);
  if (!p.allFinite()) return {__builtin_inf(), Matrix::Constant(__builtin_nan(""))};
  const Matrix covariance = linear_quadratic::lyapunov<Matrix>(closed.transpose(), system.noise());
  const Matrix slope =
      (system.r + system.b.transpose() * p * system.b) * gain - system.b.transpose() * p * system.a;
  return {(p * system.noise()).trace(), 2 * slope * covariance};
}

// K* by the Riccati recursion P <- Q + A'PA - A'PB (R + B'PB)^-1 B'PA until it stands still.
template <int N>
Eigen::Matrix<double, N, N> optimal_gain(const LinearQuadraticSystem<N>& system) {
  using Matrix = Eigen::Matrix<double, N, N>;
  constexpr int kMostRounds = 200000;
  Matrix p = system.q, gain = Matrix::Zero();
  for (int k = 0; k < kMostRounds; k++) {
    const Matrix weight = system.r + system.b.transpose() * p * system.b;
    gain = weight.ldlt().solve(system.b.transpose() * p * system.a);
    const Matrix next = system.q + system.a.transpose() * p * (system.a - system.b * gain);
    const bool still = (next - p).norm() <= 1e-16 * next.norm();
    p = next;
    if (still) break;
  }
  return gain;
}

}  // namespace gallop
