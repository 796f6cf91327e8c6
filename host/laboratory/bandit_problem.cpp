// `bandit` and `bandit_step`: one action u ~ N(theta, sigma^2). Parameter: theta.
#include <cmath>
#include <numbers>

#include "host/laboratory/problems.h"
#include "kernels/laboratory/bandit.h"

namespace gallop {
namespace {

#define GALLOP_BANDIT_OPTIONS(theta, sigma, c, help_of_c)                                   \
  {"theta", OptionType::real, theta, -1e6, 1e6, nullptr, "", "mean of the action"},         \
      {"sigma", OptionType::real, sigma, 1e-6, 1e6, nullptr, "", "its standard deviation"}, \
      {"c", OptionType::real, c, -1e6, 1e6, nullptr, "", help_of_c}, {                      \
    "old_theta", OptionType::real, "0.1", -1e3, 1e3, nullptr, "",                           \
        "the older policy of importance sampling has theta plus this many sigma"            \
  }

constexpr OptionSpec kBandit[] = {
    GALLOP_BANDIT_OPTIONS("0.5", "0.5", "1", "best action: reward -(u - c)^2")};
constexpr OptionSpec kBanditStep[] = {
    GALLOP_BANDIT_OPTIONS("0", "1", "0", "where the reward 1[u > c] jumps")};

double quadratic_return(double theta, double sigma, double c) {
  return -((theta - c) * (theta - c) + sigma * sigma);
}
double quadratic_slope(double theta, double, double c) { return -2 * (theta - c); }
double step_return(double theta, double sigma, double c) {
  return 0.5 * std::erfc((c - theta) / (sigma * std::sqrt(2.0)));
}
double step_slope(double theta, double sigma, double c) {
  const double z = (theta - c) / sigma;
  return std::exp(-0.5 * z * z) / (sigma * std::sqrt(2 * std::numbers::pi));
}

class BanditProblem : public LaboratoryProblem {
 public:
  using Function = double (*)(double theta, double sigma, double c);

  BanditProblem(const Options& options, Function value, Function slope) : value_(value) {
    parameters_ = {"theta"};
    model_.horizon = 1;
    model_.sigma = options.real("sigma");
    model_.c = options.real("c");
    model_.theta[0] = options.real("theta");
    model_.old_theta[0] = model_.theta[0] + options.real("old_theta") * model_.sigma;
    model_.expected_return = expected_return(model_.theta);
    model_.expected_rest = &model_.expected_return;
    gradient_ = {slope(model_.theta[0], model_.sigma, model_.c)};
  }

  LaboratoryModel& model() override { return model_; }
  double expected_return(const double* theta) const override {
    return value_(theta[0], model_.sigma, model_.c);
  }
  // One reward, at once: discounting changes nothing.
  const std::vector<double>& gradient(Discounting) const override { return gradient_; }
  std::vector<std::pair<std::string, double>> facts() const override {
    return {{"expected return", model_.expected_return}};
  }

 private:
  Function value_;
  BanditModel model_;
  std::vector<double> gradient_;
};

}  // namespace

std::span<const OptionSpec> bandit_options() { return kBandit; }
std::span<const OptionSpec> bandit_step_options() { return kBanditStep; }

std::unique_ptr<LaboratoryProblem> make_bandit(const Options& options) {
  return std::make_unique<BanditProblem>(options, &quadratic_return, &quadratic_slope);
}
std::unique_ptr<LaboratoryProblem> make_bandit_step(const Options& options) {
  return std::make_unique<BanditProblem>(options, &step_return, &step_slope);
}

}  // namespace gallop
