// Evolution strategies with perturbations of any rank (es.cpp, eggroll.cpp).
#pragma once

#include <vector>

#include <gallop/algorithms/black_box/perturbation_search.h>
#include <gallop/host/options/option_rows.h>

namespace gallop {

constexpr auto evolution_strategy_rows(int population, double sigma, const char* step,
                                       double learning_rate) {
  return rows(
      integer_row("population", population, {.min = 0, .max = 1 << 24, .unit = "members"},
                  "of a generation"),
      real_row("sigma", sigma, {.min = 1e-12, .max = 1e12}, "deviation of the perturbations"),
      boolean_row("mirrored", true, "perturbations come in pairs, theta + x and theta - x"),
      choice_row("utility", "ranks", "ranks,standardized,raw", "what members count by"),
      ascent_rows(step, learning_rate),
      real_row("weight_decay", 0, {.min = 0, .max = 1e6},
               "times the parameters is subtracted from the gradient"),
      real_row("sigma_decay", 1, {.min = 0, .max = 1}, "factor of sigma after each generation"),
      real_row("sigma_limit", 1e-12, {.min = 1e-20, .max = 1e12}, "sigma decays no further"));
}

class EvolutionStrategy : public PerturbationSearch {
 public:
  // Of the options of evolution_strategy_rows; `rank` as Population has it.
  EvolutionStrategy(const OptimizerContext& context, const char* method, int rank);

  Metrics metrics() const override;

 protected:
  void update(std::span<const double> fitness) override;
  void save_state(TensorFile& file) const override;
  void load_state(const TensorFile& file) override;

 private:
  const Options& options_;
  Ascent ascent_;
  double gradient_norm_ = 0;
};

}  // namespace gallop
