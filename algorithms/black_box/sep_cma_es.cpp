// Separable CMA-ES: CMA-ES with a diagonal covariance.
//
//   x_i = m + sigma D z_i,   C = D^2 = diag(c_1, ..., c_n)
//   C <- (1 + c_1 delta(h) - c_1 - c_mu sum w_i) C + diag(c_1 p_c^2 + c_mu sum w_i y_i^2)
//
// Mean, paths and step size as in cma_es; c_1 and c_mu are (n + 2) / 3 times as large, for there is
// less to learn. Time and memory are linear in the number of parameters. It is not invariant to
// rotations: parameters that depend on each other are found more slowly.
//
// Source: Ros and Hansen, A Simple Modification in CMA-ES Achieving Linear Time and Space
// Complexity, PPSN 2008.
//
// Verified: the factor of the rates, and functions solved with it
// (tests/black_box/cma_es_test.cpp).
#include <gallop/algorithms/black_box/cma_search.h>

namespace gallop {
namespace {

constexpr auto kOptions = cma_rows(false);

}  // namespace
}  // namespace gallop

GALLOP_OPTIMIZER(SepCmaEs)

const gallop::OptimizerDescriptor& gallop_optimizer_SepCmaEs() {
  static constexpr gallop::OptimizerDescriptor kDescriptor = {
      "sep_cma_es",
      "sep_cma,separable_cma_es",
      "CMA-ES with a diagonal covariance",
      "Ros and Hansen, PPSN 2008",
      gallop::kOptions,
      [](const gallop::OptimizerContext& c) -> std::unique_ptr<gallop::BlackBoxOptimizer> {
        return std::make_unique<gallop::CmaSearch>(c, true);
      }};
  return kDescriptor;
}
