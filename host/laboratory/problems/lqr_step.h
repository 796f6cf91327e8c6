// `lqr_step`: the scalar system of `lqr` with a prize for states below a threshold, which begins at
// once, as a jump, or over a ramp. Parameters: k, then sigma.
//
//   reward  -(q s^2 + rho u^2) + jump w(s)
//   w(s)    1[s < c], or where width > 0: min(max(1/2 + (c - s) / width, 0), 1)
//
// Under u = -k s + sigma eps states are Gaussian, so all is exact: of s ~ N(m, v), z = (c - m) /
// sqrt(v) and a window of d = width / sqrt(v) around z,
//
//   E[w]              mean of Phi over the window = (g(z + d/2) - g(z - d/2)) / d
//   dE[w]/dm          -(mean of phi over it) / sqrt(v)
//   dE[w]/d sqrt(v)   (mean of phi' over it) / sqrt(v)          with g' = Phi, Phi' = phi
//
// A ramp has a derivative nearly everywhere, along which the pathwise derivative is unbiased with a
// variance that grows as 1 / width; at a jump it sees nothing of the prize.
#pragma once

#include <cmath>
#include <numbers>

#include <gallop/host/error.h>
#include <gallop/host/laboratory/problems/lqr.h>

namespace gallop::inline GALLOP_ISA {

// What the environment has beside `lqr`: its own parameters. Where the prize jumps, its step has no
// derivative that learns of it; it is the laboratory's alone, which knows.
struct LqrStepSpecs {
  static constexpr double kScales[] = {0.95, 0.5, 1.0, 0.1, 0.1, 1.0, 0.0};
  static constexpr int kSystem = LqrSpecs<1, 1>::kCount, kCount = kSystem + 3;
  ParameterSpec all[kCount];

  constexpr LqrStepSpecs() : all() {
    const LqrSpecs<1, 1> system(kScales, nullptr);
    for (int k = 0; k < kSystem; k++) all[k] = system.fixed[k];
    all[kSystem] = {"jump", 1, -1e6, 1e6, "", "height of the prize"};
    all[kSystem + 1] = {"threshold", 0.5, -1e6, 1e6, "", "below which it is paid"};
    all[kSystem + 2] = {"per_width", 0, 0, 1e6, "", "1 / width of its ramp, 0 for a jump"};
  }
};

struct LqrStep {
  static constexpr const char* kName = "lqr_step";
  static constexpr const char* kAliases = "";
  static constexpr const char* kSource = "linear-quadratic system with a step in its reward";
  static constexpr int kTimeLimit = 10;
  static constexpr bool kSmooth = true;
  static constexpr ComponentSpec kObservation[] = {{"s", -kUnbounded, kUnbounded}};
  static constexpr ComponentSpec kAction[] = {{"u", -kUnbounded, kUnbounded}};
  static constexpr const char* kStateNames[] = {"s"};
  static constexpr LqrStepSpecs kSpecs = {};
  static constexpr auto& kParameters = kSpecs.all;

  template <class F>
  struct Parameters {
    LqrSystem<F, 1, 1> system;
    F jump, threshold, per_width;
  };
  template <class F>
  using State = LqrState<F, 1>;

  // w(s) for below = c - s.
  template <class F>
  static GALLOP_HD F prize(F below, F per_width) {
    const F none = real<F>(0.0), whole = real<F>(1.0);
    const F ramp = max(min(fmadd(below, per_width, real<F>(0.5)), whole), none);
    return select(per_width > none, ramp, select(below > none, whole, none));
  }

  template <class F>
  static GALLOP_HD void reset(const Parameters<F>& p, State<F>& s, Rng<F>& rng) {
    lqr_reset(p.system, 1, s, rng);
  }
  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action,
                                   Rng<F>& rng) {
    const F paid = p.jump * prize(p.threshold - s.s[0], p.per_width);
    const Outcome<F> outcome = lqr_step(p.system, 1, 1, s, action, rng);
    return {outcome.reward + paid, outcome.terminated};
  }
  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    observation[0] = s.s[0];
  }
};

// The normal distribution: phi(x), and Phi(x), on lanes by Abramowitz and Stegun 26.2.17, whose
// error is below 7.5e-8.
template <class F>
GALLOP_HD F normal_density(F x) {
  return real<F>(0.5 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi) * exp(real<F>(-0.5) * x * x);
}
template <class F>
GALLOP_HD F normal_cdf(F x) {
  const F t = reciprocal(fmadd(real<F>(0.2316419), abs(x), real<F>(1.0)));
  F sum = fmadd(t, real<F>(1.330274429), real<F>(-1.821255978));
  sum = fmadd(t, sum, real<F>(1.781477937));
  sum = fmadd(t, sum, real<F>(-0.356563782));
  sum = fmadd(t, sum, real<F>(0.319381530));
  const F tail = normal_density(x) * (t * sum);
  return select(x < real<F>(0.0), tail, real<F>(1.0) - tail);
}
GALLOP_HD double normal_cdf(double x) { return 0.5 * std::erfc(-x * std::numbers::sqrt2 / 2); }

