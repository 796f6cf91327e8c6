// Examples of graphs against the laboratory's estimators, the code that training's are made of,
// path by path: the paths of a graph are what the estimators are given.
#include <gtest/gtest.h>

#include <cmath>

#include <gallop/host/graphs/examples/example.h>
#include <gallop/host/laboratory/estimators/likelihood_ratio.h>
#include <gallop/host/laboratory/problems/lqr.h>
#include <gallop/host/laboratory/problems/mdp.h>
#include "tests/graphs/double_rows.h"

namespace gallop::testing {
namespace {

constexpr long kPaths = 512;
constexpr double kTolerance = 1e-6;  // relative, of a path's gradient

// The paths of an example as the laboratory records them, one a register.
template <class Problem>
struct Recorded {
  using OnePath = Paths<Problem, double>;

  std::unique_ptr<LaboratoryProblem> problem;
  std::unique_ptr<DoubleSamples> samples;
  std::vector<double> record, gradient, scratch;

  Recorded(const char* problem_name, const char* example) {
    const LaboratoryDescriptor& descriptor = find_laboratory_problem(problem_name);
    problem = make_laboratory_problem(descriptor, laboratory_options(descriptor));
    Graph graph;
    find_graph_example(example).build(graph);
    samples = std::make_unique<DoubleSamples>(graph, GraphRun{.samples = kPaths, .seed = 4});
  }
  // cost(t, s, u): what the graph's path costs at a step.
  template <class Cost>
  void take(const char* action, const Cost& cost) {
    const LaboratoryModel& m = problem->model();
    const auto policy = policy_at<OnePath>(m, m.theta);
    const int horizon = m.horizon;
    record.assign(std::size_t(kPaths * OnePath::size(horizon)), 0.0);
    for (long i = 0; i < kPaths; i++) {
      const OnePath path(record.data() + i * OnePath::size(horizon), horizon);
      for (int t = 0; t < horizon; t++) {
        const double s = samples->value("s" + std::to_string(t), std::size_t(i));
        const double u = samples->value(action + std::to_string(t), std::size_t(i));
        path.observation[t] = s, path.action[t] = u, path.reward[t] = -cost(s, u);
        path.terminated[t] = t + 1 == horizon, path.truncated[t] = 0;
        double unused[OnePath::kS];
        path.score(t, policy, policy.slopes(path.observation + t, path.action + t, unused), true);
      }
    }
    gradient.assign(std::size_t(OnePath::kD) * kPaths, std::nan(""));
    scratch.assign(std::size_t(8 * (horizon + 1)) * kPaths, 0.0);
  }
  typename OnePath::Request request() {
    typename OnePath::Request r = {};
    r.model = &problem->model();
    r.record = record.data(), r.scratch = scratch.data(), r.gradient = gradient.data();
    r.n_paths = r.stride = int(kPaths);
    return r;
  }
  // `scale` [D]: derivatives by the graph's parameters of the laboratory's.
  void expect_equal(const std::vector<double>& scale) const {
    ASSERT_EQ(int(scale.size()), OnePath::kD);
    for (int d = 0; d < OnePath::kD; d++) {
      for (long i = 0; i < kPaths; i++) {
        const double expected = -scale[std::size_t(d)] * gradient[std::size_t(d * kPaths + i)];
        ASSERT_NEAR(samples->gradient(d, std::size_t(i)), expected,
                    kTolerance * std::max(1e-2, std::abs(expected)))
            << "path " << i << ", parameter " << d;
      }
    }
  }
};

struct Regulated : Recorded<LqrProblem> {
  explicit Regulated(const char* example) : Recorded("lqr", example) {
    take("u", [](double s, double u) { return s * s + 0.1 * u * u; });
  }
  // By log sigma: sigma times that by sigma.
  void expect_equal() const { Recorded::expect_equal({1, 0.3}); }
};
struct Decided : Recorded<MdpProblem> {
  explicit Decided(const char* example) : Recorded("mdp", example) {
    take("a", [](double s, double a) { return -ThreeStateMdp::kRewards[int(s)][int(a)]; });
  }
  void expect_equal() const { Recorded::expect_equal({1, 1, 1, 1, 1, 1}); }
};

TEST(Graphs, ReinforceEqualsTheLaboratorys) {
  Regulated regulated("reinforce");
  reinforce<Regulated::OnePath, PathBaseline::kNone>(regulated.request());
  regulated.expect_equal();
  Decided decided("reinforce_mdp");
  reinforce<Decided::OnePath, PathBaseline::kNone>(decided.request());
  decided.expect_equal();
}

TEST(Graphs, GpomdpEqualsTheLaboratorys) {
  Regulated regulated("gpomdp");
  gpomdp<Regulated::OnePath, StepBaseline::kValue>(regulated.request());
  regulated.expect_equal();
  Decided decided("gpomdp_mdp");
  gpomdp<Decided::OnePath, StepBaseline::kExpected>(decided.request());
  decided.expect_equal();
}

TEST(Graphs, StochasticValueGradientsEqualTheLaboratorysPathwiseDerivative) {
  Regulated regulated("svg");
  using OnePath = Regulated::OnePath;
  estimate_paths<OnePath>(
      regulated.request(), regulated.record.data(), [&](const OnePath& paths, double* gradient) {
        LqrProblem::pathwise(model_of<OnePath>(regulated.problem->model()), paths, gradient);
      });
  regulated.expect_equal();
}

}  // namespace
}  // namespace gallop::testing
