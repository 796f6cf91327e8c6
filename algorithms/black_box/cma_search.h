// CMA-ES as an optimizer, with a full covariance (cma_es.cpp) or a diagonal one (sep_cma_es.cpp),
// and restarts with greater populations.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <gallop/algorithms/black_box/cma_constants.h>
#include <gallop/algorithms/black_box/covariance.h>
#include <gallop/host/learning/black_box.h>
#include <gallop/host/options/option_rows.h>

namespace gallop {

// `active` where weights below 0 are the default.
constexpr auto cma_rows(bool active) {
  return rows(
      integer_row("population", 0, {.min = 0, .max = 1 << 20, .unit = "members"},
                  "of the first run; 0 for 4 + floor(3 ln D)"),
      real_row("sigma", 0.3, {.min = 1e-12, .max = 1e12}, "initial standard deviation"),
      choice_row("constants", "tutorial", "tutorial,purecma",
                 "damping and learning rates, as of Hansen's tutorial or pycma's purecma"),
      boolean_row("active", active, "the worst members count too, with weights below 0"),
      choice_row("restarts", "none", "none,ipop,bipop",
                 "once a run has converged: none; ipop: a population twice as large; bipop: that, "
                 "in turn with small ones"),
      integer_row("max_restarts", 9, {.min = 0, .max = 100}, "at most, with a larger population"),
      real_row("restart_spread", 3, {.min = 0, .max = 1e9},
               "standard deviation of the points that restarts begin at, about the initial one, in "
               "units of sigma"));
}

// Throws a value error where a full covariance of so many dimensions is too much.
void require_full_covariance(long dimension);

class CmaSearch : public BlackBoxOptimizer {
 public:
  CmaSearch(const OptimizerContext& context, bool is_separable);

  int population() const override { return constants_.population; }
  void ask(Candidates& candidates) override;
  std::vector<double> center() const override { return mean_; }
  std::string stop_reason() const override { return stop_; }
  Metrics metrics() const override;
  // That it has converged, which only restarts can use.
  bool learns_from_constant() const override { return restarts_ != "none"; }

  const CmaConstants& constants() const { return constants_; }

 protected:
  void update(std::span<const double> fitness) override;
  void save_state(TensorFile& file) const override;
  void load_state(const TensorFile& file) override;

 private:
  // Of one run, from its start until it has converged.
  struct Paths {
    std::vector<double> sigma, c;  // p_sigma, p_c [D]
  };
  // How evaluations went to runs with larger populations and with small ones.
  struct Budgets {
    double large = 0, small = 0, last_large = 0;
    int n_large = 0;
    bool is_small = true;  // of the present run: the first one counts as small
  };

  void sample();
  void begin_run(int population, double sigma);
  std::string converged(double range) const;
  void restart();
  void remember_best(std::span<const double> fitness, const std::vector<int>& order);

  CmaForm form_;
  int default_population_, max_restarts_;
  double initial_sigma_, restart_spread_;
  std::string restarts_;
  std::vector<double> initial_;  // [D]

  CmaConstants constants_ = {};
  double sigma_ = 0;
  std::vector<double> mean_;  // [D]
  Paths paths_;
  Covariance covariance_;
  std::uint64_t run_generations_ = 0, decomposed_at_ = 0;  // the latter in evaluations of the run
  std::vector<double> best_of_generation_;                 // of the latest ones, the oldest first
  Budgets budgets_;
  std::string stop_;

  // Of the generation that was asked for last: standard normals, and the steps that they make.
  std::optional<std::uint64_t> sampled_;
  std::vector<double> z_, y_;  // [P, D]
};

}  // namespace gallop
