#pragma once

#include <string>
#include <vector>

#include <gallop/host/laboratory/comparison.h>
#include <gallop/host/training/run_folder.h>

namespace gallop {

// One JSON object a line: estimator, parameter, mean, standard_error, variance, exact, biased,
// samples, seconds, and expected, null where no closed form is known.
std::string estimators_jsonl(const std::vector<EstimatorResult>& results);
// The same for people: aligned columns, the estimator of least variance x cost marked for each
// parameter.
std::string estimators_table(const LaboratoryProblem& problem,
                             const std::vector<EstimatorResult>& results);
// report.html, estimators.csv and estimators.jsonl.
void write_estimators_report(const RunFolder& folder, const LaboratoryDescriptor& descriptor,
                             const LaboratoryProblem& problem, const Options& options,
                             const ComparisonSettings& settings,
                             const std::vector<EstimatorResult>& results);

}  // namespace gallop
