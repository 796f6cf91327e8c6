#include "host/laboratory/problem.h"

#include <fmt/format.h>

#include <cmath>

#include "host/error.h"
#include "host/laboratory/problems.h"
#include "host/options/nearest.h"

#define GALLOP_LABORATORY_KERNELS(name)                                            \
  extern "C" const gallop::LaboratoryKernels* gallop_laboratory_##name##_isa_v3(); \
  extern "C" const gallop::LaboratoryKernels* gallop_laboratory_##name##_isa_v4();
GALLOP_LABORATORY_KERNELS(lqr)
GALLOP_LABORATORY_KERNELS(lqr_dean)
GALLOP_LABORATORY_KERNELS(mdp)
GALLOP_LABORATORY_KERNELS(bandit)
GALLOP_LABORATORY_KERNELS(bandit_step)

namespace gallop {
namespace {

std::vector<OptionSpec> estimator_options(const char* displacement) {
  return {{"gamma", OptionType::real, "1", 0, 1, nullptr, "",
           "discount of critics and of the discounted estimators, which appear below 1"},
          {"lambda", OptionType::real, "0.9", 0, 1, nullptr, "", "of GAE(gamma, lambda)"},
          {"n_step", OptionType::integer, "3", 1, 10000, nullptr, "steps", "of n-step advantages"},
          {"difference", OptionType::real, displacement, 1e-6, 1e3, nullptr, "",
           "finite differences move a parameter by plus and minus this"},
          {"smoothing", OptionType::real, displacement, 1e-6, 1e3, nullptr, "",
           "standard deviation of a parameter in evolution strategies"},
          {"pilot", OptionType::integer, "8192", 64, 1048576, nullptr, "paths",
           "independent paths that baselines and critics are fitted on"}};
}

#define GALLOP_LABORATORY_ROW(name) \
  &gallop_laboratory_##name##_isa_v3, &gallop_laboratory_##name##_isa_v4
constexpr LaboratoryDescriptor kProblems[] = {
    {"lqr", "scalar linear-quadratic system, u = -k s + sigma eps", &lqr_options, "0.1", &make_lqr,
     GALLOP_LABORATORY_ROW(lqr)},
    {"lqr_dean", "3 x 3 linear-quadratic system of Dean et al., u = -K s + sigma eps",
     &lqr_dean_options, "0.01", &make_lqr_dean, GALLOP_LABORATORY_ROW(lqr_dean)},
    {"mdp", "three-state decision process, softmax of theta[s][a]", &mdp_options, "0.1", &make_mdp,
     GALLOP_LABORATORY_ROW(mdp)},
    {"bandit", "one action u ~ N(theta, sigma^2), reward -(u - c)^2", &bandit_options, "0.1",
     &make_bandit, GALLOP_LABORATORY_ROW(bandit)},
    {"bandit_step", "one action u ~ N(theta, sigma^2), reward 1 where u > c", &bandit_step_options,
     "0.1", &make_bandit_step, GALLOP_LABORATORY_ROW(bandit_step)}};

void require_finite(const LaboratoryDescriptor& problem, const char* what, double value) {
  if (std::isfinite(value)) return;
  throw Error(ExitCode::non_finite,
              fmt::format("{} of the problem '{}' is {}, expected a finite number: its numbers "
                          "overflow over this horizon; take a shorter one or a stabler policy",
                          what, problem.name, value));
}

}  // namespace

std::span<const LaboratoryDescriptor> laboratory_problems() { return kProblems; }

const LaboratoryDescriptor& find_laboratory_problem(std::string_view name) {
  std::vector<std::string> names;
  for (const LaboratoryDescriptor& problem : kProblems) {
    if (name == problem.name) return problem;
    names.emplace_back(problem.name);
  }
  throw usage_error(fmt::format("unknown problem '{}'{}; expected {}", name.substr(0, 80),
                                did_you_mean(name, names), fmt::join(names, ", ")));
}

Options laboratory_options(const LaboratoryDescriptor& problem) {
  Options options(problem.options());
  options.add(estimator_options(problem.displacement));
  return options;
}

std::unique_ptr<LaboratoryProblem> make_laboratory_problem(const LaboratoryDescriptor& problem,
                                                           const Options& options) {
  std::unique_ptr<LaboratoryProblem> made = problem.create(options);
  LaboratoryModel& m = made->model();
  m.n_parameters = int(made->parameters().size());
  m.n_features = problem.v3()->n_features;
  m.gamma = options.real("gamma");
  m.lambda = options.real("lambda");
  m.n_step = int(options.integer("n_step"));
  m.difference = options.real("difference");
  m.smoothing = options.real("smoothing");
  require_finite(problem, "the expected return", m.expected_return);
  for (int d = 0; d < m.n_parameters; d++) {
    for (const Discounting how : {kPlain, kDiscounted}) {
      require_finite(problem, "the exact gradient", made->gradient(how)[d]);
    }
  }
  return made;
}

}  // namespace gallop
