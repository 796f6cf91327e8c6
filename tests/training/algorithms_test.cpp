// Every registered algorithm on tasks of every kind, and every registered environment by algorithms
// of each family, through the library: a pure function of its options and seed, complete in what it
// saves. A new algorithm or environment is tested with no edit.
#include <gtest/gtest.h>

#include <gallop/host/learning/evaluate.h>
#include "tests/host/expect_error.h"
#include "tests/host/temporary_folder.h"
#include "tests/training/learner.h"

namespace gallop::testing {
namespace {

struct Pair {
  std::string environment, algorithm;
};
std::vector<Pair> every_pair() {
  std::vector<Pair> pairs;
  for (const EnvironmentEntry* e : all_environments()) {
    const std::string_view name = spec_of(*e).name;
    const bool is_of_a_kind = name == "cartpole" || name == "pendulum" || name == "mdp" ||
                              name == "lqr_dean" || name == "hopper";
    for (const AlgorithmDescriptor* a : on_policy_algorithms()) {
      const std::string_view algorithm = a->name;
      if (is_of_a_kind || algorithm == "ppo" || algorithm == "trpo") {
        pairs.push_back({std::string(name), a->name});
      }
    }
    const bool is_chosen =
        name == "pendulum" || name == "lqr" || name == "inverted_pendulum" || name == "hopper";
    for (const AlgorithmDescriptor* a : choosy_algorithms()) {
      // Derivatives are each smooth environment's own.
      if (!is_chosen && !Options(a->options).has("derivatives")) continue;
      if (can_learn(*a, std::string(name))) pairs.push_back({std::string(name), a->name});
    }
  }
  // Whole episodes of many members take longer: a task of each kind.
  for (const char* name : {"cartpole", "pendulum", "mdp", "hopper"}) {
    if (environment_called(name) == nullptr) continue;
    for (const AlgorithmDescriptor* a : black_box_algorithms()) pairs.push_back({name, a->name});
  }
  return pairs;
}

class EveryAlgorithm : public ::testing::TestWithParam<Pair> {};
INSTANTIATE_TEST_SUITE_P(Registry, EveryAlgorithm, ::testing::ValuesIn(every_pair()),
                         [](const auto& info) {
                           return info.param.algorithm + "_" + info.param.environment;
                         });

TEST_P(EveryAlgorithm, ThreadsDoNotChangeABitAndSeedsDo) {
  const auto [environment, name] = GetParam();
  Learner one(environment, name, 1);
  one.run(4);
  for (const int threads : {2, 3, 8}) {
    Learner other(environment, name, threads);
    other.run(4);
    EXPECT_EQ(differences(one.saved(), other.saved()), std::set<std::string>()) << threads;
  }
  Learner reseeded(environment, name, 1, {"seed=2"});
  reseeded.run(4);
  EXPECT_TRUE(differences(one.saved(), reseeded.saved()).contains("policy/parameters"));
}

// Saved and loaded in the middle, into a learner that has lived through something else: the rest is
// the same to the last bit. What a learner forgot to save would differ.
TEST_P(EveryAlgorithm, ASavedLearnerContinuesWithTheSameBits) {
  const auto [environment, name] = GetParam();
  const std::vector<std::string> options = {"normalize_observations=true"};
  Learner whole(environment, name, 1, options), other(environment, name, 2, options);
  whole.run(3);
  const TensorFile middle = whole.saved();
  other.run(5);
  EXPECT_FALSE(differences(other.saved(), middle).empty());
  other.algorithm->load(middle);
  EXPECT_EQ(differences(other.saved(), middle), std::set<std::string>());
  for (int k = 0; k < 4; k++) {
    const Metrics a = whole.run(1), b = other.run(1);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t m = 0; m < a.size(); m++) {
      ASSERT_EQ(a[m].first, b[m].first);
      ASSERT_TRUE(a[m].second == b[m].second ||
                  (std::isnan(a[m].second) && std::isnan(b[m].second)))
          << a[m].first << " in iteration " << k;
    }
  }
  EXPECT_EQ(differences(whole.saved(), other.saved()), std::set<std::string>());
  // A line search plays episodes beside the rollouts, a vine branches.
  if (whole.has("n_envs") && whole.algorithm->steps() != 7u * 16 * 24) {
    EXPECT_TRUE(name == "vpg_line_search" || name == "trpo_vine") << name;
    EXPECT_GT(whole.algorithm->steps(), 7u * 16 * 24);
  }
  EXPECT_EQ(whole.algorithm->steps(), other.algorithm->steps());
}

// A checkpoint that lacks a tensor, or has one of another size, is refused by its name.
TEST_P(EveryAlgorithm, AnIncompleteCheckpointIsRefused) {
  const auto [environment, name] = GetParam();
  Learner learner(environment, name, 1);
  learner.run(1);
  const TensorFile complete = learner.saved();
  for (const auto& [missing, unused] : complete.tensors()) {
    TensorFile file;
    for (const auto& [key, tensor] : complete.tensors()) {
      if (key == missing) continue;
      if (tensor.dtype == DType::f32) {
        const auto* data = reinterpret_cast<const float*>(tensor.bytes.data());
        file.put<float>(key, tensor.shape, std::span(data, tensor.bytes.size() / 4));
      } else if (tensor.dtype == DType::f64) {
        const auto* data = reinterpret_cast<const double*>(tensor.bytes.data());
        file.put<double>(key, tensor.shape, std::span(data, tensor.bytes.size() / 8));
      } else if (tensor.dtype == DType::u64) {
        const auto* data = reinterpret_cast<const std::uint64_t*>(tensor.bytes.data());
        file.put<std::uint64_t>(key, tensor.shape, std::span(data, tensor.bytes.size() / 8));
      } else if (tensor.dtype == DType::u32) {
        const auto* data = reinterpret_cast<const std::uint32_t*>(tensor.bytes.data());
        file.put<std::uint32_t>(key, tensor.shape, std::span(data, tensor.bytes.size() / 4));
      } else if (tensor.dtype == DType::i32) {
        const auto* data = reinterpret_cast<const std::int32_t*>(tensor.bytes.data());
        file.put<std::int32_t>(key, tensor.shape, std::span(data, tensor.bytes.size() / 4));
      } else {
        const auto* data = reinterpret_cast<const std::uint8_t*>(tensor.bytes.data());
        file.put<std::uint8_t>(key, tensor.shape, std::span(data, tensor.bytes.size()));
      }
    }
    Learner other(environment, name, 1);
    test::expect_error_with(
        ExitCode::checkpoint, [&] { other.algorithm->load(file); }, missing);
  }
}

// Before its first update in an iteration PPO's ratio is exactly 1: what acted is what learns, with
// the statistics of the observations that it acted with.
TEST(Ppo, TheRatioIsExactlyOneInTheFirstEpoch) {
  for (const EnvironmentEntry* entry : all_environments()) {
    for (const char* normalize : {"normalize_observations=true", "normalize_observations=false"}) {
      Learner ppo(spec_of(*entry).name, "ppo", 2,
                  {"epochs=1", "minibatch=1000000", normalize, "learning_rate=0.01"});
      for (int k = 0; k < 5; k++) {
        const Metrics metrics = ppo.run(1);
        EXPECT_EQ(metric(metrics, "kl"), 0.0) << spec_of(*entry).name << " " << normalize << k;
        EXPECT_EQ(metric(metrics, "clip_fraction"), 0.0) << spec_of(*entry).name;
      }
      Learner two(spec_of(*entry).name, "ppo", 2,
                  {"epochs=2", "minibatch=1000000", normalize, "learning_rate=0.01"});
      EXPECT_NE(metric(two.run(1), "kl"), 0.0) << "the second epoch has another policy";
    }
  }
}

// Algorithms that fit a value network; all but REINFORCE over whole paths.
std::vector<std::string> value_learners() {
  std::vector<std::string> names;
  for (const AlgorithmDescriptor* algorithm : on_policy_algorithms()) {
    if (std::string(algorithm->name) == "reinforce" || !can_learn(*algorithm, "mdp")) continue;
    names.push_back(algorithm->name);
  }
  EXPECT_GE(names.size(), 10u);
  return names;
}

// Values of both states of a problem without an end, learnt from episodes that are cut.
std::vector<float> learnt_values(const std::string& algorithm, const std::string& problem) {
  const test::TemporaryFolder folder;
  const std::string file = folder / "problem.mdp";
  test::put_file(file, problem);
  const bool single = algorithm == "ppo" || algorithm == "a2c";  // steps on a batch are few
  std::vector<std::string> options = {
      "file=" + file, "gamma=0.9", "gae_lambda=0.95",
      single ? "value_learning_rate=0.05" : "value_learning_rate=0.02"};
  if (algorithm == "a2c") options.insert(options.end(), {"anneal=false", "max_gradient_norm=0"});
  Learner learner("mdp", algorithm, 1, options);
  learner.run(algorithm == "a2c" ? 600 : 150);
  std::vector<float> values(2);
  learner.saved().get<float>("value/parameters", {2}, values);
  return values;
}

// Reward 1 for ever, episodes cut after 5 steps: the value is 1 / (1 - gamma) whatever the cut, for
// a cut is no end.
TEST(Values, ACutEpisodeIsWorthWhatItWouldHaveGoneOnToEarn) {
  for (const std::string& algorithm : value_learners()) {
    for (const float v :
         learnt_values(algorithm,
                       "states 2\nactions 2\nhorizon 5\nstart 0.5 0.5\nstep 0 0 1 0.5 0.5\n"
                       "step 0 1 1 0.2 0.8\nstep 1 0 1 1 0\nstep 1 1 1 0.5 0.5\n")) {
      EXPECT_NEAR(v, 10, 0.1) << algorithm;
    }
  }
}

// Two states in turn, reward 1 on leaving the second: 1 / (1 - gamma^2) there and gamma times that
// in the first. Episodes are cut after one to three steps, so what follows a cut is the value of
// the state that the episode ended in, not of the one before it or the one that the next one begins
// in.
TEST(Values, ACutTakesTheValueOfTheFinalObservation) {
  const double second = 1 / (1 - 0.81), first = 0.9 * second;
  for (const std::string& algorithm : value_learners()) {
    for (const char* horizon : {"1", "2", "3"}) {
      const std::vector<float> values =
          learnt_values(algorithm, std::string("states 2\nactions 2\nhorizon ") + horizon +
                                       "\nstart 0.5 0.5\nstep 0 0 0 0 1\nstep 0 1 0 0 1\n"
                                       "step 1 0 1 1 0\nstep 1 1 1 1 0\n");
      EXPECT_NEAR(values[0], first, 0.01 * first) << algorithm << " cut after " << horizon;
      EXPECT_NEAR(values[1], second, 0.01 * second) << algorithm << " cut after " << horizon;
    }
  }
}

TEST(Learners, AnEnvironmentThatDivergesStopsTheRunAndIsNamed) {
  for (const AlgorithmDescriptor* algorithm : all_algorithms()) {
    if (is_off_policy(*algorithm)) continue;  // tests/training/off_policy_test.cpp
    // An unstable system: its cost overflows within an episode.
    Learner learner("lqr", algorithm->name, 1, {"a=1e5"});
    const TensorFile before = learner.saved();
    test::expect_error_with(
        ExitCode::non_finite, [&] { learner.run(1); }, "instance", "lqr", "finite", "step");
    EXPECT_FALSE(differences(learner.saved(), before).contains("policy/parameters"));
    EXPECT_FALSE(differences(learner.saved(), before).contains("value/parameters"));
    EXPECT_FALSE(differences(learner.saved(), before).contains("normalizer/mean"));
  }
}

TEST(Evaluation, IsTheSameForAnyNumberOfThreadsAndSharesNoNumberWithTraining) {
  Learner learner("acrobot", "ppo", 2);
  learner.run(1);
  std::vector<double> first;
  for (const int threads : {1, 2, 3, 8}) {
    const std::unique_ptr<Backend> backend = make_cpu_backend(threads);
    Learner copy("acrobot", "ppo", threads);
    copy.algorithm->load(learner.saved());
    const Evaluation e =
        evaluate_policy(*copy.backend, copy.options.environment(), copy.algorithm->policy(), 37, 5,
                        false, copy.options.configure());
    ASSERT_EQ(e.returns.size(), 37u);
    if (first.empty()) first = e.returns;
    EXPECT_EQ(e.returns, first) << threads;
    double sum = 0;
    for (const double r : e.returns) sum += r;
    EXPECT_NEAR(e.mean, sum / 37, 1e-9);
  }
}

}  // namespace
}  // namespace gallop::testing
