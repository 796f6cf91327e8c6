// EGGROLL: evolution strategies whose perturbations of a network's matrices are of low rank.
//
//   W_m = W + s_m sigma A_m B_m / sqrt(r),   A [inputs, r], B [r, outputs] standard normal
//   g   = 1 / P sum_m u_m s_m A_m B_m / sqrt(r)
//
// Biases and what a head has of its own are perturbed as in es, which it is in all else. A sum over
// many members has full rank whatever r is; it comes as close to the estimate by full perturbations
// as 1 / r. Made for networks whose matrices are large beside the population. For policies alone: a
// function's argument has no matrices.
//
// Source: Sarkar et al., Evolution strategies at the hyperscale, arXiv:2511.16652.
//
// Verified: the estimate against sums over single members and its mean on a linear function
// (tests/black_box/gradient_estimates_test.cpp).
#include <gallop/algorithms/black_box/evolution_strategy.h>
#include <gallop/host/error.h>

namespace gallop {
namespace {

constexpr auto kOptions =
    rows(evolution_strategy_rows(256, 0.1, "adam", 0.03),
         integer_row("rank", 1, {.min = 1, .max = 64}, "of the perturbations of a matrix"));

int checked_rank(const OptimizerContext& context) {
  if (context.shape.network.n_layers == 0) {
    throw value_error(
        "eggroll perturbs the matrices of a network, and neither the argument of a function nor a "
        "policy of a few weights has one; es perturbs any point");
  }
  return int(context.options.integer("rank"));
}

}  // namespace
}  // namespace gallop

GALLOP_OPTIMIZER(Eggroll)

const gallop::OptimizerDescriptor& gallop_optimizer_Eggroll() {
  static constexpr gallop::OptimizerDescriptor kDescriptor = {
      "eggroll",
      "low_rank_es",
      "evolution strategies with perturbations of low rank",
      "arXiv:2511.16652",
      gallop::kOptions,
      [](const gallop::OptimizerContext& c) -> std::unique_ptr<gallop::BlackBoxOptimizer> {
        return std::make_unique<gallop::EvolutionStrategy>(c, "eggroll", gallop::checked_rank(c));
      }};
  return kDescriptor;
}
