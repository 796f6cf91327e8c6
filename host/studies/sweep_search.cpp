#include <gallop/host/studies/sweep_search.h>

#include <algorithm>
#include <cmath>
#include <string>

#include <gallop/host/error.h>
#include <gallop/host/registry/registry.h>
#include <gallop/kernels/random/stream.h>

namespace gallop {
namespace {

constexpr double kFirstSpread = 0.25;  // of an axis of length 1

class RandomSearch : public SweepSearch {
 public:
  explicit RandomSearch(const OptionSweep& sweep) : sweep_(sweep) {}

  std::vector<std::vector<double>> ask(std::int64_t first) override {
    const std::int64_t left = sweep_.settings - first;
    std::vector<std::vector<double>> points;
    for (std::int64_t k = 0; k < std::min(sweep_.generation, left); k++) {
      std::vector<double>& point = points.emplace_back();
      for (std::size_t axis = 0; axis < sweep_.axes.size(); axis++) {
        Rng<float> rng(std::uint64_t(sweep_.seed), kRandomPerturbation, std::uint32_t(first + k),
                       0u, std::uint32_t(axis));
        point.push_back(double(rng.uniform()));
      }
    }
    return points;
  }
  void tell(const std::vector<double>&) override {}

 private:
  const OptionSweep& sweep_;
};

// Back and forth between 0 and 1: what leaves the cube comes back at the wall that it left by.
double reflected(double x) {
  const double two = x - 2.0 * std::floor(x / 2.0);
  return two <= 1.0 ? two : 2.0 - two;
}

class OptimizerSearch : public SweepSearch {
 public:
  OptimizerSearch(const OptionSweep& sweep, Backend& backend) : options_(options_of(sweep)) {
    const OptimizerDescriptor& descriptor = find_optimizer(sweep.search);
    if (descriptor.require_dimension != nullptr) {
      descriptor.require_dimension(long(sweep.axes.size()));
    }
    optimizer_ = descriptor.create({backend, options_, std::uint64_t(sweep.seed),
                                    std::vector<double>(sweep.axes.size(), 0.5)});
  }

  std::vector<std::vector<double>> ask(std::int64_t) override {
    Candidates candidates;
    optimizer_->ask(candidates);
    make_points(optimizer_->backend(), candidates);
    std::vector<std::vector<double>> points;
    for (int m = 0; m < candidates.n; m++) {
      std::vector<double>& point = points.emplace_back();
      for (const double x : candidates.point(m)) point.push_back(reflected(x));
    }
    return points;
  }

  // A setting without a score is worse than all that have one.
  void tell(const std::vector<double>& scores) override {
    std::vector<double> known;
    std::copy_if(scores.begin(), scores.end(), std::back_inserter(known),
                 [](double s) { return std::isfinite(s); });
    if (known.empty()) return optimizer_->skip();
    const auto [low, high] = std::minmax_element(known.begin(), known.end());
    std::vector<double> fitness = scores;
    for (double& f : fitness) {
      if (!std::isfinite(f)) f = *low - std::max(1.0, *high - *low);
    }
    const bool is_constant = known.size() == scores.size() && *low == *high;
    if (is_constant && !optimizer_->learns_from_constant()) return optimizer_->skip();
    optimizer_->tell(fitness);
  }

 private:
  static Options options_of(const OptionSweep& sweep) {
    const OptimizerDescriptor& descriptor = find_optimizer(sweep.search);
    Options options(descriptor.options);
    if (options.has("population")) {
      options.set("population", std::to_string(sweep.generation), "generation");
    }
    if (options.has("sigma")) options.set("sigma", std::to_string(kFirstSpread), "the sweep");
    for (const TomlEntry& o : sweep.search_options) options.apply_entry(o);
    return options;
  }

  Options options_;
  std::unique_ptr<BlackBoxOptimizer> optimizer_;
};

}  // namespace

std::unique_ptr<SweepSearch> make_search(const OptionSweep& sweep, Backend& backend) {
  if (sweep.is_random()) return std::make_unique<RandomSearch>(sweep);
  return std::make_unique<OptimizerSearch>(sweep, backend);
}

}  // namespace gallop
