// Loading the state of a learner: all of it or nothing, and only what a learner can have been in.
#include <gtest/gtest.h>

#include <limits>

#include "tests/host/edited_tensors.h"
#include "tests/host/expect_error.h"
#include "tests/training/learner.h"

namespace gallop::testing {
namespace {

class Loading : public ::testing::TestWithParam<const AlgorithmDescriptor*> {};
INSTANTIATE_TEST_SUITE_P(Registry, Loading, ::testing::ValuesIn(all_algorithms()),
                         [](const auto& info) { return std::string(info.param->name); });

// Whichever tensor is the one that is refused.
TEST_P(Loading, AFailingLoadChangesNothing) {
  const std::string name = GetParam()->name;
  const std::string task = task_of(*GetParam());
  Learner whole(task, name, 1), other(task, name, 1, {"seed=2"});
  whole.run(2);
  other.run(3);
  const TensorFile file = whole.saved(), before = other.saved();
  for (const auto& [tensor, values] : file.tensors()) {
    const TensorFile bad = test::without_tensor(file, tensor);
    test::expect_error_with(
        ExitCode::checkpoint, [&] { other.algorithm->load(bad); }, "'" + tensor + "'");
    EXPECT_EQ(differences(other.saved(), before), std::set<std::string>()) << tensor;
  }
  other.algorithm->load(file);
  EXPECT_EQ(differences(other.saved(), file), std::set<std::string>());
  // And goes on as the other one does.
  whole.run(1);
  other.run(1);
  EXPECT_EQ(differences(other.saved(), whole.saved()).contains("policy/parameters"), true)
      << "the seeds are not the same";
}

// Every real number of a checkpoint is looked at.
TEST_P(Loading, ATensorOfNumbersThatAreNotFiniteIsRefused) {
  const std::string name = GetParam()->name;
  Learner learner("pendulum", name, 1, {"normalize_observations=true"});
  learner.run(2);
  const TensorFile file = learner.saved();
  for (const auto& [tensor, values] : file.tensors()) {
    TensorFile bad;
    if (values.dtype == DType::f32) {
      bad = test::with_element(file, tensor, 0, std::numeric_limits<float>::quiet_NaN());
    } else if (values.dtype == DType::f64) {
      bad = test::with_element(file, tensor, 0, std::numeric_limits<double>::quiet_NaN());
    } else {
      continue;
    }
    test::expect_error_with(
        ExitCode::checkpoint, [&] { learner.algorithm->load(bad); }, "'" + tensor + "'");
    EXPECT_EQ(differences(learner.saved(), file), std::set<std::string>()) << tensor;
  }
}

}  // namespace
}  // namespace gallop::testing
