// `lqr` and `lqr_dean` (sims/lqr.h) under the policy u = -K s + sigma eps. Parameters: K by rows,
// then sigma.
//
//   V_t(s)     -(s' P_t s + c_t)
//   Q_t(s, u)  r(s, u) + V_{t+1}(A s + B u) - tr(P_{t+1} W W')
#pragma once

#include <fmt/format.h>

#include <gallop/host/laboratory/estimators/paths.h>
#include <gallop/host/laboratory/linear_quadratic.h>
#include <gallop/host/laboratory/problem.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/sims/lqr.h>

namespace gallop::inline GALLOP_ISA {

template <int N>
struct LinearQuadraticModel : LaboratoryModel {
  double a[N][N] = {}, b[N][N] = {}, q[N][N] = {}, r[N][N] = {};
  const double* value[2] = {};     // [H + 1, N, N] P_t, by Discounting; P_H is 0
  const double* constant[2] = {};  // [H + 1] c_t
  const double* noise[2] = {};     // [H + 1] tr(P_t W W')

  // Adds the derivative by s [N] of what a problem pays beside the costs.
  template <class F>
  GALLOP_HD void add_reward_slope(const F*, F*) const {}
};

// Model_: LinearQuadraticModel<N>, or what has more.
template <class Environment_, int N, class Model_ = LinearQuadraticModel<N>>
struct LinearQuadraticPaths {
  using Environment = Environment_;
  using Model = Model_;
  template <class F>
  using Policy = LinearGaussian<F, N, N, -1, true>;
  static constexpr Sizes kSizes = {N, N};

  template <class F>
  static GALLOP_HD void multiply(const double (&a)[N][N], const F* x, F* to) {
    for (int i = 0; i < N; i++) {
      to[i] = real<F>(a[i][0]) * x[0];
      for (int j = 1; j < N; j++) to[i] = fmadd(real<F>(a[i][j]), x[j], to[i]);
    }
  }
  template <class F>
  static GALLOP_HD F value(const LinearQuadraticModel<N>& m, Discounting how, int t, const F* s) {
    const double(&p)[N][N] =
        *reinterpret_cast<const double(*)[N][N]>(m.value[how] + long(t) * N * N);
    F row[N], sum = real<F>(m.constant[how][t]);
    multiply(p, s, row);
    for (int i = 0; i < N; i++) sum = fmadd(row[i], s[i], sum);
    return -sum;
  }
  template <class F>
  static GALLOP_HD void mean_after(const Model& m, const F* s, const F* u, F* next) {
    F push[N];
    multiply(m.a, s, next);
    multiply(m.b, u, push);
    for (int i = 0; i < N; i++) next[i] = next[i] + push[i];
  }
  template <class F>
  static GALLOP_HD F action_value(const Model& m, int t, const F* s, const F* u, F reward) {
    F next[N];
    mean_after(m, s, u, next);
    return reward + (value(m, kPlain, t + 1, next) - real<F>(m.noise[kPlain][t + 1]));
  }

  // dV_t(s)/ds [N], of plain returns without what is paid beside the costs.
  template <class F>
  static GALLOP_HD void value_slope(const Model& m, int t, const F* s, F* to) {
    multiply(*reinterpret_cast<const double(*)[N][N]>(m.value[kPlain] + long(t) * N * N), s, to);
    for (int i = 0; i < N; i++) to[i] = to[i] * F(-2.0f);
  }

  // Of step t of recorded paths: from p [N], the derivative of the later rewards by s_{t+1}, that
  // of r_t and them by u_t and sigma, which goes on to theta as the score does; leaves in p that by
  // s_t.
  template <class C, class F>
  struct StepBack {
    const Model& m;
    const C& paths;
    const Policy<F> policy;
    F s[N], u[N], by_u[N + 1];

