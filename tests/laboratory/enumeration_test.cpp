// Every estimator of the decision process on all 625 trajectories, each weighted by its
// probability: means and variances without sampling error.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include <gallop/host/laboratory/estimators/rows.h>
#include <gallop/host/laboratory/problems/mdp.h>

namespace gallop {
namespace {

constexpr int kPathCount = 625, kStride = 640, kD = 6, kSteps = 4;

using OnePath = Paths<MdpProblem, double>;  // a register is one path
using Request = OnePath::Request;

struct Enumeration {
  std::vector<double> record, probability;

  // Trajectories of four steps from state 0 under the softmax of theta, scored at the model's.
  Enumeration(const LaboratoryModel& m, const double* theta)
      : record(size_t(kPathCount) * OnePath::size(kSteps)) {
    double steps[3 * kSteps];
    extend(theta, 0, 0, 1, steps);
    const auto policy = policy_at<OnePath>(m, m.theta), acting = policy_at<OnePath>(m, theta);
    for (int i = 0; i < kPathCount; i++) {
      const OnePath path = path_of(i);
      for (int t = 0; t < kSteps; t++) {
        path.terminated[t] = t + 1 == kSteps, path.truncated[t] = 0;
        double unused[2];
        path.score(t, policy, acting.slopes(path.observation + t, path.action + t, unused), true);
      }
    }
  }
  OnePath path_of(int i) const {
    return {const_cast<double*>(record.data()) + i * OnePath::size(kSteps), kSteps};
  }

 private:
  void extend(const double* theta, int t, int s, double p, double* path) {
    if (t == kSteps) {
      const OnePath to = path_of(int(probability.size()));
      for (int k = 0; k < kSteps; k++) {
        to.observation[k] = path[3 * k], to.action[k] = path[3 * k + 1];
        to.reward[k] = path[3 * k + 2];
      }
      probability.push_back(p);
      return;
    }
    double pi[2];
    MdpAnswers::policy(theta, s, pi);
    for (int a = 0; a < 2; a++) {
      path[3 * t] = s, path[3 * t + 1] = a, path[3 * t + 2] = ThreeStateMdp::kRewards[s][a];
      for (int next = 0; next < 3; next++) {
        const double chance = ThreeStateMdp::kTransitions[s][a][next];
        if (chance > 0) extend(theta, t + 1, next, p * pi[a] * chance, path);
      }
    }
  }
};

struct Weighted {
  double mean[kD] = {}, trace = 0;
};

class EnumeratedMdp : public ::testing::Test {
 protected:
  EnumeratedMdp() : options_(laboratory_options(find_laboratory_problem("mdp"))) { make(); }

  void make() {
    problem_ = make_laboratory_problem(find_laboratory_problem("mdp"), options_);
    const LaboratoryModel& m = problem_->model();
    now_ = std::make_unique<Enumeration>(m, m.theta);
    old_ = std::make_unique<Enumeration>(m, m.old_theta);
  }
  const EstimatorRowOf<double>& row(const std::string& name) const {
    const auto& table = LaboratoryRows<OnePath>::kTable;
    for (int k = 0; k < table.n; k++) {
      if (name == table.rows[k].name) return table.rows[k];
    }
    throw std::runtime_error("no estimator " + name);
  }
  Weighted run(const std::string& name) {
    std::vector<double> gradient(size_t(kD) * kStride, std::nan("")),
        scratch(LaboratoryRows<OnePath>::scratch_size(problem_->model(), kStride));
    Request r = {};
    r.model = &problem_->model();
    r.record = now_->record.data(), r.old_record = old_->record.data();
    r.n_paths = kPathCount, r.stride = kStride;
    r.scratch = scratch.data(), r.gradient = gradient.data();
    const EstimatorRowOf<double>& chosen = row(name);
    chosen.estimate(r);
    const Enumeration& from = chosen.data == EstimatorData::kOldPaths ? *old_ : *now_;
    Weighted all;
    for (int d = 0; d < kD; d++) {
      double square = 0;
      for (int i = 0; i < kPathCount; i++) {
        const double g = gradient[size_t(d) * kStride + i];
        all.mean[d] += from.probability[i] * g;
        square += from.probability[i] * g * g;
      }
      all.trace += square - all.mean[d] * all.mean[d];
    }
    return all;
  }
  void expect_mean(const std::string& name, Discounting how = kPlain) {
    const Weighted all = run(name);
    for (int d = 0; d < kD; d++) {
      EXPECT_NEAR(all.mean[d], problem_->gradient(how)[d], 1e-12) << name << " " << d;
    }
  }

