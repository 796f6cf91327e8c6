// A problem of the tests' own (stopping_problem.h), whose episodes end early, through all of the
// estimators.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include <gallop/host/laboratory/comparison.h>
#include <gallop/host/laboratory/estimators/rows.h>
#include "tests/laboratory/stopping_problem.h"

namespace gallop {
namespace {

// In single floats, whatever the processor.
const LaboratoryKernels* stopping_kernels() {
  static constexpr LaboratoryKernels kKernels = LaboratoryRows<Paths<StoppingProblem>>::kernels();
  return &kKernels;
}
constexpr LaboratoryDescriptor kStopping =
    descriptor_of<StoppingProblem>({stopping_kernels, stopping_kernels});

std::vector<EstimatorResult> compare(const std::vector<std::string>& assignments, int threads = 2) {
  Options options = laboratory_options(kStopping);
  for (const std::string& a : assignments) options.set_assignment(a, "test");
  const auto problem = make_laboratory_problem(kStopping, options);
  return compare_estimators(kStopping, *problem, {200000, 1, threads, 4096, 5e6}, nullptr);
}

TEST(OwnProblem, HasTheExactGradientOfItsReturn) {
  const auto problem = make_laboratory_problem(kStopping, laboratory_options(kStopping));
  for (int d = 0; d < 4; d++) {
    double above[4], below[4];
    for (int k = 0; k < 4; k++) above[k] = below[k] = problem->model().theta[k];
    above[d] += 1e-5, below[d] -= 1e-5;
    EXPECT_NEAR(problem->gradient(kPlain)[d],
                (problem->expected_return(above) - problem->expected_return(below)) / 2e-5, 1e-9);
  }
}

TEST(OwnProblem, IsEstimatedWhereEpisodesEnd) {
  for (const char* gamma : {"gamma=1", "gamma=0.9"}) {
    int unbiased = 0;
    for (const EstimatorResult& r : compare({gamma})) {
      const std::string label = std::string(r.row->name) + " of " + r.parameter + ", " + gamma;
      if (r.parameter[5] == '1') {  // of the state that no step is taken in
        EXPECT_EQ(r.exact, 0) << label;
        if (r.row->data != EstimatorData::kOwnRollouts) {
          EXPECT_EQ(r.mean, 0) << label;
          EXPECT_EQ(r.variance, 0) << label;
          continue;
        }
      }
      if (!std::isnan(r.expected)) {
        EXPECT_LE(std::fabs(r.mean - r.expected), 4 * r.standard_error + 1e-15) << label;
      }
      unbiased += !r.biased;
    }
    EXPECT_GE(unbiased, 32);
  }
}

TEST(OwnProblem, HasTheSameBitsForAnyThreads) {
  const auto one = compare({}, 1), many = compare({}, 3);
  ASSERT_EQ(one.size(), many.size());
  for (size_t k = 0; k < one.size(); k++) {
    EXPECT_EQ(one[k].mean, many[k].mean) << one[k].row->name;
    EXPECT_EQ(one[k].variance, many[k].variance) << one[k].row->name;
  }
}

}  // namespace
}  // namespace gallop
