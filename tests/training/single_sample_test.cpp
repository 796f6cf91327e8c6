// Batches of one sample: there is no deviation to divide by, and the policy learns from it.
#include <gtest/gtest.h>

#include "tests/training/learner.h"

namespace gallop::testing {
namespace {

// Of those that standardise advantages.
std::vector<const AlgorithmDescriptor*> standardising() {
  std::vector<const AlgorithmDescriptor*> algorithms = on_policy_algorithms();
  std::erase_if(algorithms, [](const AlgorithmDescriptor* a) {
    return !Options(a->options).has("normalize_advantages");
  });
  EXPECT_GE(algorithms.size(), 11u);
  return algorithms;
}

class SingleSample : public ::testing::TestWithParam<const AlgorithmDescriptor*> {};
INSTANTIATE_TEST_SUITE_P(Registry, SingleSample, ::testing::ValuesIn(standardising()),
                         [](const auto& info) { return std::string(info.param->name); });

// Normalised or not it is the same.
TEST_P(SingleSample, IsNotStandardised) {
  const std::string name = GetParam()->name;
  const auto learnt = [&](const char* normalize, const char* n_envs) {
    Learner learner("cartpole", name, 1,
                    {std::string("n_envs=") + n_envs, "n_steps=1",
                     std::string("normalize_advantages=") + normalize});
    learner.run(8);
    return learner.saved();
  };
  EXPECT_EQ(differences_under("policy/", learnt("true", "1"), learnt("false", "1")),
            std::set<std::string>());
  // Two are.
  if (name == "reinforce") return;  // of whole paths, without advantages
  EXPECT_NE(differences_under("policy/", learnt("true", "2"), learnt("false", "2")),
            std::set<std::string>());
}

TEST(SingleSample, PpoLearnsFromIt) {
  Learner learner("cartpole", "ppo", 1, {"n_envs=1", "n_steps=1"});
  const TensorFile before = learner.saved();
  learner.run(4);
  EXPECT_EQ(differences_under("policy/parameters", learner.saved(), before),
            std::set<std::string>{"policy/parameters"});
}

}  // namespace
}  // namespace gallop::testing