  Options options_;
  std::unique_ptr<LaboratoryProblem> problem_;
  std::unique_ptr<Enumeration> now_, old_;
};

TEST_F(EnumeratedMdp, ExactAnswersAreThePublishedOnes) {
  ASSERT_EQ(now_->probability.size(), size_t(kPathCount));
  double sum = 0;
  for (const double p : now_->probability) sum += p;
  EXPECT_NEAR(sum, 1, 1e-14);
  EXPECT_NEAR(problem_->model().expected_return, 0.718458947309, 1e-12);
  const double gradient[3] = {0.194890228173, 0.119017164742, 0.199507935135};
  for (int s = 0; s < 3; s++) {
    EXPECT_NEAR(problem_->gradient(kPlain)[2 * s], -gradient[s], 1e-12);
    EXPECT_NEAR(problem_->gradient(kPlain)[2 * s + 1], gradient[s], 1e-12);
  }
  const double rest[4] = {0.718458947, 0.761014696, 0.728939271, 0.381232371};
  for (int t = 0; t < 4; t++) EXPECT_NEAR(problem_->model().expected_rest[t], rest[t], 1e-9);
  std::map<std::string, double> facts;
  for (const auto& [name, value] : problem_->facts()) facts[name] = value;
  EXPECT_NEAR(facts.at("expected visits of state 0"), 2.290834635, 1e-9);
  EXPECT_NEAR(facts.at("expected visits of state 1"), 1.168814780, 1e-9);
  EXPECT_NEAR(facts.at("expected visits of state 2"), 0.540350585, 1e-9);
}

TEST_F(EnumeratedMdp, VariancesAreThePublishedOnes) {
  // E[Psi_d^2 R] / E[Psi_d^2], of the enumerated paths.
  LaboratoryModel& m = problem_->model();
  double square[kD] = {}, product[kD] = {};
  for (int i = 0; i < kPathCount; i++) {
    double psi[kD];
    const double total = now_->path_of(i).path_score(psi);
    for (int d = 0; d < kD; d++) {
      square[d] += now_->probability[i] * psi[d] * psi[d];
      product[d] += now_->probability[i] * psi[d] * psi[d] * total;
    }
  }
  const double optimal[3] = {0.422318875, 0.586177645, 2.006295396};
  for (int d = 0; d < kD; d++) {
    m.optimal[d] = product[d] / square[d];
    EXPECT_NEAR(m.optimal[d], optimal[d / 2], 1e-9);
  }
  const std::pair<const char*, double> known[] = {
      {"reinforce", 3.311351897},         {"reinforce_expected", 2.398212936},
      {"reinforce_optimal", 1.851829141}, {"gpomdp", 2.739666683},
      {"gpomdp_expected", 1.981833819},   {"gpomdp_value", 1.321976767},
      {"advantage", 0.188750106}};
  for (const auto& [name, trace] : known) {
    expect_mean(name);
    EXPECT_NEAR(run(name).trace, trace, 1e-9) << name;  // printed with nine digits
  }
}

TEST_F(EnumeratedMdp, EveryUnbiasedEstimatorHasTheExactMean) {
  LaboratoryModel& m = problem_->model();
  // Baselines stay unbiased whatever their values: these were drawn by hand.
  const double linear[] = {0.3, -1, 2, 0.7, -0.4, 1.5};
  const double critic[] = {0.1, 0.5, -0.3, 1, -2, 0.25, 0, 0.75, 0.5, -1, 3, 0.125, 0, 0, 0};
  m.linear = linear;
  m.critic[kPlain] = m.critic[kDiscounted] = critic;
  m.optimal[2] = 0.9, m.optimal_scalar = -0.6;
  for (const char* name :
       {"reinforce", "reinforce_expected", "reinforce_optimal", "reinforce_optimal_scalar",
        "gpomdp", "gpomdp_expected", "gpomdp_linear", "gpomdp_fitted", "gpomdp_value", "advantage",
        "surrogate", "importance_path", "importance_decision", "n_step_value", "gae_value"}) {
    expect_mean(name);
  }
  for (const double lambda : {0.0, 0.3, 1.0}) {
    m.lambda = lambda;
    expect_mean("gae_value");
  }
  expect_mean("gae_fitted");  // lambda = 1: the critic is no more than a baseline
  m.n_step = 4;
  expect_mean("n_step_fitted");
  for (const int n : {1, 2, 3}) {
    m.n_step = n;
    expect_mean("n_step_value");
  }
}

TEST_F(EnumeratedMdp, WhatIsCalledBiasedIsBiased) {
  LaboratoryModel& m = problem_->model();
  const double critic[] = {0.1, 0.5, -0.3, 1, -2, 0.25, 0, 0.75, 0.5, -1, 3, 0.125, 0, 0, 0};
  m.critic[kPlain] = m.critic[kDiscounted] = critic;
  m.n_step = 1, m.lambda = 0.5;
  for (const char* name : {"importance_step", "n_step_fitted", "gae_fitted"}) {
    const Weighted all = run(name);
    double distance = 0;
    for (int d = 0; d < kD; d++) distance += std::fabs(all.mean[d] - problem_->gradient(kPlain)[d]);
    EXPECT_GT(distance, 1e-3) << name;
  }
}

TEST_F(EnumeratedMdp, DiscountNeedsItsFactor) {
  options_.set("gamma", "0.8", "test");
  make();
  expect_mean("discounted", kDiscounted);
  const Weighted all = run("discounted_no_factor");
  for (const Discounting how : {kPlain, kDiscounted}) {
    double distance = 0;
    for (int d = 0; d < kD; d++) distance += std::fabs(all.mean[d] - problem_->gradient(how)[d]);
    EXPECT_GT(distance, 1e-3);
  }
}

// d/dtheta of the surrogate at theta_old: the difference of mean exp(log pi - log pi_old) G.
TEST_F(EnumeratedMdp, SurrogateGradientIsTheDifferenceOfTheSurrogate) {
  LaboratoryModel& m = problem_->model();
  const Weighted exact = run("surrogate");
  const auto surrogate = [&](const double* theta) {
    double mean = 0;
    for (int i = 0; i < kPathCount; i++) {
      double rest = 0, sum = 0;
      for (int t = 3; t >= 0; t--) {
        double pi[2], old[2];
        const OnePath path = now_->path_of(i);
        const int s = int(path.observation[t]), a = int(path.action[t]);
        MdpAnswers::policy(theta, s, pi);
        MdpAnswers::policy(m.theta, s, old);
        rest += path.reward[t];
        sum += pi[a] / old[a] * rest;
      }
      mean += now_->probability[i] * sum;
    }
    return mean;
  };
  for (int d = 0; d < kD; d++) {
    double above[kD], below[kD];
    for (int k = 0; k < kD; k++) above[k] = below[k] = m.theta[k];
    above[d] += 1e-5, below[d] -= 1e-5;
    EXPECT_NEAR(exact.mean[d], (surrogate(above) - surrogate(below)) / 2e-5, 1e-9) << d;
  }
}

// Leave-one-out estimates by their definition, on equally weighted paths.
TEST_F(EnumeratedMdp, LeaveOneOutIsItsDefinition) {
  const LaboratoryModel& m = problem_->model();
  constexpr int kN = 37;
  std::vector<double> gradient(size_t(kD) * kStride),
      scratch(LaboratoryRows<OnePath>::scratch_size(m, kStride));
  Request r = {};
  r.model = &m;
  r.record = now_->record.data();
  r.n_paths = kN, r.stride = kStride;
  r.scratch = scratch.data(), r.gradient = gradient.data();
  // The estimate from the paths of `who`, by whole paths or by time.
  const auto estimate = [&](const std::vector<int>& who, bool by_time, int d) {
    double sum = 0;
    for (const int i : who) {
      for (int t = 0; t < 4; t++) {
        double psi[kD] = {}, mine = 0, others = 0;
        now_->path_of(i).add_score(t, 1, psi);
        for (const int j : who) {
          double rest = 0;
          for (int k = by_time ? t : 0; k < 4; k++) rest += now_->path_of(j).reward[k];
          (j == i ? mine : others) += rest;
        }
        sum += psi[d] * (mine - others / double(who.size() - 1));
      }
    }
    return sum / double(who.size());
  };
  std::vector<int> everyone(kN);
  for (int i = 0; i < kN; i++) everyone[i] = i;
  for (const bool by_time : {false, true}) {
    row(by_time ? "gpomdp_mean" : "reinforce_mean").estimate(r);
    for (int d = 0; d < kD; d++) {
      const double all = estimate(everyone, by_time, d);
      double mean = 0;
      for (int i = 0; i < kN; i++) {
        const double pseudo = gradient[size_t(d) * kStride + i];
        std::vector<int> rest = everyone;
        rest.erase(rest.begin() + i);
        EXPECT_NEAR(pseudo, kN * all - (kN - 1) * estimate(rest, by_time, d), 1e-9);
        mean += pseudo / kN;
      }
      EXPECT_NEAR(mean, all, 1e-12);
    }
  }
}

}  // namespace
}  // namespace gallop
