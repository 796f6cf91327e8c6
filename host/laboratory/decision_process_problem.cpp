// `mdp`: the three-state decision process under a softmax policy. Parameters: theta[s][a] by rows.
#include <fmt/format.h>

#include <array>

#include "host/laboratory/problems.h"
#include "kernels/laboratory/decision_process.h"

namespace gallop {
namespace {

constexpr OptionSpec kMdp[] = {
    {"horizon", OptionType::integer, "4", 1, 10000, nullptr, "steps", "of a path"},
    {"theta00", OptionType::real, "0.2", -50, 50, nullptr, "", "logit of action 0 in state 0"},
    {"theta01", OptionType::real, "-0.1", -50, 50, nullptr, "", "logit of action 1 in state 0"},
    {"theta10", OptionType::real, "0", -50, 50, nullptr, "", "logit of action 0 in state 1"},
    {"theta11", OptionType::real, "0.3", -50, 50, nullptr, "", "logit of action 1 in state 1"},
    {"theta20", OptionType::real, "-0.2", -50, 50, nullptr, "", "logit of action 0 in state 2"},
    {"theta21", OptionType::real, "0.1", -50, 50, nullptr, "", "logit of action 1 in state 2"},
    {"old_theta", OptionType::real, "0.1", -10, 10, nullptr, "",
     "the older policy of importance sampling has this added to the logits of action 0"}};

constexpr int kS = ThreeStateMdp::kStates, kA = ThreeStateMdp::kActions;

// By backward induction: V [H + 1, S] and Q [H, S, A].
struct Values {
  std::vector<double> v, q;
};
Values values_of(const double* theta, int horizon, double gamma) {
  Values values{std::vector<double>(size_t(horizon + 1) * kS),
                std::vector<double>(size_t(horizon) * kS * kA)};
  for (int t = horizon - 1; t >= 0; t--) {
    const double* next = &values.v[size_t(t + 1) * kS];
    for (int s = 0; s < kS; s++) {
      double pi[kA];
      DecisionProcess::policy(theta, s, pi);
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
std::vector<double> occupancy_of(const double* theta, int horizon) {
  std::vector<double> p(size_t(horizon) * kS);
  for (int s = 0; s < kS; s++) p[s] = ThreeStateMdp::kStart[s];
  for (int t = 0; t + 1 < horizon; t++) {
    for (int s = 0; s < kS; s++) {
      double pi[kA];
      DecisionProcess::policy(theta, s, pi);
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

class DecisionProcessProblem : public LaboratoryProblem {
 public:
  explicit DecisionProcessProblem(const Options& options) {
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
  const std::vector<double>& gradient(Discounting d) const override { return gradient_[d]; }
  std::vector<std::pair<std::string, double>> facts() const override {
    std::vector<std::pair<std::string, double>> facts = {
        {"expected return", model_.expected_return}};
    for (int s = 0; s < kS; s++) {
      double visits = 0;
      for (int t = 0; t < model_.horizon; t++) visits += occupancy_[size_t(t) * kS + s];
      facts.emplace_back(fmt::format("expected visits of state {}", s), visits);
    }
    return facts;
  }

 private:
  // dU/dtheta[s][a] = sum_t gamma^t P(s_t = s) pi(a | s) (Q_t(s, a) - V_t(s)).
  void fill(Discounting d, double gamma) {
    values_[d] = values_of(model_.theta, model_.horizon, gamma);
    gradient_[d].assign(kS * kA, 0);
    double factor = 1;
    for (int t = 0; t < model_.horizon; t++, factor *= gamma) {
      for (int s = 0; s < kS; s++) {
        double pi[kA];
        DecisionProcess::policy(model_.theta, s, pi);
        for (int a = 0; a < kA; a++) {
          const size_t at = size_t(t) * kS + s;
          gradient_[d][s * kA + a] +=
              factor * occupancy_[at] * pi[a] * (values_[d].q[at * kA + a] - values_[d].v[at]);
        }
      }
    }
    model_.value[d] = values_[d].v.data();
  }

  DecisionProcessModel model_;
  Values values_[2];
  std::vector<double> occupancy_, rest_, gradient_[2];
};

}  // namespace

std::span<const OptionSpec> mdp_options() { return kMdp; }
std::unique_ptr<LaboratoryProblem> make_mdp(const Options& options) {
  return std::make_unique<DecisionProcessProblem>(options);
}

}  // namespace gallop
