#include <gallop/algorithms/black_box/evolution_strategy.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>

namespace gallop {
namespace {

PerturbationSearch::Form form_of(const OptimizerContext& context, const char* method, int rank) {
  const std::int64_t population = context.options.integer("population");
  const bool is_mirrored = context.options.flag("mirrored");
  require_population(method, population, 2, "members are compared with each other");
  if (is_mirrored && population % 2 != 0) {
    throw value_error(fmt::format(
        "a population of {} cannot be mirrored in pairs; expected an even number, or mirrored = "
        "false",
        population));
  }
  return {int(population), is_mirrored, rank};
}

}  // namespace

EvolutionStrategy::EvolutionStrategy(const OptimizerContext& context, const char* method, int rank)
    : PerturbationSearch(context, form_of(context, method, rank), {context.options.real("sigma")}),
      options_(context.options),
      ascent_(dimension(), context.options) {}

void EvolutionStrategy::update(std::span<const double> fitness) {
  const Sums s = sums(utilities(fitness, options_.text("utility"), sigma(0)), false);
  std::vector<double> gradient = s.eps;
  const double decay = options_.real("weight_decay");
  const std::vector<double> center = this->center();
  for (std::size_t k = 0; k < gradient.size(); k++) {
    gradient[k] = gradient[k] / double(population()) - decay * center[k];
  }
  const double norm = length(gradient);
  const double next = std::max(std::min(sigma(0), options_.real("sigma_limit")),
                               sigma(0) * options_.real("sigma_decay"));
  climb(ascent_, gradient, {next});
  gradient_norm_ = norm;
}

Metrics EvolutionStrategy::metrics() const {
  return {
      {"sigma", sigma(0)}, {"gradient_norm", gradient_norm_}, {"parameter_norm", length(center())}};
}

void EvolutionStrategy::save_state(TensorFile& file) const {
  PerturbationSearch::save_state(file);
  ascent_.save(file, "optimizer/ascent");
  file.put_scalar<double>("optimizer/gradient_norm", gradient_norm_);
}

void EvolutionStrategy::load_state(const TensorFile& file) {
  PerturbationSearch::load_state(file);
  ascent_.load(file, "optimizer/ascent");
  gradient_norm_ = finite_number(file, "optimizer/gradient_norm", 0, 1e300);
}

}  // namespace gallop
