// Adam (Kingma and Ba, arXiv:1412.6980v9, Algorithm 1), element by element.
#pragma once

#include <gallop/kernels/numerics/scalar.h>

namespace gallop {

// What the elements of a step have in common. The caller keeps the powers of beta by repeated
// multiplication in double, so that no library's pow takes part.
struct AdamStep {
  float learning_rate, beta1, beta2, epsilon;
  float correction1, correction2;  // 1 - beta1^t, 1 - beta2^t
  float gradient_scale;            // from clipping the norm
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class F>
GALLOP_HD void adam_element(const AdamStep& r, F gradient, F& parameter, F& m, F& v) {
  const F g = gradient * F(r.gradient_scale);
  m = fmadd(F(r.beta1), m, F(1.0f - r.beta1) * g);
  v = fmadd(F(r.beta2), v, F(1.0f - r.beta2) * (g * g));
  const F m_hat = m * reciprocal(F(r.correction1));
  const F v_hat = v * reciprocal(F(r.correction2));
  parameter = parameter - F(r.learning_rate) * (m_hat * reciprocal(sqrt(v_hat) + F(r.epsilon)));
}

}  // namespace gallop::inline GALLOP_ISA
