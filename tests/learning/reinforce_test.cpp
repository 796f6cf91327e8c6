// host/learning/path_scores.h and algorithm reinforce: gradients of whole paths against their
// definition path by path in double, and, on the three-state decision process, against the exact
// gradient and the exact variances by enumeration.
#include <gtest/gtest.h>

#include <gallop/host/learning/path_scores.h>
#include "tests/learning/kernel_sets.h"
#include "tests/learning/learner_parts.h"
#include "tests/learning/reference_policy.h"
#include "tests/reference/mdp_exact.h"
#include "tests/training/learner.h"

namespace gallop::testing {
namespace {

const char* const kBaselines[] = {"none", "mean", "optimal", "optimal_component"};

void find_gradient(PathScores& paths, const std::string& baseline) {
  if (baseline == "none" || baseline == "mean") {
    paths.gradient_with_mean_baseline(baseline == "mean");
  } else {
    paths.gradient_with_optimal_baseline(baseline == "optimal_component");
  }
}

// Score and return of one path.
struct Path {
  Vector score;
  double value = 0;
};

double norm_squared(const Vector& v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return sum;
}

// 1/m sum of s_j (R - b_j) with b taken over the other paths, one path at a time.
Vector gradient_by_definition(const std::vector<Path>& paths, const std::string& baseline) {
  const double m = double(paths.size());
  Vector g(paths[0].score.size(), 0.0);
  for (std::size_t e = 0; e < paths.size(); e++) {
    for (std::size_t j = 0; j < g.size(); j++) {
      double weights = 0, weighted = 0;
      for (std::size_t other = 0; other < paths.size(); other++) {
        if (other == e || baseline == "none") continue;
        const double s = paths[other].score[j];
        const double w = baseline == "mean"      ? 1.0
                         : baseline == "optimal" ? norm_squared(paths[other].score)
                                                 : s * s;
        weights += w;
        weighted += w * paths[other].value;
      }
      g[j] += paths[e].score[j] * (paths[e].value - (weights > 0 ? weighted / weights : 0)) / m;
    }
  }
  return g;
}

// Paths of a recorded rollout of a softmax policy that is linear in the inputs, or a table.
std::vector<Path> recorded_paths(const LearnerParts& p, double gamma) {
  const RolloutArrays a = p.arrays();
  const Samples samples = p.learner.samples(nullptr, p.learner.n_samples());
  const PolicyView policy = p.learner.policy().view();
  const NetworkShape& network = policy.shape.network;
  const int actions = policy.shape.n_actions, inputs = network.width[0];
  const bool table = network.kind == NetworkKind::kTabular;
  const long n_parameters = layer_offset(network, 1);
  const Vector theta(policy.parameters, policy.parameters + n_parameters);
  std::vector<Path> paths;
  for (int n = 0; n < a.n_envs; n++) {
    Path path = {Vector(n_parameters, 0.0), 0};
    double weight = 1;
    for (int t = 0; t < a.n_steps; t++) {
      const long at = long(t) * a.n_envs + n;
      Vector x;
      for (int k = 0; k < samples.observation_rows; k++) {
        x.push_back(a.observation[(long(t) * samples.observation_rows + k) * a.n_envs + n]);
      }
      const Vector logits = reference_forward(network, theta, x);
      for (int i = 0; i < actions; i++) {
        const Vector chosen = {double(i)};
        const double q =
            (samples.action[at] == float(i) ? 1 : 0) -
            std::exp(reference_distribution(policy.shape, logits, nullptr, chosen).log_prob);
        if (table) {
          path.score[long(x[0]) * actions + i] += q;
          continue;
        }
        for (int k = 0; k < inputs; k++) path.score[k * actions + i] += x[k] * q;
        path.score[inputs * actions + i] += q;
      }
      path.value += weight * double(a.reward[at]) * p.learner.advantages().reward_scale();
      weight *= gamma;
      if ((a.terminated[at] | a.truncated[at]) == 0) continue;
      paths.push_back(path);
      path = {Vector(n_parameters, 0.0), 0};
      weight = 1;
    }
  }
  return paths;
}

void set_parameters(LearnerParts& p, const std::vector<float>& theta) {
  ASSERT_EQ(long(theta.size()), p.learner.policy().parameters().size());
  p.backend->to_device(p.learner.policy().parameters().mutable_data(), theta.data(),
                       theta.size() * sizeof(float));
}

const std::vector<float> kTheta = {.2f, -.1f, 0, .3f, -.2f, .1f};

TEST(PathScores, EqualTheDefinitionPathByPath) {
  struct Case {
    const char* environment;
    std::vector<std::string> options;
    long fewest;
  };
  for (const Case& c :
       {Case{"mdp", {"n_envs=7", "n_steps=10"}, 14},
        Case{"mdp", {"n_envs=2", "n_steps=4", "gamma=0.5"}, 2},
        Case{"cartpole", {"n_envs=5", "n_steps=90", "hidden="}, 6},
        Case{
            "cartpole", {"n_envs=9", "n_steps=60", "hidden=", "gamma=0.9", "reward_scale=3"}, 6}}) {
    for (const std::string baseline : kBaselines) {
      SCOPED_TRACE(std::string(c.environment) + " " + c.options[0] + " " + baseline);
      LearnerParts p(c.environment, "reinforce", c.options);
      PathScores paths(*p.backend, p.learner);
      std::vector<float> theta = p.learner.policy().parameters().values();
      Random random(61);
      for (float& x : theta) x = float(0.5 * random.normal());
      set_parameters(p, theta);
      for (int round = 0; round < 3; round++) {  // each begins with new episodes
        p.learner.collect_from_reset();
        const double gamma = p.options.values().real("gamma");
        const std::vector<Path> expected = recorded_paths(p, gamma);
        ASSERT_EQ(paths.find(), long(expected.size()));
        ASSERT_GE(long(expected.size()), c.fewest);
        for (std::size_t e = 0; e < expected.size(); e++) {
          EXPECT_NEAR(paths.returns()[e], expected[e].value,
                      1e-5 * (1 + std::abs(expected[e].value)));
        }
        find_gradient(paths, baseline);
        const Vector g = gradient_by_definition(expected, baseline);
        double size = 0;
        for (const Path& path : expected) {
          size += std::sqrt(norm_squared(path.score)) * (1 + std::abs(path.value));
        }
        const double limit = 2e-6 * size / double(expected.size()) + 1e-6;
        const float* actual = p.learner.policy().parameters().gradient();
        for (std::size_t j = 0; j < g.size(); j++) EXPECT_NEAR(actual[j], -g[j], limit) << j;
        EXPECT_GT(norm_squared(g), 100 * limit * limit);
      }
    }
  }
}

// Every trajectory of four steps with its probability, score and return.
struct Enumerated {
  std::vector<Path> paths;
  Vector probability;

