// What optimizers have in common whose members are perturbations of a centre, each component with a
// deviation of its own or one for all: members are made and summed by the backend, from counters.
#pragma once

#include <optional>
#include <vector>

#include <gallop/host/learning/ascent.h>
#include <gallop/host/learning/black_box.h>

namespace gallop {

class PerturbationSearch : public BlackBoxOptimizer {
 public:
  struct Form {
    int n_members = 0;  // P
    bool is_mirrored = false;
    int rank = 0;  // of a layer's perturbations; 0: full
  };

  int population() const override { return form_.n_members; }
  void ask(Candidates& candidates) override;
  std::vector<double> center() const override { return center_; }

 protected:
  // `sigma` [1] or [D], above 0.
  PerturbationSearch(const OptimizerContext& context, const Form& form, std::vector<double> sigma);

  // sum_m w[m] s[m] eps[m, k], and of squares sum_m w[m] eps[m, k]^2. [D] each
  struct Sums {
    std::vector<double> eps, squares;
  };
  // `weight` [P]. Throws an Error (non_finite) where a sum is not finite.
  Sums sums(std::span<const double> weight, bool with_squares);

  const std::vector<double>& sigma() const { return sigma_; }
  double sigma(std::size_t k) const { return sigma_[sigma_.size() == 1 ? 0 : k]; }
  // Both in one: throws an Error (non_finite) where either is not finite or sigma is not above 0 as
  // a float; then both stay.
  void move(std::vector<double> center, std::vector<double> sigma);

  // The same for a step of `ascent` along the gradient, whose state stays too then.
  void climb(Ascent& ascent, std::span<const double> gradient, std::vector<double> sigma);

  void save_state(TensorFile& file) const override;
  void load_state(const TensorFile& file) override;

 private:
  Population perturbations();

  Form form_;
  PolicyShape shape_;
  std::vector<double> center_, sigma_;
  bool is_uploaded_ = false;
  DeviceArray<float> device_center_, device_sigma_;          // [D]; sigma none where one is for all
  DeviceArray<float> weight_, device_sum_, device_squares_;  // [P], [D], [D]
};

// Mean of components, of a metric.
double mean_of(std::span<const double> x);

// What members count by, as `how` says: centred ranks, or fitness less its mean over its deviation
// (standardized) or over sigma (raw). [P]
std::vector<double> utilities(std::span<const double> fitness, const std::string& how,
                              double sigma);

// 1/2 for the best, evenly down to -1/2; equal ones share the mean of their places. [P]
std::vector<double> centered_ranks(std::span<const double> fitness);

}  // namespace gallop
