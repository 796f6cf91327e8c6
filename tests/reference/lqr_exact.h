// Exact return and gradients of the scalar linear-quadratic system with the policy
// u = -k s + sigma eps, by recursion of the second moment M_t = E[s_t^2] in long double.
#pragma once

namespace gallop::testing {

struct ScalarLqr {
  long double a = 0.95L, b = 0.5L, q = 1, rho = 0.1L, s0 = 1, sigma_w = 0.1L;
  int horizon = 10;
};

struct LqrAnswer {
  long double value, by_gain, by_sigma;  // U, dU/dk, dU/dsigma
};

inline LqrAnswer exact_lqr(const ScalarLqr& p, long double k, long double sigma) {
  const long double closed = p.a - p.b * k;
  long double m = p.s0 * p.s0, m_k = 0, m_sigma = 0;  // M_t and its derivatives
  LqrAnswer u = {0, 0, 0};
  for (int t = 0; t < p.horizon; t++) {
    const long double cost = p.q + p.rho * k * k;
    u.value -= cost * m + p.rho * sigma * sigma;
    u.by_gain -= 2 * p.rho * k * m + cost * m_k;
    u.by_sigma -= cost * m_sigma + 2 * p.rho * sigma;
    m_k = -2 * p.b * closed * m + closed * closed * m_k;
    m_sigma = closed * closed * m_sigma + 2 * p.b * p.b * sigma;
    m = closed * closed * m + p.b * p.b * sigma * sigma + p.sigma_w * p.sigma_w;
  }
  return u;
}

}  // namespace gallop::testing