    GALLOP_HD StepBack(const Model& model, const C& recorded)
        : m(model), paths(recorded), policy(policy_at<C>(model, model.theta)) {}
    GALLOP_HD void load(int t) {
      paths.load(paths.observation, t, s), paths.load(paths.action, t, u);
    }
    GALLOP_HD void pull(F* p) {
      F mean[N], by_s[N];
      policy.outputs(s, mean);
      multiply(m.r, u, by_u);
      multiply(m.q, s, by_s);
      by_u[N] = F(0.0f);
      for (int i = 0; i < N; i++) {
        by_u[i] = by_u[i] * F(-2.0f), by_s[i] = by_s[i] * F(-2.0f);
      }
      m.add_reward_slope(s, by_s);
      for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
          by_u[i] = fmadd(real<F>(m.b[j][i]), p[j], by_u[i]);
          by_s[i] = fmadd(real<F>(m.a[j][i]), p[j], by_s[i]);
        }
        by_u[N] = fmadd(by_u[i], (u[i] - mean[i]) * policy.per_sigma, by_u[N]);
      }
      for (int j = 0; j < N; j++) {
        p[j] = by_s[j];
        for (int i = 0; i < N; i++) p[j] = fmadd(policy.weight[i][j], by_u[i], p[j]);
      }
    }
    GALLOP_HD void add_to(F* gradient) const { Policy<F>::add_score(s, by_u, F(1.0f), gradient); }
  };

  // The derivative of a path's return by theta, its noise held (lecture, pathwise derivative),
  // backwards; what it says of later rewards discounted at each step where `discount` says so.
  template <class C, class F>
  static GALLOP_HD void pathwise(const Model& m, const C& paths, F* gradient, double discount = 1) {
    StepBack<C, F> back(m, paths);
    F p[N];
    for (F& x : p) x = F(0.0f);
    for (int t = m.horizon - 1; t >= 0; t--) {
      back.load(t);
      for (F& x : p) x = real<F>(discount) * x;
      back.pull(p);
      back.add_to(gradient);
    }
  }
  // The same of m.n_step rewards from each action on, and of the exact V behind them.
  template <class C, class F>
  static GALLOP_HD void pathwise_value(const Model& m, const C& paths, F* gradient) {
    StepBack<C, F> back(m, paths);
    for (int t = 0; t < m.horizon; t++) {
      F p[N];
      for (F& x : p) x = F(0.0f);
      const int end = t + m.n_step < m.horizon ? t + m.n_step : m.horizon;
      if (end < m.horizon) {
        back.load(end);
        value_slope(m, end, back.s, p);
      }
      for (int k = end - 1; k >= t; k--) {
        back.load(k);
        back.pull(p);
      }
      back.add_to(gradient);
    }
  }
  // The derivative of the exact Q_t(s_t, u_t) by each action (lecture: DDPG).
  template <class C, class F>
  static GALLOP_HD void pathwise_q(const Model& m, const C& paths, F* gradient) {
    StepBack<C, F> back(m, paths);
    for (int t = 0; t < m.horizon; t++) {
      F next[N], p[N];
      back.load(t);
      mean_after(m, back.s, back.u, next);
      value_slope(m, t + 1, next, p);
      back.pull(p);
      back.add_to(gradient);
    }
  }

  // Options that both have.
  static constexpr auto shared_rows(double sigma, double sigma_w, double old_k, double old_sigma,
                                    const char* help_of_old_k) {
    return rows(
        real_row("sigma", sigma, {.min = kMinSigma, .max = kMaxSigma},
                 "standard deviation of exploration"),
        real_row("sigma_w", sigma_w, {.min = 0, .max = 1e6}, "standard deviation of the noise"),
        real_row("old_k", old_k, {.min = -1e3, .max = 1e3}, help_of_old_k),
        real_row("old_sigma", old_sigma, {.min = 0.1, .max = 10},
                 "and the standard deviation sigma times this"));
  }
};

// Exact answers; Problem::system(options) and Problem::gain(options) say of what.
template <class Problem, int N>
class LinearQuadraticAnswers : public LaboratoryProblem {
 public:
  using Matrix = Eigen::Matrix<double, N, N>;

