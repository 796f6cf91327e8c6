// CMA-ES: evolution strategy with covariance matrix adaptation.
//
//   x_i = m + sigma B D z_i,   C = B D^2 B^T,   weights w_1 >= w_2 >= ... by rank
//   m  <- m + sigma <y>,   <y> = sum_{i <= mu} w_i (x_i - m) / sigma
//   p_sigma <- (1 - c_sigma) p_sigma + sqrt(c_sigma (2 - c_sigma) mu_eff) C^(-1/2) <y>
//   p_c     <- (1 - c_c) p_c + h sqrt(c_c (2 - c_c) mu_eff) <y>
//   C <- (1 + c_1 delta(h) - c_1 - c_mu sum w_i) C + c_1 p_c p_c^T + c_mu sum w_i y_i y_i^T
//   sigma <- sigma exp(c_sigma / d_sigma (|p_sigma| / E|N(0, I)| - 1))
//
// All in double; only ranks of the fitness count. With `active` the worst half has weights below 0,
// of y_i scaled to the length sqrt(n) in the metric of C. `constants` chooses those of the tutorial
// or of pycma's purecma, which also bounds the growth of sigma and takes |p_sigma|^2 in its place.
// C is decomposed after 0.5 lambda / ((c_1 + c_mu) n) evaluations, as purecma does. A run ends
// where the fitness of the last 10 + 30 n / lambda generations changes by less than 1e-12, steps
// are shorter than 1e-11, or the condition of C passes 1e14; `restarts` begins another one. For up
// to 8192 parameters; sep_cma_es takes more. A decomposition is one call of a library, which no
// signal interrupts but a second one that ends the process: about 9 s of a core with 4610
// parameters, and as the third power of their number.
//
// Source: Hansen, arXiv:1604.00772v2; restarts: Auger and Hansen, CEC 2005 (ipop), Hansen, GECCO
// workshop 2009 (bipop).
//
// Verified: the constants against those of pycma, evaluations until 1e-8 on four functions against
// purecma's, invariances and restarts (tests/black_box/cma_es_test.cpp).
#include <gallop/algorithms/black_box/cma_search.h>

namespace gallop {
namespace {

constexpr auto kOptions = cma_rows(true);

}  // namespace
}  // namespace gallop

GALLOP_OPTIMIZER(CmaEs)

const gallop::OptimizerDescriptor& gallop_optimizer_CmaEs() {
  static constexpr gallop::OptimizerDescriptor kDescriptor = {
      "cma_es",
      "cma,covariance_matrix_adaptation",
      "evolution strategy with covariance matrix adaptation",
      "arXiv:1604.00772v2",
      gallop::kOptions,
      [](const gallop::OptimizerContext& c) -> std::unique_ptr<gallop::BlackBoxOptimizer> {
        return std::make_unique<gallop::CmaSearch>(c, false);
      },
      false,
      gallop::require_full_covariance};
  return kDescriptor;
}
