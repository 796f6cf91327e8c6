// Whole iterations of every algorithm on the subject end with the CPU's parameters, moments and
// batches, bit for bit.
#include "host/checkpoint/tensor_file.h"
#include "host/registry/registry.h"
#include "host/training/algorithm.h"
#include "host/training/run_options.h"
#include "tests/cuda/subject.h"

namespace gallop::testing {
namespace {

struct Trained {
  TensorFile file;
  std::vector<Metrics> metrics;
};

Trained train(Backend& backend, const std::string& environment, const std::string& algorithm,
              int n_iterations) {
  const RunOptions options(environment, algorithm);
  const std::unique_ptr<Algorithm> learner = options.algorithm().create(
      {backend, options.environment(), options.values(), options.seed(), options.configure()});
  Trained trained;
  for (int k = 0; k < n_iterations; k++) trained.metrics.push_back(learner->iterate());
  learner->save(trained.file);
  return trained;
}

void compare_training(const std::string& environment, const std::string& algorithm) {
  SCOPED_TRACE(algorithm + " on " + environment);
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  const Trained actual = train(*subject, environment, algorithm, 2);
  const Trained expected = train(*cpu, environment, algorithm, 2);
  EXPECT_EQ(expected.file.tensors().size(), actual.file.tensors().size());
  EXPECT_GT(expected.file.tensors().size(), 4u);
  for (const auto& [name, tensor] : expected.file.tensors()) {
    EXPECT_TRUE(tensor.bytes == actual.file.tensor(name).bytes) << name;
  }
  for (std::size_t k = 0; k < expected.metrics.size(); k++) {
    for (std::size_t m = 0; m < expected.metrics[k].size(); m++) {
      EXPECT_EQ(expected.metrics[k][m].first, actual.metrics[k][m].first);
      const double a = expected.metrics[k][m].second, b = actual.metrics[k][m].second;
      EXPECT_TRUE(a == b || (a != a && b != b)) << expected.metrics[k][m].first;
    }
  }
}

// Of every algorithm that is registered, one test each.
std::vector<std::string> every_algorithm() {
  std::vector<std::string> names;
  for (const AlgorithmDescriptor* algorithm : all_algorithms()) names.push_back(algorithm->name);
  return names;
}

class Training : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Registry, Training, ::testing::ValuesIn(every_algorithm()),
                         [](const auto& info) { return info.param; });

TEST_P(Training, DiscreteActions) { compare_training("cartpole", GetParam()); }

TEST_P(Training, ContinuousActions) { compare_training("pendulum", GetParam()); }

}  // namespace
}  // namespace gallop::testing
