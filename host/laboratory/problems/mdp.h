// `mdp`: the built-in decision process of sims/mdp.h under a softmax of a logit for each state and
// action. Parameters: theta[s][a] by rows.
//
// The environment's table has its numbers as floats; the exact answers are those of the numbers
// themselves, which differ by less than 1e-7.
#pragma once

#include <fmt/format.h>

#include <cmath>

#include <gallop/host/laboratory/estimators/paths.h>
#include <gallop/host/laboratory/problem.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/sims/mdp.h>

namespace gallop::inline GALLOP_ISA {

struct MdpModel : LaboratoryModel {
  const double* value[2] = {};           // [H + 1, S] V_t(s), by Discounting; V_H is 0
  const double* action_value = nullptr;  // [H, S, A] Q_t(s, a) of plain returns
};

class MdpAnswers;

constexpr OptionSpec logit_row(const char* name, double value, const char* help) {
  return real_row(name, value, {.min = -50, .max = 50}, help);
}

struct MdpProblem {
  using Environment = Mdp;
  using Model = MdpModel;
  using Answers = MdpAnswers;
  static constexpr int kS = ThreeStateMdp::kStates, kA = ThreeStateMdp::kActions;
  template <class F>
  using Policy = TabularSoftmax<F, kS, kA>;
  static constexpr Sizes kSizes = {kS, kA};
  static constexpr const char* kName = "mdp";
  static constexpr const char* kSummary = "three-state decision process, softmax of theta[s][a]";
  static constexpr const char* kDisplacement = "0.1";

  static constexpr auto kOptions =
      rows(integer_row("horizon", 4, {.min = 1, .max = 10000, .unit = "steps"}, "of a path"),
           logit_row("theta00", 0.2, "logit of action 0 in state 0"),
           logit_row("theta01", -0.1, "logit of action 1 in state 0"),
           logit_row("theta10", 0, "logit of action 0 in state 1"),
           logit_row("theta11", 0.3, "logit of action 1 in state 1"),
           logit_row("theta20", -0.2, "logit of action 0 in state 2"),
           logit_row("theta21", 0.1, "logit of action 1 in state 2"),
           real_row("old_theta", 0.1, {.min = -10, .max = 10},
                    "the older policy of importance sampling has this added to the logits of "
                    "action 0"));

  // The entry of a row of a table [S, n], plain where a lane's state is.
  template <int n, class F>
  static GALLOP_HD F entry(const double* table, F index) {
    F x = real<F>(table[0]);
    for (int k = 1; k < n; k++) x = select(index == F(float(k)), real<F>(table[k]), x);
    return x;
  }
  template <class F>
  static GALLOP_HD F value(const Model& m, Discounting how, int t, const F* s) {
    return entry<kS>(m.value[how] + long(t) * kS, s[0]);
  }
  template <class F>
  static GALLOP_HD F action_value(const Model& m, int t, const F* s, const F* a, F) {
    return entry<kS * kA>(m.action_value + long(t) * kS * kA, fmadd(s[0], F(float(kA)), a[0]));
  }
};

class MdpAnswers : public LaboratoryProblem {
 public:
  static constexpr int kS = MdpProblem::kS, kA = MdpProblem::kA;

  explicit MdpAnswers(const Options& options) {
    const int horizon = int(options.integer("horizon"));
    model_.horizon = horizon;
    for (int s = 0; s < kS; s++) {
      for (int a = 0; a < kA; a++) {
        parameters_.push_back(fmt::format("theta{}{}", s, a));
        model_.theta[s * kA + a] = options.real(parameters_.back());
        model_.old_theta[s * kA + a] =
            model_.theta[s * kA + a] + (a == 0 ? options.real("old_theta") : 0);
      }
    }
    set_environment<Mdp>({});
    occupancy_ = occupancy_of(model_.theta, horizon);
    fill(kPlain, 1);
    fill(kDiscounted, options.real("gamma"));
    model_.action_value = values_[kPlain].q.data();
    rest_.assign(horizon, 0);
    for (int t = 0; t < horizon; t++) {
      for (int s = 0; s < kS; s++) {
        rest_[t] += occupancy_[size_t(t) * kS + s] * values_[kPlain].v[size_t(t) * kS + s];
      }
    }
    model_.expected_rest = rest_.data();
    model_.expected_return = rest_[0];
  }