  explicit LinearQuadraticAnswers(const Options& options)
      : system_(Problem::system(options)), gain_(Problem::gain(options)) {
    for (int i = 0; i < N; i++) {
      for (int j = 0; j < N; j++) {
        parameters_.push_back(N == 1 ? "k" : fmt::format("K{}{}", i, j));
        model_.theta[i * N + j] = gain_(i, j);
        model_.old_theta[i * N + j] = gain_(i, j) + (i == j ? options.real("old_k") : 0);
        model_.a[i][j] = system_.a(i, j), model_.b[i][j] = system_.b(i, j);
        model_.q[i][j] = system_.q(i, j), model_.r[i][j] = system_.r(i, j);
      }
    }
    parameters_.push_back("sigma");
    model_.theta[N * N] = options.real("sigma");
    model_.old_theta[N * N] =
        require_sigma("sigma * old_sigma", options.real("sigma") * options.real("old_sigma"));
    model_.horizon = system_.horizon;
    set_environment<typename Problem::Environment>(Problem::environment(options));
    fill(kPlain, 1);
    fill(kDiscounted, options.real("gamma"));
    model_.expected_return = answer_[kPlain].value;
    model_.expected_rest = answer_[kPlain].rest.data();
  }

  LaboratoryModel& model() override { return model_; }
  double expected_return(const double* theta) const override {
    constexpr auto kOrder = N == 1 ? Eigen::ColMajor : Eigen::RowMajor;
    const Matrix gain = Eigen::Map<const Eigen::Matrix<double, N, N, kOrder>>(theta);
    return gallop::expected_return<N>(system_, gain, acting_sigma(theta[N * N]));
  }
  std::vector<std::pair<std::string, double>> facts() const override {
    if (N == 1) return {};
    // What the gradient of a step tends to without exploration, as the horizon grows.
    const AverageCost<N> now = average_cost<N>(system_, gain_);
    const Matrix best = optimal_gain<N>(system_);
    std::vector<std::pair<std::string, double>> facts = {
        {"average cost of K without exploration", now.cost},
        {"its derivative by K00", now.gradient(0, 0)},
        {"optimal average cost", average_cost<N>(system_, best).cost}};
    for (int k = 0; k < N * N; k++) {
      facts.emplace_back(fmt::format("optimal K{}{}", k / N, k % N), best(k / N, k % N));
    }
    return facts;
  }

 protected:
  typename Problem::Model model_;

 private:
  void fill(Discounting how, double gamma) {
    LinearQuadraticAnswer<N>& answer = answer_[how];
    answer = solve<N>(system_, gain_, model_.theta[N * N], gamma);
    for (int k = 0; k < N * N; k++) gradient_[how].push_back(answer.by_gain(k / N, k % N));
    gradient_[how].push_back(answer.by_sigma);
    for (const Matrix& p : answer.p) {
      for (int k = 0; k < N * N; k++) p_[how].push_back(p(k / N, k % N));
    }
    model_.value[how] = p_[how].data();
    model_.constant[how] = answer.c.data();
    model_.noise[how] = answer.noise.data();
  }

  LinearQuadraticSystem<N> system_;
  Matrix gain_;
  LinearQuadraticAnswer<N> answer_[2];
  std::vector<double> p_[2];
};

// A scalar system by its options.
struct ScalarLinearQuadratic {
  static constexpr OptionLimits kAny = {.min = -1e6, .max = 1e6};
  static constexpr auto kSystemRows = rows(
      real_row("a", 0.95, kAny, "of s' = a s + b u + sigma_w eps"),
      real_row("b", 0.5, kAny, "of s' = a s + b u + sigma_w eps"),
      real_row("q", 1, kAny, "cost of s^2"), real_row("rho", 0.1, kAny, "cost of u^2"),
      real_row("s0", 1, kAny, "initial state"),
      integer_row("horizon", 10, {.min = 1, .max = 10000, .unit = "steps"}, "of a path"),
      real_row("k", 0.4, kAny, "gain: u = -k s + sigma eps"),
      LinearQuadraticPaths<Lqr, 1>::shared_rows(
          0.3, 0.1, 0.05, 1.1, "the older policy of importance sampling has the gain k plus this"));

