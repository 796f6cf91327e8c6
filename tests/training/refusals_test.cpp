// What learners do with input that allows no step, or none that is finite: a clear error or a
// reported refusal, with policy and values as they were.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/host/expect_error.h"
#include "tests/host/temporary_folder.h"
#include "tests/training/learner.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

std::vector<std::string> algorithm_names() {
  std::vector<std::string> names;
  for (const AlgorithmDescriptor* algorithm : on_policy_algorithms())
    names.push_back(algorithm->name);
  EXPECT_GE(names.size(), 11u);
  return names;
}

void expect_finite(const Learner& learner, const std::string& label) {
  const TensorFile file = learner.saved();
  for (const char* name : {"policy/parameters", "value/parameters"}) {
    for (const float x : floats_of(file, name)) ASSERT_TRUE(std::isfinite(x)) << label << name;
  }
}

// One transition an iteration, and other batches that leave little to learn from.
TEST(Refusals, TheSmallestBatchesStayFinite) {
  for (const std::string& algorithm : algorithm_names()) {
    for (const char* environment : {"cartpole", "pendulum", "mdp"}) {
      if (!can_learn(find_algorithm(algorithm), environment)) continue;
      for (const std::vector<std::string>& options :
           {std::vector<std::string>{"n_envs=1", "n_steps=1"},
            std::vector<std::string>{"n_envs=2", "n_steps=1"},
            std::vector<std::string>{"n_envs=1", "n_steps=2", "normalize_observations=true"},
            std::vector<std::string>{"n_envs=3", "n_steps=5", "hidden=1"}}) {
        Learner learner(environment, algorithm, 1, options);
        learner.run(12);
        expect_finite(learner, algorithm + " " + environment + " " + options[0] + " ");
      }
    }
  }
}

// Every reward the same and no action of any effect: advantages of 0, or the same for all.
TEST(Refusals, ConstantRewardsStayFinite) {
  const test::TemporaryFolder folder;
  const std::string file = folder / "flat.mdp";
  test::put_file(file, "states 1\nactions 2\nhorizon 5\nstart 1\nstep 0 0 1 1\nstep 0 1 1 1\n");
  for (const std::string& algorithm : algorithm_names()) {
    if (!can_learn(find_algorithm(algorithm), "mdp")) continue;
    Learner learner("mdp", algorithm, 1, {"file=" + file});
    for (int k = 0; k < 10; k++) {
      for (const auto& [name, value] : learner.run(1)) {
        EXPECT_TRUE(std::isfinite(value)) << algorithm << " " << name;
      }
    }
    expect_finite(learner, algorithm + " ");
  }
}

// Rewards of 0 only: every gradient of the policy is 0, and it does not move.
TEST(Refusals, WithoutRewardsTheFisherMatrixHasNothingToSolve) {
  const test::TemporaryFolder folder;
  const std::string file = folder / "zero.mdp";
  test::put_file(file, "states 1\nactions 2\nhorizon 5\nstart 1\nstep 0 0 0 1\nstep 0 1 0 1\n");
  for (const std::string algorithm : {"trpo", "trpo_dual", "npg", "vpg_line_search"}) {
    std::vector<std::string> options = {"file=" + file};
    if (algorithm != "vpg_line_search") options.push_back("damping=0");
    Learner learner("mdp", algorithm, 1, options);
    const TensorFile before = learner.saved();
    for (int k = 0; k < 3; k++) EXPECT_EQ(metric(learner.run(1), "step_scale"), 0) << algorithm;
    EXPECT_TRUE(differences_under("policy/", learner.saved(), before).empty()) << algorithm;
  }
}

// Without damping the matrix of a softmax is singular: parameters that do not change the policy.
TEST(Refusals, ASingularFisherMatrixWithoutDampingStaysFinite) {
  for (const std::string algorithm : {"trpo", "trpo_dual", "npg"}) {
    for (const char* environment : {"mdp", "cartpole", "pendulum"}) {
      Learner learner(environment, algorithm, 1, {"damping=0", "cg_iterations=50", "hidden=8"});
      for (int k = 0; k < 10; k++) {
        EXPECT_TRUE(std::isfinite(metric(learner.run(1), "kl"))) << algorithm << environment;
      }
      expect_finite(learner, algorithm + " ");
    }
  }
}

// No episode ends within the first rollouts: there is no return to report, and nothing else to
// miss.
TEST(Refusals, RolloutsInWhichNoEpisodeEndsHaveNoReturn) {
  for (const std::string& algorithm : algorithm_names()) {
    Learner learner("pendulum", algorithm, 1, {"n_steps=4", "n_envs=4"});
    const Metrics metrics = learner.run(1);
    EXPECT_EQ(metric(metrics, "episodes"), 0) << algorithm;
    EXPECT_TRUE(std::isnan(metric(metrics, "return"))) << algorithm;
    if (algorithm == "reinforce") {
      EXPECT_EQ(metric(metrics, "refused"), 1);
    }
  }
}

