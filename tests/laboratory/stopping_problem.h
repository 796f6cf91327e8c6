// A problem that is not in the program, to show that one file is all it takes: in state 0 action a
// pays kReward[a] and ends the episode (in state 1) with probability kStop[a]. Parameters: the
// logits of both states, of which those of the end move nothing.
//
//   V_t = sum_a pi(a) Q_t(a),  Q_t(a) = kReward[a] + gamma (1 - kStop[a]) V_{t+1},  P(running at t)
//   = (sum_a pi(a) (1 - kStop[a]))^t
#pragma once

#include <cmath>

#include <gallop/host/laboratory/estimators/paths.h>
#include <gallop/host/laboratory/problem.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/sims/mdp.h>

namespace gallop::inline GALLOP_ISA {

struct StoppingModel : LaboratoryModel {
  const double* value[2] = {};           // [H + 1] V_t
  const double* action_value = nullptr;  // [H, 2]
};

class StoppingAnswers;

struct StoppingProblem {
  using Environment = Mdp;
  using Model = StoppingModel;
  using Answers = StoppingAnswers;
  template <class F>
  using Policy = TabularSoftmax<F, 2, 2>;
  static constexpr Sizes kSizes = {2, 2};
  static constexpr const char* kName = "stopping";
  static constexpr const char* kSummary = "a process that its actions end";
  static constexpr const char* kDisplacement = "0.1";
  static constexpr auto kOptions =
      rows(integer_row("horizon", 5, {.min = 1, .max = 100, .unit = "steps"}, "of a path"),
           real_row("theta", 0.3, {.min = -5, .max = 5}, "logit of action 0; that of 1 is 0"));
  static constexpr double kReward[2] = {1, -0.5}, kStop[2] = {0.4, 0.1};

  template <class F>
  static GALLOP_HD F value(const Model& m, Discounting how, int t, const F* o) {
    return zero_unless(o[0] == F(0.0f), real<F>(m.value[how][t]));
  }
  template <class F>
  static GALLOP_HD F action_value(const Model& m, int t, const F* o, const F* u, F) {
    const double* const q = m.action_value + 2 * t;
    return zero_unless(o[0] == F(0.0f), select(u[0] == F(0.0f), real<F>(q[0]), real<F>(q[1])));
  }
};

class StoppingAnswers : public LaboratoryProblem {
 public:
  explicit StoppingAnswers(const Options& options)
      : LaboratoryProblem({"theta00", "theta01", "theta10", "theta11"}) {
    const int horizon = model_.horizon = int(options.integer("horizon"));
    model_.theta[0] = options.real("theta");
    model_.old_theta[0] = model_.theta[0] + 0.1;
    set_environment<Mdp>({{"n_states", 2}, {"n_actions", 2}});
    write_table();
    for (const Discounting how : {kPlain, kDiscounted}) {
      const double gamma = how == kPlain ? 1 : options.real("gamma");
      values_of(model_.theta, gamma, value_[how], action_value_[how]);
      gradient_[how].assign(4, 0.0);
      double pi[2], running = 1, factor = 1;
      policy(model_.theta, pi);
      for (int t = 0; t < horizon; t++) {
        for (int a = 0; a < 2; a++) {
          gradient_[how][a] +=
              factor * running * pi[a] * (action_value_[how][2 * t + a] - value_[how][t]);
        }
        if (how == kPlain) rest_.push_back(running * value_[kPlain][t]);
        running *= 1 - pi[0] * StoppingProblem::kStop[0] - pi[1] * StoppingProblem::kStop[1];
        factor *= gamma;
      }
      model_.value[how] = value_[how].data();
    }
    model_.action_value = action_value_[kPlain].data();
    model_.expected_return = rest_[0];
    model_.expected_rest = rest_.data();
  }

  LaboratoryModel& model() override { return model_; }
  double expected_return(const double* theta) const override {
    std::vector<double> value, action_value;
    values_of(theta, 1, value, action_value);
    return value[0];
  }

 private:
  static void policy(const double* theta, double* pi) {
    pi[0] = 1 / (1 + std::exp(theta[1] - theta[0]));
    pi[1] = 1 - pi[0];
  }
  void values_of(const double* theta, double gamma, std::vector<double>& value,
                 std::vector<double>& action_value) const {
    double pi[2];
    policy(theta, pi);
    value.assign(size_t(model_.horizon) + 1, 0.0);
    action_value.assign(size_t(model_.horizon) * 2, 0.0);
    for (int t = model_.horizon - 1; t >= 0; t--) {
      for (int a = 0; a < 2; a++) {
        action_value[2 * t + a] =
            StoppingProblem::kReward[a] + gamma * (1 - StoppingProblem::kStop[a]) * value[t + 1];
        value[t] += pi[a] * action_value[2 * t + a];
      }
    }
  }
  // From state 0; what an ended path would do next is state 1 for ever, which pays.
  void write_table() {
    const MdpTable layout = {2, 2};
    table_.assign(size_t(layout.size()), 1.0f);
    for (int a = 0; a < 2; a++) {
      table_[layout.cumulative() + 2 * a] = float(1 - StoppingProblem::kStop[a]);
      table_[layout.cumulative() + 4 + 2 * a] = 0;
      table_[layout.reward() + a] = float(StoppingProblem::kReward[a]);
      table_[layout.reward() + 2 + a] = 1000;
    }
    table_[layout.terminal()] = 0;
    model_.table = table_.data();
  }

  StoppingModel model_;
  std::vector<float> table_;
  std::vector<double> value_[2], action_value_[2], rest_;
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_PROBLEM(StoppingProblem)
