// `lqr` and `lqr_dean`. Parameters: the gain by rows, then sigma.
#include <fmt/format.h>

#include "host/laboratory/linear_quadratic.h"
#include "host/laboratory/problems.h"
#include "kernels/laboratory/linear_quadratic.h"

namespace gallop {
namespace {

constexpr OptionSpec kLqr[] = {
    {"a", OptionType::real, "0.95", -1e6, 1e6, nullptr, "", "of s' = a s + b u + sigma_w eps"},
    {"b", OptionType::real, "0.5", -1e6, 1e6, nullptr, "", "of s' = a s + b u + sigma_w eps"},
    {"q", OptionType::real, "1", -1e6, 1e6, nullptr, "", "cost of s^2"},
    {"rho", OptionType::real, "0.1", -1e6, 1e6, nullptr, "", "cost of u^2"},
    {"s0", OptionType::real, "1", -1e6, 1e6, nullptr, "", "initial state"},
    {"horizon", OptionType::integer, "10", 1, 10000, nullptr, "steps", "of a path"},
    {"k", OptionType::real, "0.4", -1e6, 1e6, nullptr, "", "gain: u = -k s + sigma eps"},
    {"sigma", OptionType::real, "0.3", 1e-6, 1e6, nullptr, "", "standard deviation of exploration"},
    {"sigma_w", OptionType::real, "0.1", 0, 1e6, nullptr, "", "standard deviation of the noise"},
    {"old_k", OptionType::real, "0.05", -1e3, 1e3, nullptr, "",
     "the older policy of importance sampling has the gain k plus this"},
    {"old_sigma", OptionType::real, "1.1", 0.1, 10, nullptr, "",
     "and the standard deviation sigma times this"}};

constexpr OptionSpec kLqrDean[] = {
    {"horizon", OptionType::integer, "300", 1, 2000, nullptr, "steps", "of a path"},
    {"k", OptionType::real, "0.1", -1e3, 1e3, nullptr, "", "gain: K = k I plus k00 ... k22"},
    {"k00", OptionType::real, "0", -1e3, 1e3, nullptr, "", "added to that element of K"},
    {"k01", OptionType::real, "0", -1e3, 1e3, nullptr, "", "added to that element of K"},
    {"k02", OptionType::real, "0", -1e3, 1e3, nullptr, "", "added to that element of K"},
    {"k10", OptionType::real, "0", -1e3, 1e3, nullptr, "", "added to that element of K"},
    {"k11", OptionType::real, "0", -1e3, 1e3, nullptr, "", "added to that element of K"},
    {"k12", OptionType::real, "0", -1e3, 1e3, nullptr, "", "added to that element of K"},
    {"k20", OptionType::real, "0", -1e3, 1e3, nullptr, "", "added to that element of K"},
    {"k21", OptionType::real, "0", -1e3, 1e3, nullptr, "", "added to that element of K"},
    {"k22", OptionType::real, "0", -1e3, 1e3, nullptr, "", "added to that element of K"},
    {"sigma", OptionType::real, "1", 1e-6, 1e6, nullptr, "", "standard deviation of exploration"},
    {"sigma_w", OptionType::real, "1", 0, 1e6, nullptr, "", "standard deviation of the noise"},
    {"sigma_s0", OptionType::real, "1", 0, 1e6, nullptr, "",
     "standard deviation of the initial state around 0"},
    {"old_k", OptionType::real, "0.001", -1e3, 1e3, nullptr, "",
     "the older policy of importance sampling has the gain K plus this times I"},
    {"old_sigma", OptionType::real, "1.002", 0.1, 10, nullptr, "",
     "and the standard deviation sigma times this"}};

template <int N>
class LinearQuadraticProblem : public LaboratoryProblem {
 public:
  using Matrix = Eigen::Matrix<double, N, N>;

  LinearQuadraticProblem(const LinearQuadraticSystem<N>& system, const Matrix& gain,
                         const Options& options)
      : system_(system), gain_(gain) {
    const double sigma = options.real("sigma");
    for (int i = 0; i < N; i++) {
      for (int j = 0; j < N; j++) {
        parameters_.push_back(N == 1 ? "k" : fmt::format("K{}{}", i, j));
        model_.theta[i * N + j] = gain(i, j);
        model_.old_theta[i * N + j] = gain(i, j) + (i == j ? options.real("old_k") : 0);
        model_.a[i][j] = system.a(i, j), model_.b[i][j] = system.b(i, j);
        model_.q[i][j] = system.q(i, j), model_.r[i][j] = system.r(i, j);
        model_.w[i][j] = system.w(i, j);
      }
      model_.initial[i] = system.initial(i);
    }
    parameters_.push_back("sigma");
    model_.theta[N * N] = sigma;
    model_.old_theta[N * N] = sigma * options.real("old_sigma");
    model_.initial_sigma = system.initial_sigma;
    model_.horizon = system.horizon;
    fill(kPlain, 1);
    fill(kDiscounted, options.real("gamma"));
    model_.expected_return = answer_[kPlain].value;
    model_.expected_rest = answer_[kPlain].rest.data();
  }

