#include <gallop/host/laboratory/problem.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/kernels/policy/heads/gaussian.h>

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

void require_finite(const LaboratoryDescriptor& problem, const char* what, double value) {
  if (std::isfinite(value)) return;
  throw Error(ExitCode::non_finite,
              fmt::format("{} of the problem '{}' is {}, expected a finite number: its numbers "
                          "overflow over this horizon; take a shorter one or a stabler policy",
                          what, problem.name, value));
}

}  // namespace

double acting_sigma(double sigma) {
  return std::clamp(std::abs(sigma), std::exp(double(kMinLogStd)), std::exp(double(kMaxLogStd)));
}

double require_sigma(const char* name, double sigma) {
  if (sigma >= kMinSigma && sigma <= kMaxSigma) return sigma;
  throw value_error(fmt::format("{} is {}, expected {} to {}, within which a Gaussian policy acts",
                                name, sigma, kMinSigma, kMaxSigma));
}

void require_built_problem(std::string_view name) {
  const std::vector<std::string> left_out = unbuilt_problems();
  const std::string folded = folded_name(name);
  if (std::find(left_out.begin(), left_out.end(), folded) == left_out.end()) return;
  throw usage_error(
      fmt::format("the problem '{0}' was left out of this build (GALLOP_LABORATORY, "
                  "GALLOP_PROBLEMS). './gallop estimators {0}' in the source tree compiles it",
                  folded));
}

const LaboratoryDescriptor& find_laboratory_problem(std::string_view name) {
  require_built_problem(name);
  std::vector<std::string> names;
  for (const LaboratoryDescriptor& problem : laboratory_problems()) {
    if (folded_name(name) == problem.name) return problem;
    names.emplace_back(problem.name);
  }
  throw usage_error(fmt::format("unknown problem '{}'{}; expected {}", name.substr(0, 80),
                                did_you_mean(name, names), fmt::join(names, ", ")));
}

Options laboratory_options(const LaboratoryDescriptor& problem) {
  Options options(problem.options);
  options.add(estimator_options(problem.displacement));
  return options;
}

std::unique_ptr<LaboratoryProblem> make_laboratory_problem(const LaboratoryDescriptor& problem,
                                                           const Options& options) {
  std::unique_ptr<LaboratoryProblem> made = problem.create(options);
  LaboratoryModel& m = made->model();
  m.n_parameters = int(made->parameters().size());
  m.n_features = problem.kernels(processor_isa()).n_features;
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
