// Adam (Kingma and Ba, arXiv:1412.6980v9, Algorithm 1), element by element.
#pragma once

#include "kernels/numerics/scalar.h"

namespace gallop {

// Elements [begin, end) of all arrays [D]. The caller keeps the powers of beta by repeated
// multiplication in double, so that no library's pow takes part.
struct AdamRequest {
  float* parameters;
  const float* gradient;  // of a loss that is minimised
  float* first_moment;
  float* second_moment;
  float learning_rate, beta1, beta2, epsilon;
  float correction1, correction2;  // 1 - beta1^t, 1 - beta2^t
  float gradient_scale;            // from clipping the norm
  long begin, end;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class F>
GALLOP_HD void adam_element(const AdamRequest& r, F gradient, F& parameter, F& m, F& v) {
  const F g = gradient * F(r.gradient_scale);
  m = fmadd(F(r.beta1), m, F(1.0f - r.beta1) * g);
  v = fmadd(F(r.beta2), v, F(1.0f - r.beta2) * (g * g));
  const F m_hat = m * reciprocal(F(r.correction1));
  const F v_hat = v * reciprocal(F(r.correction2));
  parameter = parameter - F(r.learning_rate) * (m_hat * reciprocal(sqrt(v_hat) + F(r.epsilon)));
}

template <class F>
void adam(const AdamRequest& r) {
  constexpr int kW = kLanesOf<F>;
  for (long i = r.begin; i < r.end; i += kW) {
    const int n = r.end - i < kW ? int(r.end - i) : kW;
    F parameter = load_lanes(r.parameters + i, n, F());
    F m = load_lanes(r.first_moment + i, n, F()), v = load_lanes(r.second_moment + i, n, F());
    adam_element(r, load_lanes(r.gradient + i, n, F()), parameter, m, v);
    store_lanes(r.parameters + i, parameter, n);
    store_lanes(r.first_moment + i, m, n);
    store_lanes(r.second_moment + i, v, n);
  }
}

}  // namespace gallop::inline GALLOP_ISA