  LaboratoryModel& model() override { return model_; }
  double expected_return(const double* theta) const override {
    const Matrix gain =
        Eigen::Map<const Eigen::Matrix<double, N, N, N == 1 ? Eigen::ColMajor : Eigen::RowMajor>>(
            theta);
    return gallop::expected_return<N>(system_, gain, theta[N * N]);
  }
  const std::vector<double>& gradient(Discounting d) const override { return gradient_[d]; }
  std::vector<std::pair<std::string, double>> facts() const override {
    std::vector<std::pair<std::string, double>> facts = {
        {"expected return", model_.expected_return}};
    if (N == 1) return facts;
    // What the gradient of a step tends to without exploration, as the horizon grows.
    const AverageCost<N> now = average_cost<N>(system_, gain_);
    const Matrix best = optimal_gain<N>(system_);
    facts.emplace_back("average cost of K without exploration", now.cost);
    facts.emplace_back("its derivative by K00", now.gradient(0, 0));
    facts.emplace_back("optimal average cost", average_cost<N>(system_, best).cost);
    for (int k = 0; k < N * N; k++) {
      facts.emplace_back(fmt::format("optimal K{}{}", k / N, k % N), best(k / N, k % N));
    }
    return facts;
  }

 private:
  void fill(Discounting d, double gamma) {
    LinearQuadraticAnswer<N>& answer = answer_[d];
    answer = solve<N>(system_, gain_, model_.theta[N * N], gamma);
    for (int k = 0; k < N * N; k++) gradient_[d].push_back(answer.by_gain(k / N, k % N));
    gradient_[d].push_back(answer.by_sigma);
    for (const Matrix& p : answer.p) {
      for (int k = 0; k < N * N; k++) p_[d].push_back(p(k / N, k % N));
    }
    model_.value[d] = p_[d].data();
    model_.constant[d] = answer.c.data();
    model_.noise[d] = answer.noise.data();
  }

  LinearQuadraticSystem<N> system_;
  Matrix gain_;
  LinearQuadraticModel<N> model_;
  LinearQuadraticAnswer<N> answer_[2];
  std::vector<double> gradient_[2], p_[2];
};

}  // namespace

std::span<const OptionSpec> lqr_options() { return kLqr; }
std::span<const OptionSpec> lqr_dean_options() { return kLqrDean; }

std::unique_ptr<LaboratoryProblem> make_lqr(const Options& options) {
  LinearQuadraticSystem<1> system;
  system.a(0) = options.real("a"), system.b(0) = options.real("b");
  system.q(0) = options.real("q"), system.r(0) = options.real("rho");
  system.w(0) = options.real("sigma_w"), system.initial(0) = options.real("s0");
  system.horizon = int(options.integer("horizon"));
  const Eigen::Matrix<double, 1, 1> gain(options.real("k"));
  return std::make_unique<LinearQuadraticProblem<1>>(system, gain, options);
}

// The system of Dean, Mania, Matni, Recht and Tu (arXiv 1710.01688, section 6).
std::unique_ptr<LaboratoryProblem> make_lqr_dean(const Options& options) {
  LinearQuadraticSystem<3> system;
  system.a << 1.01, 0.01, 0, 0.01, 1.01, 0.01, 0, 0.01, 1.01;
  system.q *= 1e-3;
  system.w *= options.real("sigma_w");
  system.initial_sigma = options.real("sigma_s0");
  system.horizon = int(options.integer("horizon"));
  Eigen::Matrix3d gain = options.real("k") * Eigen::Matrix3d::Identity();
  for (int k = 0; k < 9; k++) {
    gain(k / 3, k % 3) += options.real(fmt::format("k{}{}", k / 3, k % 3));
  }
  return std::make_unique<LinearQuadraticProblem<3>>(system, gain, options);
}

}  // namespace gallop
