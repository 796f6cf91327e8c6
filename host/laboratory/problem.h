// A problem: an environment under a policy of a few parameters, whose return and gradient
// are known exactly. It is one file of host/laboratory/problems/, which the build finds by its
// marker and compiles for each instruction set (its functions on lanes) and once more (its
// answers). It is a struct P in namespace gallop::inline GALLOP_ISA with
//
//   Environment, kSizes        of sims/ or its own, and the sizes that it is used in
//   Policy<F>                  of estimators/policies.h; theta [D] are its parameters
//   Model                      a LaboratoryModel with the tables that the functions below read
//   value(m, how, t, o)        V_t(s), exactly, of the state that is observed as o
//   action_value(m, t, o, u, reward)  Q_t(s, u) of plain returns
//   pathwise(m, paths, gradient)  the derivative of a path's return by theta, its noise held;
//                              may be missing
//   kExactSlopes               true where pathwise() takes a discount, and pathwise_value() and
//                              pathwise_q() go on by the exact V and Q; may be missing
//   kName, kSummary, kOptions, kDisplacement   the latter the default of `difference` and
//                              `smoothing`
//   Answers                    a LaboratoryProblem, made from Options
//
//   GALLOP_PROBLEM(P)          its last line, outside of namespaces
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gallop/host/laboratory/estimators/request.h>
#include <gallop/host/options/option.h>
#include <gallop/host/runtime/processor.h>
#include <gallop/kernels/environment/contract.h>

#define GALLOP_PROBLEM(Type)                                            \
  static_assert(gallop::GALLOP_ISA::Type::Policy<float>::kParameters <= \
                gallop::kMaxLaboratoryParameters);

namespace gallop {

// Deviations that a problem's options may have: what the Gaussian head acts by.
constexpr double kMinSigma = 0.0068, kMaxSigma = 7.38;
// The deviation that the head acts by where its parameter is moved to `sigma`.
double acting_sigma(double sigma);
// Throws a value error that names it where an older policy's deviation is none.
double require_sigma(const char* name, double sigma);

// Parameters of an environment that differ from its defaults.
using Setting = std::vector<std::pair<std::string, double>>;

// One problem at one policy: what gradient estimators are compared on. Objects are immutable once
// their baselines are fitted.
class LaboratoryProblem {
 public:
  virtual ~LaboratoryProblem() = default;
  LaboratoryProblem(const LaboratoryProblem&) = delete;
  LaboratoryProblem& operator=(const LaboratoryProblem&) = delete;

  // The policy, the exact tables and the settings of estimators, for the kernels.
  virtual LaboratoryModel& model() = 0;
  const LaboratoryModel& model() const { return const_cast<LaboratoryProblem*>(this)->model(); }
  // U at theta [D]: the exact expected return of the policy with these parameters.
  virtual double expected_return(const double* theta) const = 0;
  // What else is known about the problem: name and value, for reports.
  virtual std::vector<std::pair<std::string, double>> facts() const { return {}; }

  const std::vector<std::string>& parameters() const { return parameters_; }  // names [D]
  // dU/dtheta at model().theta [D], of the plain or the discounted return.
  const std::vector<double>& gradient(Discounting how) const { return gradient_[how]; }
  // The mean of the derivatives along paths with their noise held [D]: the gradient of the plain
  // return, but for what comes from its jumps.
  const std::vector<double>& along_paths() const {
    return along_paths_.empty() ? gradient_[kPlain] : along_paths_;
  }

  // Solves for the baselines that are fitted on pilot paths, from their sums (PilotLayout), and
  // puts them into the model. Least squares of least norm where features do not tell paths apart
  // (a first state that never varies), so a fit always exists.
  void fit_baselines(const std::vector<double>& sums);

 protected:
  explicit LaboratoryProblem(std::vector<std::string> parameters = {})
      : parameters_(std::move(parameters)) {}

  // Gives the model the parameters and the built-in table of an environment.
  template <class Environment>
  void set_environment(const Setting& setting) {
    for (const ParameterSpec& parameter : Environment::kParameters) {
      environment_.push_back(parameter.value);
      for (const auto& [name, value] : setting) {
        if (name == parameter.name) environment_.back() = value;
      }
    }
    model().environment = environment_.data();
    if constexpr (Traits<Environment>::kHasTable) {
      table_.resize(Environment::kTableCapacity);
      Environment::default_table(table_.data());
      model().table = table_.data();
    }
  }

  std::vector<std::string> parameters_;
  std::vector<double> gradient_[2];
  std::vector<double> along_paths_;  // empty where that is the gradient

 private:
  std::vector<double> environment_, linear_, critic_[2];
  std::vector<float> table_;
};

struct LaboratoryDescriptor {
  // The kernels of a problem by instruction set; null where the build lacks one.
  struct Compiled {
    const LaboratoryKernels* (*kernels[kNumIsas])();
  };
  const char* name;
  const char* summary;
  std::span<const OptionSpec> options;
  const char* displacement;  // default of `difference` and `smoothing`
  // Throws an Error where the exact answers are not finite.
  std::unique_ptr<LaboratoryProblem> (*create)(const Options&);
  Compiled compiled;

  const LaboratoryKernels& kernels(Isa isa) const { return *compiled.kernels[int(isa)](); }
};

template <class P>
constexpr LaboratoryDescriptor descriptor_of(LaboratoryDescriptor::Compiled compiled) {
  return {P::kName,
          P::kSummary,
          P::kOptions,
          P::kDisplacement,
          [](const Options& options) -> std::unique_ptr<LaboratoryProblem> {
            return std::make_unique<typename P::Answers>(options);
          },
          compiled};
}

// Those of the build.
std::span<const LaboratoryDescriptor> laboratory_problems();
// The names of those that it lacks (GALLOP_PROBLEMS): all, where the laboratory was left out
// (GALLOP_LABORATORY).
std::vector<std::string> unbuilt_problems();
// Throws a usage error where this is one of those.
void require_built_problem(std::string_view name);
// An unknown name throws a usage error with the nearest ones.
const LaboratoryDescriptor& find_laboratory_problem(std::string_view name);
// The problem's options and those of estimators, with their defaults.
Options laboratory_options(const LaboratoryDescriptor& problem);
// The problem with the estimators' settings in its model. Throws as `create` does.
std::unique_ptr<LaboratoryProblem> make_laboratory_problem(const LaboratoryDescriptor& problem,
                                                           const Options& options);

}  // namespace gallop
