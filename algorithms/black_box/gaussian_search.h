// What optimizers have in common that move a Gaussian to where its members were good: its mean to a
// weighted mean of them, its covariance, a full or a diagonal one, to theirs.
#pragma once

#include <optional>

#include <gallop/algorithms/black_box/covariance.h>
#include <gallop/algorithms/black_box/perturbation_search.h>

namespace gallop {

class GaussianSearch : public PerturbationSearch {
 public:
  enum class Spread { kFixed, kDiagonal, kFull };

  void ask(Candidates& candidates) override;

 protected:
  // The first covariance is sigma^2 times the identity. `method` names it where a full one is too
  // large.
  GaussianSearch(const OptimizerContext& context, const char* method, int n_members, double sigma,
                 Spread spread);

  struct Reweighing {
    double rate = 1;  // C = (1 - rate) C + rate sum_m w[m] (x_m - a)(x_m - a)^T + extra I
    bool about_old_mean = false;  // a is the old mean, else the new one
    double extra_variance = 0;
    double least = 1e-12, most = 1e12;  // deviations are kept within; of a full C the least alone
  };
  // Moves to the mean under `weight` [P], which sums to 1. Throws an Error (non_finite, or value
  // where a full C lost definiteness); then all is as it was.
  void reweigh(std::span<const double> weight, const Reweighing& how);

  Spread spread() const { return spread_; }
  // Of the distribution that is sampled next: mean and extremes of its axes.
  Metrics spread_metrics() const;

  void save_state(TensorFile& file) const override;
  void load_state(const TensorFile& file) override;

 private:
  void reweigh_diagonal(std::span<const double> weight, const Reweighing& how);
  void reweigh_full(std::span<const double> weight, const Reweighing& how);
  void sample();

  Spread spread_;
  std::optional<Covariance> covariance_;  // of a full one, in units of sigma()[0]
  std::optional<std::uint64_t> sampled_;
  std::vector<double> steps_;  // [P, D] of a full one: B D z of the present generation
};

// 1 / sum w^2 of weights that sum to 1: how many members count.
double effective_members(std::span<const double> weight);

// exp(power (U - U_max)), divided by their sum. [P]
std::vector<double> exponential_weights(std::span<const double> fitness, double power);

// "fixed", "diagonal" or "full".
GaussianSearch::Spread spread_called(const std::string& text);

}  // namespace gallop
