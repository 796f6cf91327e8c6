// Evolution strategies as scalable as policy gradients: the gradient of a smoothed return, from
// mirrored perturbations.
//
//   grad E_eps U(theta + sigma eps) = E[U(theta + sigma eps) eps] / sigma
//   g     = 1 / P sum_m u_m s_m eps_m - weight_decay theta
//   theta <- theta + step of Adam along g
//
// u_m are centred ranks of all P returns, from -1/2 to 1/2, equal returns sharing the mean of their
// places; or returns less their mean, over their deviation (standardized) or over sigma (raw, the
// estimate itself). Members 2 i and 2 i + 1 are theta + sigma eps and theta - sigma eps. As in
// OpenAI's program neither sigma nor the spread of ranks is divided out, which Adam does not see
// and `weight_decay` is measured against. `step` may also be plain, or ClipUp of arXiv:2008.02387.
//
// Source: Salimans, Ho, Chen, Sidor and Sutskever, arXiv:1703.03864v2, Algorithms 1 and 2, and
// their program (evolution-strategies-starter) for ranks, weight decay and Adam.
//
// Verified: ranks and the estimate against their definition, its variance on a linear function, its
// mean on a quadratic one (tests/black_box/gradient_estimates_test.cpp), learning on cartpole
// (tests/training/learning_test.cpp).
#include <gallop/algorithms/black_box/evolution_strategy.h>

namespace gallop {
namespace {

constexpr auto kOptions = evolution_strategy_rows(256, 0.1, "adam", 0.03);

}  // namespace
}  // namespace gallop

GALLOP_OPTIMIZER(Es)

const gallop::OptimizerDescriptor& gallop_optimizer_Es() {
  static constexpr gallop::OptimizerDescriptor kDescriptor = {
      "es",
      "open_es,openai_es,evolution_strategies",
      "evolution strategies with mirrored perturbations",
      "arXiv:1703.03864v2, Algorithm 2",
      gallop::kOptions,
      [](const gallop::OptimizerContext& c) -> std::unique_ptr<gallop::BlackBoxOptimizer> {
        return std::make_unique<gallop::EvolutionStrategy>(c, "es", 0);
      }};
  return kDescriptor;
}