// Phi averaged over the window of width d around z, with those of phi and phi' for its derivatives.
// Windows that are too narrow for a difference of antiderivatives take a series in d^2.
template <class F>
struct NormalWindow {
  static constexpr double kNarrow = 0.03;
  F z, density, upper, lower;
  double d;
  bool narrow;

  GALLOP_HD NormalWindow(F at, double width)
      : z(at),
        density(normal_density(at)),
        upper(at + real<F>(0.5 * width)),
        lower(at - real<F>(0.5 * width)),
        d(width),
        narrow(width < kNarrow) {}
  // Of f with antiderivative values at the ends, and its second and fourth derivative.
  GALLOP_HD F mean(F above, F below, F f, F second, F fourth) const {
    if (!narrow) return (above - below) * real<F>(1 / d);
    return f + (real<F>(d * d / 24) * second + real<F>(d * d * d * d / 1920) * fourth);
  }
  static GALLOP_HD F below_cdf(F x) { return x * normal_cdf(x) + normal_density(x); }  // g
  GALLOP_HD F cdf() const {
    const F square = z * z;
    return mean(below_cdf(upper), below_cdf(lower), normal_cdf(z), -(z * density),
                (real<F>(3.0) - square) * z * density);
  }
  GALLOP_HD F pdf() const {
    const F square = z * z;
    return mean(normal_cdf(upper), normal_cdf(lower), density, (square - real<F>(1.0)) * density,
                ((square - real<F>(6.0)) * square + real<F>(3.0)) * density);
  }
  GALLOP_HD F pdf_slope() const {
    const F square = z * z;
    return mean(normal_density(upper), normal_density(lower), -(z * density),
                (real<F>(3.0) - square) * z * density,
                -(((square - real<F>(10.0)) * square + real<F>(15.0)) * z * density));
  }
};

struct LqrStepModel : LinearQuadraticModel<1> {
  double jump = 0, threshold = 0, per_width = 0;
  const double* decay = nullptr;   // [H + 1] (a - b k)^j
  const double* spread = nullptr;  // [H + 1] deviation of a state, given that j steps before
  const double* after = nullptr;   // [H + 1] the same, given state and action j + 1 steps before

  template <class F>
  GALLOP_HD void add_reward_slope(const F* s, F* by_s) const {
    const F at = fmadd(real<F>(threshold) - s[0], real<F>(per_width), real<F>(0.5));
    const Mask<F> on_ramp = (at > real<F>(0.0)) & (at < real<F>(1.0));
    by_s[0] = by_s[0] - zero_unless(on_ramp, real<F>(jump * per_width));
  }
  // E[w(s)] of s ~ N(mean, deviation^2).
  template <class F>
  GALLOP_HD F expected_prize(F mean, double deviation) const {
    const F below = real<F>(threshold) - mean;
    if (!(deviation > 0)) return LqrStep::prize(below, real<F>(per_width));
    const double width = per_width > 0 ? 1 / (per_width * deviation) : 0;
    return NormalWindow<F>(below * real<F>(1 / deviation), width).cdf();
  }
  // Of `steps` states, the first of them distributed as N(mean, deviations[0]^2).
  template <class F>
  GALLOP_HD F later_prizes(Discounting how, int steps, F mean, const double* deviations) const {
    F sum = real<F>(0.0);
    double factor = jump;
    for (int j = 0; j < steps; j++) {
      sum = fmadd(real<F>(factor), expected_prize(real<F>(decay[j]) * mean, deviations[j]), sum);
      if (how == kDiscounted) factor *= gamma;
    }
    return sum;
  }
};

class LqrStepAnswers;

struct LqrStepProblem : LinearQuadraticPaths<LqrStep, 1, LqrStepModel>, ScalarLinearQuadratic {
  using Base = LinearQuadraticPaths<LqrStep, 1, LqrStepModel>;
  using Answers = LqrStepAnswers;
  static constexpr const char* kName = "lqr_step";
  static constexpr const char* kSummary =
      "the scalar system of lqr with a prize below a threshold, by a jump or a ramp";
  static constexpr const char* kDisplacement = "0.1";
  static constexpr auto kOptions =
      rows(kSystemRows, real_row("jump", 1, kAny, "height of the prize"),
           real_row("threshold", 0.5, kAny, "below which it is paid"),
           real_row("width", 0, {.min = 0, .max = 1e6},
                    "of the ramp over which it begins, 0 for a jump"));

  static double per_width(const Options& options) {
    const double width = options.real("width");
    if (width > 0 && width < 1e-6) {
      throw value_error(fmt::format("width is {}, expected 0 for a jump, or 1e-6 to 1e6", width));
    }
    return width > 0 ? 1 / width : 0;
  }
  static Setting environment(const Options& options) {
    Setting all = ScalarLinearQuadratic::environment(options);
    all.emplace_back("jump", options.real("jump"));
    all.emplace_back("threshold", options.real("threshold"));
    all.emplace_back("per_width", per_width(options));
    return all;
  }