  LaboratoryModel& model() override { return model_; }
  double expected_return(const double* theta) const override {
    const Values values = values_of(theta, model_.horizon, 1);
    double sum = 0;
    for (int s = 0; s < kS; s++) sum += ThreeStateMdp::kStart[s] * values.v[s];
    return sum;
  }
  std::vector<std::pair<std::string, double>> facts() const override {
    std::vector<std::pair<std::string, double>> facts;
    for (int s = 0; s < kS; s++) {
      double visits = 0;
      for (int t = 0; t < model_.horizon; t++) visits += occupancy_[size_t(t) * kS + s];
      facts.emplace_back(fmt::format("expected visits of state {}", s), visits);
    }
    return facts;
  }

  // pi(. | s) [A].
  static void policy(const double* theta, int s, double* to) {
    double greatest = theta[s * kA], total = 0;
    for (int a = 1; a < kA; a++) greatest = std::max(greatest, theta[s * kA + a]);
    for (int a = 0; a < kA; a++) {
      to[a] = std::exp(theta[s * kA + a] - greatest);
      total += to[a];
    }
    for (int a = 0; a < kA; a++) to[a] /= total;
  }

 private:
  // By backward induction: V [H + 1, S] and Q [H, S, A].
  struct Values {
    std::vector<double> v, q;
  };
  static Values values_of(const double* theta, int horizon, double gamma) {
    Values values{std::vector<double>(size_t(horizon + 1) * kS),
                  std::vector<double>(size_t(horizon) * kS * kA)};
    for (int t = horizon - 1; t >= 0; t--) {
      const double* next = &values.v[size_t(t + 1) * kS];
      for (int s = 0; s < kS; s++) {
        double pi[kA];
        policy(theta, s, pi);
        double& v = values.v[size_t(t) * kS + s];
        for (int a = 0; a < kA; a++) {
          double& q = values.q[(size_t(t) * kS + s) * kA + a];
          q = ThreeStateMdp::kRewards[s][a];
          for (int k = 0; k < kS; k++) q += gamma * ThreeStateMdp::kTransitions[s][a][k] * next[k];
          v += pi[a] * q;
        }
      }
    }
    return values;
  }

  // P(s_t = s), [H, S].
  static std::vector<double> occupancy_of(const double* theta, int horizon) {
    std::vector<double> p(size_t(horizon) * kS);
    for (int s = 0; s < kS; s++) p[s] = ThreeStateMdp::kStart[s];
    for (int t = 0; t + 1 < horizon; t++) {
      for (int s = 0; s < kS; s++) {
        double pi[kA];
        policy(theta, s, pi);
        for (int a = 0; a < kA; a++) {
          for (int k = 0; k < kS; k++) {
            p[size_t(t + 1) * kS + k] +=
                p[size_t(t) * kS + s] * pi[a] * ThreeStateMdp::kTransitions[s][a][k];
          }
        }
      }
    }
    return p;
  }

  // dU/dtheta[s][a] = sum_t gamma^t P(s_t = s) pi(a | s) (Q_t(s, a) - V_t(s)).
  void fill(Discounting how, double gamma) {
    values_[how] = values_of(model_.theta, model_.horizon, gamma);
    gradient_[how].assign(kS * kA, 0);
    double factor = 1;
    for (int t = 0; t < model_.horizon; t++, factor *= gamma) {
      for (int s = 0; s < kS; s++) {
        double pi[kA];
        policy(model_.theta, s, pi);
        for (int a = 0; a < kA; a++) {
          const size_t at = size_t(t) * kS + s;
          gradient_[how][s * kA + a] +=
              factor * occupancy_[at] * pi[a] * (values_[how].q[at * kA + a] - values_[how].v[at]);
        }
      }
    }
    model_.value[how] = values_[how].v.data();
  }

  MdpModel model_;
  Values values_[2];
  std::vector<double> occupancy_, rest_;
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_PROBLEM(MdpProblem)
