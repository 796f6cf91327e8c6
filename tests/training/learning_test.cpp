// The shipped defaults learn: mean return of 100 evaluation episodes, by the program as a user runs
// it. The bars are the task's own (Gymnasium's reward thresholds, or better).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

struct Task {
  const char* environment;
  const char* algorithm;
  double bar;
  std::vector<int> seeds;
  std::vector<std::string> options = {};
};

class Learning : public ::testing::TestWithParam<Task> {};
INSTANTIATE_TEST_SUITE_P(
    Tasks, Learning,
    ::testing::Values(
        Task{"cartpole", "ppo", 475, {1, 2, 3}}, Task{"pendulum", "ppo", -180, {1, 2}},
        Task{"acrobot", "ppo", -100, {1}}, Task{"mountain_car_continuous", "ppo", 90, {1}},
        Task{"mountain_car", "ppo", -120, {1}}, Task{"inverted_pendulum", "ppo", 950, {1}},
        Task{"cartpole", "vpg", 475, {1, 2}}, Task{"cartpole", "vpg", 450, {1, 2}, {"step=plain"}},
        Task{"cartpole", "vpg_line_search", 450, {1, 2}},
        Task{"cartpole", "reinforce", 450, {1, 2}}, Task{"cartpole", "npg", 475, {1, 2}},
        Task{"cartpole", "trpo", 475, {1, 2, 3}}, Task{"cartpole", "trpo_vine", 475, {1, 2}},
        Task{"acrobot", "trpo", -85, {1}}, Task{"pendulum", "trpo", -180, {1}},
        Task{"mountain_car_continuous", "trpo", 90, {1}}, Task{"mountain_car", "trpo", -120, {1}},
        Task{"cartpole", "trpo_dual", 475, {1, 2}}, Task{"cartpole", "trpo_penalty", 475, {1, 2}},
        Task{"cartpole", "a2c", 475, {1, 2}}, Task{"cartpole", "actor_critic", 475, {1, 2}},
        Task{"cartpole", "actor_critic_one_step", 475, {1, 2}}, Task{"cartpole", "es", 475, {1, 2}},
        Task{"cartpole", "ars", 475, {1, 2}}, Task{"cartpole", "pgpe", 475, {1, 2}},
        Task{"cartpole", "cem", 475, {1, 2}}, Task{"cartpole", "cma_es", 475, {1, 2}}),
    [](const auto& info) {
      std::string name = std::string(info.param.algorithm) + "_" + info.param.environment;
      if (!info.param.options.empty()) name += "_with_options";
      return name;
    });

TEST_P(Learning, ReachesTheBarWithTheShippedDefaults) {
  const Task& task = GetParam();
  const test::TemporaryFolder folder;
  for (const int seed : task.seeds) {
    std::vector<std::string> arguments = {"train",
                                          task.environment,
                                          "--algorithm",
                                          task.algorithm,
                                          "--seed",
                                          std::to_string(seed),
                                          "--device",
                                          "cpu",
                                          "--json",
                                          "--out",
                                          folder / ("seed" + std::to_string(seed))};
    for (const std::string& option : task.options) {
      arguments.insert(arguments.end(), {"--set", option});
    }
    const ProgramResult result = run_program(arguments);
    ASSERT_EQ(result.code, 0) << result.err;
    const nlohmann::json object = nlohmann::json::parse(last_line(result.out));
    EXPECT_EQ(object["eval_episodes"], 100);
    EXPECT_GE(object["eval_return_mean"].get<double>(), task.bar) << "seed " << seed;
    std::printf("%s on %s, seed %d: %.1f in %.2f s\n", task.algorithm, task.environment, seed,
                object["eval_return_mean"].get<double>(), object["train_seconds"].get<double>());
  }
}

}  // namespace
}  // namespace gallop::testing