  static Setting environment(const Options& options) {
    Setting all;
    for (const char* name : {"a", "b", "q", "rho", "sigma_w", "s0"}) {
      all.emplace_back(name, options.real(name));
    }
    return all;
  }
  static LinearQuadraticSystem<1> system(const Options& options) {
    LinearQuadraticSystem<1> system;
    system.a(0) = options.real("a"), system.b(0) = options.real("b");
    system.q(0) = options.real("q"), system.r(0) = options.real("rho");
    system.w(0) = options.real("sigma_w"), system.initial(0) = options.real("s0");
    system.horizon = int(options.integer("horizon"));
    return system;
  }
  static Eigen::Matrix<double, 1, 1> gain(const Options& options) {
    return Eigen::Matrix<double, 1, 1>(options.real("k"));
  }
};

struct LqrProblem : LinearQuadraticPaths<Lqr, 1>, ScalarLinearQuadratic {
  static constexpr bool kExactSlopes = true;
  using Answers = LinearQuadraticAnswers<LqrProblem, 1>;
  static constexpr const char* kName = "lqr";
  static constexpr const char* kSummary = "scalar linear-quadratic system, u = -k s + sigma eps";
  static constexpr const char* kDisplacement = "0.1";
  static constexpr auto kOptions = kSystemRows;
};

constexpr OptionSpec element_row(const char* name) {
  return real_row(name, 0, {.min = -1e3, .max = 1e3}, "added to that element of K");
}

// The system of Dean, Mania, Matni, Recht and Tu (arXiv 1710.01688, section 6).
struct LqrDeanProblem : LinearQuadraticPaths<LqrDean, 3> {
  static constexpr bool kExactSlopes = true;
  using Answers = LinearQuadraticAnswers<LqrDeanProblem, 3>;
  static constexpr const char* kName = "lqr_dean";
  static constexpr const char* kSummary =
      "3 x 3 linear-quadratic system of Dean et al., u = -K s + sigma eps";
  static constexpr const char* kDisplacement = "0.01";
  static constexpr auto kOptions =
      rows(integer_row("horizon", 300, {.min = 1, .max = 2000, .unit = "steps"}, "of a path"),
           real_row("k", 0.1, {.min = -1e3, .max = 1e3}, "gain: K = k I plus k00 ... k22"),
           element_row("k00"), element_row("k01"), element_row("k02"), element_row("k10"),
           element_row("k11"), element_row("k12"), element_row("k20"), element_row("k21"),
           element_row("k22"),
           real_row("sigma_s0", 1, {.min = 0, .max = 1e6},
                    "standard deviation of the initial state around 0"),
           shared_rows(1, 1, 0.001, 1.002,
                       "the older policy of importance sampling has the gain K plus this times I"));

  static Setting environment(const Options& options) {
    return {{"sigma_w", options.real("sigma_w")}, {"sigma_s0", options.real("sigma_s0")}};
  }
  // The environment's own numbers.
  static LinearQuadraticSystem<3> system(const Options& options) {
    LinearQuadraticSystem<3> system;
    for (int k = 0; k < 9; k++) system.a(k / 3, k % 3) = LqrDean::kDynamics[k];
    system.a *= LqrDean::kScales[0], system.b *= LqrDean::kScales[1];
    system.q *= LqrDean::kScales[2], system.r *= LqrDean::kScales[3];
    system.w *= options.real("sigma_w");
    system.initial_sigma = options.real("sigma_s0");
    system.horizon = int(options.integer("horizon"));
    return system;
  }
  static Eigen::Matrix3d gain(const Options& options) {
    Eigen::Matrix3d gain = options.real("k") * Eigen::Matrix3d::Identity();
    for (int k = 0; k < 9; k++) {
      gain(k / 3, k % 3) += options.real(fmt::format("k{}{}", k / 3, k % 3));
    }
    return gain;
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_PROBLEM(LqrProblem)
GALLOP_PROBLEM(LqrDeanProblem)
