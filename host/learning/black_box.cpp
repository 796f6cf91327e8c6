#include <gallop/host/learning/black_box.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>
#include <gallop/kernels/random/stream.h>

namespace gallop {
namespace {

// Generations and members are 32-bit words of the random generator's counter.
constexpr std::uint64_t kMostGenerations = ~std::uint32_t(0);

}  // namespace

BlackBoxOptimizer::BlackBoxOptimizer(const OptimizerContext& context)
    : backend_(context.backend), dimension_(long(context.initial.size())), seed_(context.seed) {
  if (dimension_ < 1) {
    throw value_error("the initial point has 0 components; expected at least 1");
  }
  for (long k = 0; k < dimension_; k++) {
    if (std::isfinite(context.initial[std::size_t(k)])) continue;
    throw value_error(
        fmt::format("component {} of the initial point is {}; expected a finite number", k,
                    context.initial[std::size_t(k)]));
  }
  if (seed_ > kMaxSeed) {
    throw value_error(fmt::format("the seed is {}; expected at most {}", seed_, kMaxSeed));
  }
}

void BlackBoxOptimizer::tell(std::span<const double> fitness) {
  const std::size_t n = std::size_t(population());
  if (fitness.size() != n) {
    throw value_error(
        fmt::format("fitness of {} members was told; generation {} has {} of them: one number for "
                    "each, in their order",
                    fitness.size(), generation_, n));
  }
  for (std::size_t m = 0; m < n; m++) {
    if (std::isfinite(fitness[m])) continue;
    throw Error(ExitCode::non_finite,
                fmt::format("the fitness of member {} in generation {} is {}; expected a finite "
                            "number. The generation is refused and the search stays where it was",
                            m, generation_, fitness[m]));
  }
  const auto [low, high] = std::minmax_element(fitness.begin(), fitness.end());
  if (*low == *high && !learns_from_constant()) {
    throw value_error(fmt::format(
        "all {} members of generation {} have the fitness {}: nothing tells them apart, and the "
        "search stays where it was. Wider perturbations or another start may; skip() goes on "
        "without learning",
        n, generation_, *low));
  }
  update(fitness);
  evaluations_ += n;
  generation_++;
  moved();
}

void BlackBoxOptimizer::skip() {
  evaluations_ += std::uint64_t(population());
  generation_++;
  moved();
}

void BlackBoxOptimizer::save(TensorFile& file) const {
  file.put_scalar<std::uint64_t>("optimizer/generation", generation_);
  file.put_scalar<std::uint64_t>("optimizer/evaluations", evaluations_);
  save_state(file);
}

void BlackBoxOptimizer::load(const TensorFile& file) {
  const auto generation =
      checked_count(file, "optimizer/generation", kMostGenerations, "generations");
  const auto evaluations = file.get_scalar<std::uint64_t>("optimizer/evaluations");
  if (evaluations < generation) {
    throw checkpoint_error(
        fmt::format("tensor 'optimizer/evaluations' is {}; expected at least one in each of {} "
                    "generations",
                    evaluations, generation));
  }
  TensorFile before;
  save_state(before);
  try {
    load_state(file);
  } catch (...) {
    load_state(before);
    throw;
  }
  generation_ = generation;
  evaluations_ = evaluations;
  moved();
}

void BlackBoxOptimizer::normals(std::uint32_t member, std::span<double> eps) const {
  const std::uint32_t key0 = key_low(seed_), key1 = key_high(seed_, kRandomPerturbation);
  for (std::size_t k = 0; k < eps.size(); k += 4) {
    const auto block = philox<std::uint32_t>(member, std::uint32_t(generation_),
                                             std::uint32_t(k / 4), 0u, key0, key1);
    float z[4];
    to_normals<float>(block.word[0], block.word[1], z[0], z[1]);
    to_normals<float>(block.word[2], block.word[3], z[2], z[3]);
    for (std::size_t i = 0; i < 4 && k + i < eps.size(); i++) eps[k + i] = double(z[i]);
  }
}

void make_points(Backend& backend, Candidates& candidates) {
  if (!candidates.is_perturbed() || !candidates.points.empty()) return;
  const std::size_t size = std::size_t(candidates.n) * std::size_t(candidates.dimension);
  const DeviceArray<float> members(backend, size);
  backend.make_members({candidates.population, 0, candidates.n, members.data()});
  const std::vector<float> points = members.download();
  candidates.points.assign(points.begin(), points.end());
}

std::vector<int> members_by_fitness(std::span<const double> fitness) {
  std::vector<int> order(fitness.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return fitness[std::size_t(a)] > fitness[std::size_t(b)]; });
  return order;
}

void require_population(const char* method, std::int64_t population, std::int64_t least,
                        const char* why) {
  if (population >= least) return;
  throw value_error(fmt::format("a population of {} is too small for {}; expected at least {}: {}",
                                population, method, least, why));
}

void require_finite(std::span<const double> values, const char* what) {
  for (const double value : values) require_finite(value, what);
}

}  // namespace gallop
