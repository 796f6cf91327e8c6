#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/options/option.h"
#include "host/runtime/processor.h"
#include "kernels/laboratory/request.h"

namespace gallop {

// One problem whose return and gradient are known exactly, at one policy: what gradient estimators
// are compared on. Objects are immutable once their baselines are fitted.
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
  // dU/dtheta at model().theta [D], of the plain or the discounted return.
  virtual const std::vector<double>& gradient(Discounting d) const = 0;
  // What else is known about the problem: name and value, for reports.
  virtual std::vector<std::pair<std::string, double>> facts() const { return {}; }

  const std::vector<std::string>& parameters() const { return parameters_; }  // names [D]

  // Weights of the linear baseline and the critics, which the model points to.
  std::vector<double> linear, critic[2];

 protected:
  LaboratoryProblem() = default;
  std::vector<std::string> parameters_;
};

struct LaboratoryDescriptor {
  const char* name;
  const char* summary;
  std::span<const OptionSpec> (*options)();
  const char* displacement;  // default of `difference` and `smoothing`
  // Throws an Error where the exact answers are not finite.
  std::unique_ptr<LaboratoryProblem> (*create)(const Options&);
  const LaboratoryKernels* (*v3)();
  const LaboratoryKernels* (*v4)();

  const LaboratoryKernels& kernels(Isa isa) const { return isa == Isa::v4 ? *v4() : *v3(); }
};

std::span<const LaboratoryDescriptor> laboratory_problems();
// An unknown name throws a usage error with the nearest ones.
const LaboratoryDescriptor& find_laboratory_problem(std::string_view name);
// The problem's options and those of estimators, with their defaults.
Options laboratory_options(const LaboratoryDescriptor& problem);
// The problem with the estimators' settings in its model. Throws as `create` does.
std::unique_ptr<LaboratoryProblem> make_laboratory_problem(const LaboratoryDescriptor& problem,
                                                           const Options& options);

}  // namespace gallop