  template <class F>
  static GALLOP_HD F value(const Model& m, Discounting how, int t, const F* s) {
    return Base::value(m, how, t, s) + m.later_prizes(how, m.horizon - t, s[0], m.spread);
  }
  template <class F>
  static GALLOP_HD F action_value(const Model& m, int t, const F* s, const F* u, F reward) {
    F next[1];
    mean_after(m, s, u, next);
    return Base::action_value(m, t, s, u, reward) +
           m.later_prizes(kPlain, m.horizon - t - 1, next[0], m.after);
  }
};

// Those of the system without the prize, and the prize's beside them.
class LqrStepAnswers : public LinearQuadraticAnswers<LqrStepProblem, 1> {
 public:
  explicit LqrStepAnswers(const Options& options)
      : LinearQuadraticAnswers<LqrStepProblem, 1>(options),
        a_(options.real("a")),
        b_(options.real("b")),
        sigma_w_(options.real("sigma_w")),
        s0_(options.real("s0")) {
    model_.jump = options.real("jump");
    model_.threshold = options.real("threshold");
    model_.per_width = LqrStepProblem::per_width(options);
    fill_spreads();
    along_paths_ = gradient_[kPlain];
    const std::vector<Prize> prizes = prizes_of(model_.theta);
    const double gamma[2] = {1, options.real("gamma")};
    for (const Discounting how : {kPlain, kDiscounted}) {
      double factor = 1;
      for (const Prize& prize : prizes) {
        gradient_[how][0] += factor * prize.by_gain;
        gradient_[how][1] += factor * prize.by_sigma;
        factor *= gamma[how];
      }
    }
    if (model_.per_width > 0) along_paths_.clear();
    rest_.assign(model_.expected_rest, model_.expected_rest + model_.horizon);
    double later = 0;
    for (int t = model_.horizon - 1; t >= 0; t--) rest_[t] += later += prizes[t].mean;
    model_.expected_rest = rest_.data();
    model_.expected_return = rest_[0];
  }

  double expected_return(const double* theta) const override {
    double sum = LinearQuadraticAnswers<LqrStepProblem, 1>::expected_return(theta);
    for (const Prize& prize : prizes_of(theta)) sum += prize.mean;
    return sum;
  }

 private:
  struct Prize {
    double mean = 0, by_gain = 0, by_sigma = 0;
  };

  // The prize of a state N(mean, variance) with these derivatives of both.
  Prize prize_of(double mean, double variance, double mean_by_gain, double variance_by_gain,
                 double variance_by_sigma) const {
    const double deviation = std::sqrt(variance);
    Prize prize = {model_.jump * model_.expected_prize(mean, deviation)};
    if (!(deviation > 0)) return prize;  // that of s_0, or no noise ever: it stands still
    const double width = model_.per_width > 0 ? 1 / (model_.per_width * deviation) : 0;
    const NormalWindow<double> window((model_.threshold - mean) / deviation, width);
    const double by_mean = -window.pdf() / deviation;
    const double by_variance = window.pdf_slope() / (2 * variance);
    prize.by_gain = model_.jump * (by_mean * mean_by_gain + by_variance * variance_by_gain);
    prize.by_sigma = model_.jump * by_variance * variance_by_sigma;
    return prize;
  }
  // [H]; s_{t+1} = (a - b k) s_t + b sigma eps + sigma_w eps'.
  std::vector<Prize> prizes_of(const double* theta) const {
    const double closed = a_ - b_ * theta[0], sigma = acting_sigma(theta[1]);
    double mean = s0_, variance = 0, mean_by_gain = 0, by_gain = 0, by_sigma = 0;
    std::vector<Prize> prizes;
    for (int t = 0; t < model_.horizon; t++) {
      prizes.push_back(prize_of(mean, variance, mean_by_gain, by_gain, by_sigma));
      mean_by_gain = closed * mean_by_gain - b_ * mean;
      by_gain = closed * closed * by_gain - 2 * b_ * closed * variance;
      by_sigma = closed * closed * by_sigma + 2 * b_ * b_ * sigma;
      mean *= closed;
      variance = closed * closed * variance + b_ * b_ * sigma * sigma + sigma_w_ * sigma_w_;
    }
    return prizes;
  }
  void fill_spreads() {
    const double closed = a_ - b_ * model_.theta[0], sigma = acting_sigma(model_.theta[1]);
    double power = 1, variance = 0;
    for (int j = 0; j <= model_.horizon; j++) {
      decay_.push_back(power);
      spread_.push_back(std::sqrt(variance));
      after_.push_back(std::sqrt(variance + power * power * sigma_w_ * sigma_w_));
      variance += power * power * (b_ * b_ * sigma * sigma + sigma_w_ * sigma_w_);
      power *= closed;
    }
    model_.decay = decay_.data(), model_.spread = spread_.data(), model_.after = after_.data();
  }

  double a_, b_, sigma_w_, s0_;
  std::vector<double> rest_, decay_, spread_, after_;
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_PROBLEM(LqrStepProblem)
