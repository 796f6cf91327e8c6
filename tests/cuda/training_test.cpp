// Whole iterations of every algorithm on the subject end with the CPU's parameters, moments and
// batches, bit for bit.
#include <gallop/host/files/tensor_file.h>
#include <gallop/host/learning/algorithm.h>
#include <gallop/host/registry/registry.h>
#include <gallop/host/training/run_options.h>
#include "tests/cuda/subject.h"
#include "tests/host/expect_error.h"

namespace gallop::testing {
namespace {

struct Trained {
  TensorFile file;
  std::vector<Metrics> metrics;
};

Trained train(Backend& backend, const std::string& environment, const std::string& algorithm,
              int n_iterations, const std::vector<std::string>& assignments) {
  RunOptions options(environment, algorithm);
  for (const std::string& assignment : assignments) options.set_assignment(assignment, "test");
  const std::unique_ptr<Algorithm> learner = options.algorithm().create(
      {backend, options.environment(), options.values(), options.seed(), options.configure()});
  Trained trained;
  for (int k = 0; k < n_iterations; k++) trained.metrics.push_back(learner->iterate());
  learner->save(trained.file);
  return trained;
}

void compare_training(const std::string& environment, const std::string& algorithm,
                      const std::vector<std::string>& assignments = {}) {
  SCOPED_TRACE(algorithm + " on " + environment);
  std::string variant;
  for (const std::string& assignment : assignments) variant += " " + assignment;
  SCOPED_TRACE(variant);
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  const Trained actual = train(*subject, environment, algorithm, 2, assignments);
  const Trained expected = train(*cpu, environment, algorithm, 2, assignments);
  EXPECT_EQ(expected.file.tensors().size(), actual.file.tensors().size());
  EXPECT_GE(expected.file.tensors().size(), 4u);
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

// Few enough samples for the executor, and enough for sums over several blocks.
std::vector<std::string> few_samples(const std::string& environment, const std::string& algorithm) {
  const RunOptions options(environment, algorithm);
  if (!options.values().has("n_envs")) return {};
  std::vector<std::string> few = {"n_envs=33", "n_steps=40"};
  for (const char* small : {"updates=2", "paths=40", "horizon=4", "model_epochs=1",
                            "model_hidden=8", "buffer_size=1320"}) {
    const std::string option = small;
    if (options.values().has(option.substr(0, option.find('=')))) few.push_back(option);
  }
  return few;
}

bool is_off_policy(const std::string& algorithm) {
  return Options(find_algorithm(algorithm).options).has("learning_starts");
}

TEST_P(Training, DiscreteActions) {
  const AlgorithmDescriptor& algorithm = find_algorithm(GetParam());
  const char* const why = algorithm.refusal != nullptr
                              ? algorithm.refusal(spec_of(find_environment("cartpole")))
                              : nullptr;
  if (why != nullptr) {
    const auto subject = make_subject();
    test::expect_error_with(
        ExitCode::value, [&] { train(*subject, "cartpole", GetParam(), 1, {}); }, why);
    if (Options(algorithm.options).has("derivatives")) {
      compare_training("lqr", GetParam(), few_samples("lqr", GetParam()));
    }
    return;
  }
  compare_training("cartpole", GetParam(), few_samples("cartpole", GetParam()));
}

TEST_P(Training, ContinuousActions) {
  if (is_off_policy(GetParam())) {
    // A full ring, batches of more than a chunk, and a pair of updates a step.
    std::vector<std::string> options = {"n_envs=9",          "n_steps=14",      "gradient_steps=2",
                                        "batch_size=140",    "buffer_size=150", "hidden=16,9",
                                        "learning_starts=63"};
    compare_training("pendulum", GetParam(), options);
    if (GetParam() == "sac") {
      compare_training("pendulum", "sac",
                       {"n_envs=9", "n_steps=14", "entropy_coefficient=0.2", "hidden=8",
                        "learning_starts=63", "batch_size=20"});
      return;
    }
    options.push_back("noise=ou");
    compare_training("pendulum", GetParam(), options);
    return;
  }
  // Networks as they ship are those of discrete actions; here are smaller ones.
  std::vector<std::string> options = few_samples("pendulum", GetParam());
  if (Options(find_algorithm(GetParam()).options).has("hidden")) options.push_back("hidden=24,9");
  compare_training("pendulum", GetParam(), options);
}

// Options that take another way through the learner, each value of them at least once.
TEST(TrainingVariants, OfTheGradientAndOfItsBaseline) {
  const std::vector<std::string> small = {"n_envs=9", "n_steps=21", "hidden=8",
                                          "value_minibatch=50"};
  const auto compare_variant = [&](const std::string& environment, const std::string& algorithm,
                                   std::vector<std::string> options) {
    options.insert(options.end(), small.begin(), small.end());
    compare_training(environment, algorithm, options);
  };
  const char* const steps[] = {"step=plain", "step=adam", "step=rmsprop"};
  const char* const estimators[] = {"estimator=gae", "estimator=monte_carlo", "estimator=n_step"};
  const char* const targets[] = {"value_target=td", "value_target=monte_carlo",
                                 "value_target=lambda"};
  int k = 0;
  for (const char* environment : {"cartpole", "mdp"}) {
    for (const char* baseline : {"none", "mean", "time", "linear", "network"}) {
      compare_variant(
          environment, "vpg",
          {std::string("baseline=") + baseline, estimators[k % 3], steps[k / 2 % 3],
           targets[(k + 1) % 3], k % 2 == 0 ? "discount_states=true" : "discount_states=false",
           "value_proximal=" + std::to_string(k % 4)});
      k++;
    }
  }
  for (const char* algorithm : {"actor_critic", "actor_critic_one_step"}) {
    compare_variant("pendulum", algorithm, {"baseline=linear", "value_proximal=2"});
    compare_variant("cartpole", algorithm, {"baseline=network", "value_proximal=0.1"});
    compare_variant("cartpole", algorithm,
                    {"value_hidden=5,3", "normalize_observations=true", "baseline=linear"});
  }
  for (const char* baseline : {"none", "mean", "optimal", "optimal_component"}) {
    for (const char* environment : {"cartpole", "mdp"}) {
      compare_training(
          environment, "reinforce",
          {std::string("baseline=") + baseline, "n_envs=5", "n_steps=40", "hidden=6", "gamma=0.9"});
    }
  }
}

TEST(TrainingVariants, OfLearnedModels) {
  const std::vector<std::string> small = {"n_envs=9",       "n_steps=11",    "hidden=6",
                                          "model_hidden=5", "updates=2",     "model_epochs=1",
                                          "ensemble=2",     "model_steps=2", "buffer_size=99"};
  const auto compare_variant = [&](const std::string& algorithm, std::vector<std::string> options) {
    options.insert(options.end(), small.begin(), small.end());
    compare_training("pendulum", algorithm, options);
  };
  for (const char* k : {"0", "3", "infinity"}) {
    compare_variant("svg", {std::string("k=") + k, "minibatch=20", "max_adjoint=2"});
  }
  compare_variant("svg", {"k=1", "minibatch=20", "log_std=network", "entropy_coefficient=0.1"});
  compare_variant("learned_model", {"value_tail=false", "paths=20", "horizon=3",
                                    "normalize_observations=true", "gamma=0.9"});
}

TEST(TrainingVariants, OfAPolicyOfFewWeights) {
  for (const char* algorithm : {"trpo", "ppo", "vpg"}) {
    compare_training("helicopter", algorithm,
                     {"policy=own", "parameters.features=1", "n_envs=9", "n_steps=21",
                      "value_hidden=8", "init_log_std=-2"});
  }
  for (const char* algorithm : {"cma_es", "es"}) {
    compare_training("helicopter", algorithm,
                     {"policy=own", "parameters.features=1", "population=8", "sigma=0.1"});
  }
}

}  // namespace
}  // namespace gallop::testing