  Enumerated() { extend(ThreeStateMdp(), 0, 0, 1, {Vector(6, 0.0), 0}); }
  template <class Term>
  double expect(const Term& term) const {
    double sum = 0;
    for (std::size_t e = 0; e < paths.size(); e++) sum += probability[e] * term(paths[e]);
    return sum;
  }

 private:
  void extend(const ThreeStateMdp& mdp, int t, int s, double p, const Path& path) {
    for (int a = 0; a < 2; a++) {
      Path next = path;
      next.value += mdp.reward[s][a];
      for (int i = 0; i < 2; i++) {
        next.score[2 * s + i] += (i == a ? 1 : 0) - mdp.probability(s, i);
      }
      const double chosen = p * mdp.probability(s, a);
      if (t + 1 == ThreeStateMdp::kHorizon) {
        paths.push_back(next);
        probability.push_back(chosen);
        continue;
      }
      for (int k = 0; k < 3; k++) {
        const double q = mdp.transition[s][a][k];
        if (q > 0) extend(mdp, t + 1, k, chosen * q, next);
      }
    }
  }
};

struct Exact {
  Vector gradient, baseline;  // of each component
  double variance;            // total, of one path
};

Exact exact(const Enumerated& all, const std::string& baseline) {
  Exact e = {Vector(6), Vector(6), 0};
  for (int j = 0; j < 6; j++) {
    const auto weight = [&](const Path& p) {
      return baseline == "mean"                ? 1.0
             : baseline == "optimal"           ? norm_squared(p.score)
             : baseline == "optimal_component" ? p.score[j] * p.score[j]
                                               : 0.0;
    };
    const double weights = all.expect(weight);
    if (weights > 0) {
      e.baseline[j] = all.expect([&](const Path& p) { return weight(p) * p.value; }) / weights;
    }
    e.gradient[j] = all.expect([&](const Path& p) { return p.score[j] * p.value; });
    e.variance += all.expect([&](const Path& p) {
      return std::pow(p.score[j] * (p.value - e.baseline[j]), 2);
    }) - e.gradient[j] * e.gradient[j];
  }
  return e;
}

TEST(Reinforce, TheExactVariancesByEnumeration) {
  const Enumerated all;
  EXPECT_NEAR(all.expect([](const Path&) { return 1.0; }), 1, 1e-12);
  EXPECT_NEAR(all.expect([](const Path& p) { return p.value; }), 0.718458947309, 1e-9);
  const double gradient[] = {0.194890228173, 0.119017164742, 0.199507935135};
  for (int s = 0; s < 3; s++) {
    EXPECT_NEAR(exact(all, "none").gradient[2 * s + 1], gradient[s], 1e-10);
    EXPECT_NEAR(exact(all, "none").gradient[2 * s], -gradient[s], 1e-10);
  }
  EXPECT_NEAR(exact(all, "none").variance, 3.311351897, 1e-8);
  EXPECT_NEAR(exact(all, "mean").variance, 2.398212936, 1e-8);
  EXPECT_NEAR(exact(all, "optimal_component").variance, 1.851829141, 1e-8);
  const double optimal[] = {.422318875, .586177645, 2.006295396};
  for (int j = 0; j < 6; j++) {
    EXPECT_NEAR(exact(all, "optimal_component").baseline[j], optimal[j / 2], 1e-8);
  }
  EXPECT_LT(exact(all, "optimal").variance, exact(all, "mean").variance);
  EXPECT_GT(exact(all, "optimal").variance, exact(all, "optimal_component").variance);
}

struct Sampled {
  Vector mean;
  double variance = 0;  // total, of one batch
};

Sampled sample(const std::string& baseline, int n_paths, int batches) {
  LearnerParts p("mdp", "reinforce", {"n_envs=" + std::to_string(n_paths), "n_steps=4", "seed=11"});
  set_parameters(p, kTheta);
  PathScores paths(*p.backend, p.learner);
  Sampled result = {Vector(6, 0.0), 0};
  Vector squares(6, 0.0);
  for (int b = 0; b < batches; b++) {
    p.learner.collect_from_reset();
    EXPECT_EQ(paths.find(), n_paths);
    find_gradient(paths, baseline);
    for (int j = 0; j < 6; j++) {
      const double g = -double(p.learner.policy().parameters().gradient()[j]);
      result.mean[j] += g / batches;
      squares[j] += g * g;
    }
  }
  for (int j = 0; j < 6; j++) {
    result.variance += (squares[j] - batches * result.mean[j] * result.mean[j]) / (batches - 1);
  }
  return result;
}

// Few paths a batch: a baseline that took its own path in would show as a bias of the part 1 / m.
TEST(Reinforce, EveryBaselineIsUnbiasedWithFewPaths) {
  const Enumerated all;
  for (const std::string baseline : kBaselines) {
    constexpr int kPaths = 4, kBatches = 40000;
    const Exact answer = exact(all, baseline);
    const Sampled s = sample(baseline, kPaths, kBatches);
    double error = 0;
    for (int j = 0; j < 6; j++) error += std::pow(s.mean[j] - answer.gradient[j], 2);
    const double standard_error = std::sqrt(s.variance / kBatches);
    EXPECT_LT(std::sqrt(error), 3 * standard_error) << baseline;
    EXPECT_LT(3 * standard_error, std::sqrt(norm_squared(answer.gradient)) / kPaths / 2)
        << "too few samples to see a bias";
    std::printf("%s: error %.2f standard errors\n", baseline.c_str(),
                std::sqrt(error) / standard_error);
  }
}

TEST(Reinforce, VariancesWithManyPathsAreTheExactOnes) {
  const Enumerated all;
  double last = 1e9;
  for (const std::string baseline : kBaselines) {
    constexpr int kPaths = 512, kBatches = 500;
    const Sampled s = sample(baseline, kPaths, kBatches);
    const double variance = s.variance * kPaths;
    EXPECT_NEAR(variance / exact(all, baseline).variance, 1, 0.2) << baseline;
    EXPECT_LT(variance, last * 1.02) << baseline << " is no worse than the one before";
    last = variance;
    std::printf("%s: variance %.3f, exactly %.3f\n", baseline.c_str(), variance,
                exact(all, baseline).variance);
  }
}

TEST(Reinforce, TooFewPathsAreRefusedAndNothingMoves) {
  struct Case {
    std::vector<std::string> options;
    double paths;
    bool without;  // whether it is enough without a baseline
  };
  for (const Case& c :
       {Case{{"n_envs=16", "n_steps=3"}, 0, false}, Case{{"n_envs=1", "n_steps=1"}, 0, false},
        Case{{"n_envs=1", "n_steps=4"}, 1, true}, Case{{"n_envs=1", "n_steps=7"}, 1, true}}) {
    for (const std::string baseline : kBaselines) {
      std::vector<std::string> options = c.options;
      options.push_back("baseline=" + baseline);
      Learner learner("mdp", "reinforce", 1, options);
      learner.run(1);
      const TensorFile before = learner.saved();
      const Metrics metrics = learner.run(1);
      const bool refused = !(c.without && baseline == "none");
      EXPECT_EQ(metric(metrics, "paths"), c.paths) << baseline << c.options[1];
      EXPECT_EQ(metric(metrics, "refused"), refused ? 1 : 0) << baseline << c.options[1];
      const std::set<std::string> moved = differences_under("policy/", learner.saved(), before);
      EXPECT_EQ(moved.empty(), refused) << baseline << c.options[1];
    }
  }
}

}  // namespace
}  // namespace gallop::testing