// Rewards up to 1e36: each is finite, what is made of them is not a step.
TEST(Refusals, RewardsBeyondAnyStepLeaveEverythingAsItWas) {
  for (const std::string& algorithm : algorithm_names()) {
    for (const char* normalize : {"true", "false"}) {
      std::vector<std::string> options = {"a=90", "sigma_w=0"};
      if (Options(find_algorithm(algorithm).options).has("normalize_advantages")) {
        options.push_back(std::string("normalize_advantages=") + normalize);
      }
      Learner learner("lqr", algorithm, 1, options);
      const TensorFile before = learner.saved();
      try {
        learner.run(1);
        expect_finite(learner, algorithm + " ");  // it found a step
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::non_finite) << algorithm << ": " << error.what();
        EXPECT_NE(std::string(error.what()).find("keep"), std::string::npos) << error.what();
        EXPECT_TRUE(differences_under("policy/", learner.saved(), before).empty())
            << algorithm << " " << normalize << ": " << error.what();
        EXPECT_TRUE(differences_under("value/", learner.saved(), before).empty())
            << algorithm << " " << normalize << ": " << error.what();
      }
    }
  }
}

TEST(Refusals, ABaselineOfTimeNeedsATimeLimit) {
  const test::TemporaryFolder folder;
  const std::string file = folder / "endless.mdp";
  test::put_file(file,
                 "states 2\nactions 1\nhorizon 2000000\nstart 1 0\nstep 0 0 1 1 0\n"
                 "step 1 0 1 1 0\n");
  test::expect_error_with(
      ExitCode::value,
      [&] {
        Learner("mdp", "vpg", 1, {"file=" + file, "baseline=time"});
      },
      "time", "2000000");
}

TEST(Refusals, NonsensicalOptionsAreNamedWithTheirRange) {
  struct Bad {
    const char *algorithm, *option, *name;
  };
  for (const Bad& bad : {Bad{"vpg", "baseline=constant", "baseline"},
                         Bad{"vpg", "estimator=td", "estimator"},
                         Bad{"vpg", "step=sgd", "step"},
                         Bad{"vpg", "n=0", "n"},
                         Bad{"vpg", "value_proximal=-1", "value_proximal"},
                         Bad{"vpg", "value_hidden=-3", "hidden"},
                         Bad{"vpg", "value_target=x", "value_target"},
                         Bad{"vpg", "learning_rate=-1", "learning_rate"},
                         Bad{"vpg", "gamma=1.5", "gamma"},
                         Bad{"vpg", "gae_lambda=nan", "gae_lambda"},
                         Bad{"reinforce", "baseline=linear", "baseline"},
                         Bad{"reinforce", "n_envs=0", "n_envs"},
                         Bad{"vpg_line_search", "armijo=2", "armijo"},
                         Bad{"vpg_line_search", "initial_step=0", "initial_step"},
                         Bad{"vpg_line_search", "search_episodes=0", "search_episodes"},
                         Bad{"vpg_line_search", "backtracks=0", "backtracks"},
                         Bad{"trpo_dual", "delta=0", "delta"},
                         Bad{"trpo_dual", "dual_rate=0", "dual_rate"},
                         Bad{"trpo_dual", "dual_steps=0", "dual_steps"},
                         Bad{"trpo_dual", "dual_tolerance=inf", "dual_tolerance"},
                         Bad{"trpo_penalty", "beta=0", "beta"},
                         Bad{"trpo_penalty", "minibatch=0", "minibatch"},
                         Bad{"a2c", "anneal=perhaps", "anneal"},
                         Bad{"a2c", "entropy_coefficient=-1", "entropy"},
                         Bad{"actor_critic", "value_epochs=0", "value_epochs"},
                         Bad{"actor_critic_one_step", "baseline=", "baseline"}}) {
    test::expect_error_with(
        ExitCode::value, [&] { Learner("cartpole", bad.algorithm, 1, {bad.option}); }, bad.name);
  }
  test::expect_error_with(
      ExitCode::usage, [] { Learner("cartpole", "reinforce", 1, {"estimator=gae"}); }, "estimator");
  test::expect_error_with(
      ExitCode::value, [] { Learner("cartpole", "vpg", 1, {"value_hidden=4,0"}); }, "value_hidden");
}

// Its limit is known before there is a policy of that size, which the memory has no room for.
TEST(Refusals, ACovarianceThatIsTooLargeTakesNoMemory) {
  const test::TemporaryFolder folder;
  ProgramOptions options;
  options.memory_limit = 400l << 20;
  const ProgramResult result =
      run_program({"train", "cartpole", "--algorithm", "cma_es", "--hidden", "8192,8192,8192",
                   "--threads", "1", "--device", "cpu", "--out", folder / "run"},
                  options);
  EXPECT_EQ(result.code, 3) << result.err;
  EXPECT_NE(result.err.find("at most 8192: sep_cma_es keeps D"), std::string::npos) << result.err;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

// A pipe that nobody writes to is no file, and nobody is to wait for it.
TEST(Refusals, PipesThatNobodyWritesTo) {
  const test::TemporaryFolder folder;
  const std::string pipe = folder / "pipe.toml";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::vector<std::pair<std::vector<std::string>, int>> commands = {
      {{"train", "cartpole", "--config", pipe}, 3},
      {{"eval", "tetris", "--controller", pipe}, 3},
      {{"render", "tetris", "--policy", pipe, "--out", folder / "film.gif"}, 3},
      {{"study", pipe}, 3},
      {{"train", "mdp", "--set", "file=" + pipe}, 3},
      {{"list", "--plugin", pipe}, 2}};
  for (const auto& [words, code] : commands) {
    const ProgramResult result = run_program(words);
    EXPECT_EQ(result.code, code) << words[0] << ": " << result.err;
    EXPECT_NE(result.err.find("pipe.toml' "), std::string::npos) << words[0] << ": " << result.err;
    EXPECT_NE(result.err.find("pipe"), std::string::npos) << words[0] << ": " << result.err;
  }
}

}  // namespace
}  // namespace gallop::testing
