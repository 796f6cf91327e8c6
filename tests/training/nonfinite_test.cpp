// Instances that meet a number that is not finite, with the option that resets them: what they did
// from there on is not learned from, they are counted, and the run goes on, resumed or not.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include <gallop/host/learning/evaluate.h>
#include <gallop/host/learning/on_policy.h>
#include <gallop/host/logging/metrics_log.h>
#include "tests/host/edited_tensors.h"
#include "tests/host/expect_error.h"
#include "tests/host/temporary_folder.h"
#include "tests/training/learner.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

constexpr int kInstances = 16, kVictim = 5;

// A system that grows by a factor of 1e6 a step, from 1: its cost is beyond any number in the fifth
// step of an episode of ten.
void make_unstable(Environments& e, const std::vector<int>& instances) {
  std::vector<float> a(e.n_envs(), 0.5f);
  for (const int i : instances) a[i] = 1e6f;
  e.set_parameter("a", a);
}

AlgorithmContext context_of(const RunOptions& options, Backend& backend,
                            const std::vector<int>& unstable) {
  return {.backend = backend,
          .environment = options.environment(),
          .options = options.values(),
          .seed = options.seed(),
          .configure = [configure = options.configure(), unstable](Environments& e) {
            configure(e);
            if (e.n_envs() == kInstances) make_unstable(e, unstable);
          }};
}

RunOptions options_for(const std::string& algorithm, const std::string& nonfinite) {
  RunOptions options("lqr", algorithm);
  for (const std::string& small : {std::string("n_envs=16"), std::string("n_steps=25"),
                                   std::string("hidden=8"), "nonfinite=" + nonfinite}) {
    options.set_assignment(small, "test");
  }
  return options;
}

class NonFiniteReset : public ::testing::TestWithParam<const AlgorithmDescriptor*> {
 protected:
  std::unique_ptr<Algorithm> make(const RunOptions& options, const std::vector<int>& unstable) {
    return options.algorithm().create(context_of(options, *backend_, unstable));
  }
  std::unique_ptr<Backend> backend_ = make_cpu_backend(2);
};
INSTANTIATE_TEST_SUITE_P(Registry, NonFiniteReset, ::testing::ValuesIn(on_policy_algorithms()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST_P(NonFiniteReset, OneInstanceDoesNotEndTheRun) {
  const RunOptions stop = options_for(GetParam()->name, "stop"),
                   reset = options_for(GetParam()->name, "reset");
  const std::unique_ptr<Algorithm> stopping = make(stop, {kVictim});
  test::expect_error_with(
      ExitCode::non_finite, [&] { stopping->iterate(); }, "instance 5", "step 5");

  const std::unique_ptr<Algorithm> going = make(reset, {kVictim}), calm = make(reset, {});
  for (int k = 0; k < 6; k++) {
    const Metrics metrics = going->iterate();
    EXPECT_EQ(metric(metrics, "nonfinite_instances"), 1) << k;
    EXPECT_TRUE(std::isfinite(metric(metrics, "return"))) << k;
    EXPECT_EQ(metric(calm->iterate(), "nonfinite_instances"), 0);
  }
  EXPECT_EQ(going->nonfinite_instances(), 6u);
  EXPECT_EQ(calm->nonfinite_instances(), 0u);
  TensorFile file;
  going->save(file);
  for (const char* name : {"policy/parameters", "value/parameters", "environments/state"}) {
    for (const float x : floats_of(file, name)) ASSERT_TRUE(std::isfinite(x)) << name;
  }
}

// Where no instance meets such a number the option changes no bit.
TEST_P(NonFiniteReset, TheOptionAloneChangesNothing) {
  const RunOptions stop = options_for(GetParam()->name, "stop"),
                   reset = options_for(GetParam()->name, "reset");
  const std::unique_ptr<Algorithm> a = make(stop, {}), b = make(reset, {});
  for (int k = 0; k < 3; k++) {
    a->iterate();
    b->iterate();
  }
  TensorFile before, after;
  a->save(before);
  b->save(after);
  EXPECT_EQ(differences(before, after), std::set<std::string>{"nonfinite_instances"});
}

TEST_P(NonFiniteReset, ASavedLearnerContinuesWithTheSameBits) {
  const RunOptions options = options_for(GetParam()->name, "reset");
  const std::unique_ptr<Algorithm> whole = make(options, {kVictim, 9}),
                                   other = make(options, {kVictim, 9});
  for (int k = 0; k < 3; k++) whole->iterate();
  other->iterate();
  TensorFile middle, end, same;
  whole->save(middle);
  other->load(middle);
  for (int k = 0; k < 3; k++) {
    whole->iterate();
    other->iterate();
  }
  whole->save(end);
  other->save(same);
  EXPECT_EQ(differences(end, same), std::set<std::string>());
  EXPECT_EQ(whole->nonfinite_instances(), 12u);
}

// All such instances have begun anew before anything is saved.
TEST_P(NonFiniteReset, ACheckpointThatHasAnInstanceWithSuchANumberIsRefused) {
  const RunOptions options = options_for(GetParam()->name, "reset");
  const std::unique_ptr<Algorithm> algorithm = make(options, {kVictim});
  algorithm->iterate();
  TensorFile file;
  algorithm->save(file);
  for (const std::uint32_t time : {1u, 25u}) {
    const TensorFile noted = test::with_element(file, "environments/nonfinite", kVictim, time);
    test::expect_error_with(
        ExitCode::checkpoint, [&] { algorithm->load(noted); }, "'environments/nonfinite'",
        std::to_string(time));
  }
  EXPECT_NO_THROW(algorithm->load(file));
}

TEST_P(NonFiniteReset, WhereAllInstancesMeetOneTheRunEnds) {
  std::vector<int> all;
  for (int i = 0; i < kInstances; i++) all.push_back(i);
  const RunOptions options = options_for(GetParam()->name, "reset");
  const std::unique_ptr<Algorithm> algorithm = make(options, all);
  test::expect_error_with(
      ExitCode::non_finite, [&] { algorithm->iterate(); }, "all 16 instances");
}

// What is masked carries no gradient, and takes no part in the statistics of the rest.
TEST(NonFiniteMask, LeavesOutTheEpisodeAndKeepsTheOthers) {
  const auto backend = make_cpu_backend(1);
  RunOptions options = options_for("ppo", "reset");
  OnPolicyLearner learner(context_of(options, *backend, {kVictim}));
  OnPolicyLearner calm(context_of(options, *backend, {}));
  learner.collect();
  calm.collect();
  learner.estimate_advantages();
  calm.evaluate_values();
  const RolloutArrays a = learner.arrays(), b = calm.arrays();
  double sum = 0, squares = 0;
  long n = 0;
  for (int t = 0; t < a.n_steps; t++) {
    for (int i = 0; i < kInstances; i++) {
      const int at = t * kInstances + i;
      ASSERT_TRUE(std::isfinite(a.observation[at]) && std::isfinite(a.advantage[at]) &&
                  std::isfinite(a.reward[at]) && std::isfinite(a.target[at]));
      const bool hidden = i == kVictim;  // its first episode ends in such a number
      EXPECT_EQ(learner.rollout().mask().hides(t, i), hidden) << t << " " << i;
      if (hidden) {
        EXPECT_EQ(a.advantage[at], 0);
        EXPECT_EQ(a.target[at], a.value[at]);
        continue;
      }
      if (i != kVictim) {
        // All others are as they would be without it.
        EXPECT_EQ(a.observation[at], b.observation[at]);
        EXPECT_EQ(a.reward[at], b.reward[at]);
        EXPECT_EQ(a.truncated[at], b.truncated[at]);
      }
      n++;
      sum += a.advantage[at];
      squares += double(a.advantage[at]) * a.advantage[at];
    }
  }
  EXPECT_EQ(n, 25 * 15);
  EXPECT_NEAR(sum / n, 0, 1e-5);
  EXPECT_NEAR(squares / n, 1, 1e-3);
  // That episode is none of those that ended: two of ten steps for each other.
  EXPECT_EQ(metric(learner.rollout().episode_metrics(), "episodes"), 2 * 15);
  EXPECT_EQ(metric(learner.rollout().episode_metrics(), "length"), 10);
}

TEST(NonFiniteMask, EvaluationsLeaveSuchEpisodesOut) {
  const auto backend = make_cpu_backend(1);
  const RunOptions options = options_for("ppo", "reset");
  const std::unique_ptr<Algorithm> learner =
      options.algorithm().create(context_of(options, *backend, {}));
  const auto evaluate = [&](const std::vector<int>& unstable, bool skips) {
    return evaluate_policy(*backend, options.environment(), learner->policy(), kInstances, 3, true,
                           context_of(options, *backend, unstable).configure, kMostEvaluationSteps,
                           skips);
  };
  test::expect_error_with(
      ExitCode::non_finite, [&] { evaluate({kVictim}, false); }, "instance 5", "step 5");
  const Evaluation all = evaluate({}, true), most = evaluate({kVictim}, true);
  EXPECT_EQ(all.nonfinite, 0);
  EXPECT_EQ(all.returns.size(), 16u);
  EXPECT_EQ(most.nonfinite, 1);
  ASSERT_EQ(most.returns.size(), 15u);
  for (int i = 0; i < 15; i++) EXPECT_EQ(most.returns[i], all.returns[i < kVictim ? i : i + 1]);
  std::vector<int> every;
  for (int i = 0; i < kInstances; i++) every.push_back(i);
  test::expect_error_with(
      ExitCode::non_finite, [&] { evaluate(every, true); }, "all 16", "lqr");
}

// Some initial states are such that a reward passes any number: one episode in a dozen.
std::vector<std::string> divergent_run(const std::string& out, const std::string& nonfinite) {
  std::vector<std::string> words = {"train", "lqr",    "--out",  out, "--steps",
                                    "4096",  "--json", "--seed", "1", "--eval-episodes",
                                    "200"};
  for (const std::string& option :
       {std::string("a=130"), std::string("b=0"), std::string("q=1e-38"), std::string("s0=0"),
        std::string("sigma_s0=1"), std::string("sigma_w=0"), std::string("n_envs=16"),
        std::string("n_steps=16"), std::string("hidden=8"), std::string("checkpoint_interval=1"),
        "nonfinite=" + nonfinite}) {
    words.insert(words.end(), {"--set", option});
  }
  return words;
}

TEST(NonFiniteRun, StopsUnlessAskedToGoOn) {
  const test::TemporaryFolder folder;
  const ProgramResult stopped = run_program(divergent_run(folder / "stop", "stop"));
  EXPECT_EQ(stopped.code, 8) << stopped.err;
  const std::string whole = folder / "whole";
  const ProgramResult result = run_program(divergent_run(whole, "reset"));
  ASSERT_EQ(result.code, 0) << result.err;
  const auto json = nlohmann::json::parse(last_line(result.out));
  EXPECT_GT(long(json.at("nonfinite_instances")), 0);
  EXPECT_GT(long(json.at("eval_nonfinite_episodes")), 0);
  EXPECT_EQ(long(json.at("eval_nonfinite_episodes")) + long(json.at("eval_episodes")), 200);
  const std::vector<double> counts =
      read_metrics_csv(whole + "/metrics.csv").column("nonfinite_instances");
  double sum = 0;
  for (const double count : counts) sum += count;
  EXPECT_EQ(sum, double(json.at("nonfinite_instances")));
  EXPECT_EQ(counts.size(), 16u);

  // Killed after its first checkpoints and resumed: the same end.
  const std::string resumed = folder / "resumed";
  std::filesystem::copy(whole, resumed, std::filesystem::copy_options::recursive);
  std::filesystem::remove(resumed + "/result.json");
  std::filesystem::remove(resumed + "/checkpoints/" + checkpoints_in(resumed).back());
  const ProgramResult again = run_program({"train", "--resume", resumed, "--json"});
  ASSERT_EQ(again.code, 0) << again.err;
  const auto other = nlohmann::json::parse(last_line(again.out));
  for (const char* name : {"bits", "nonfinite_instances", "eval_return_mean", "steps"}) {
    EXPECT_EQ(other.at(name), json.at(name)) << name;
  }
  EXPECT_EQ(run_program({"eval", whole, "--episodes", "50"}).code, 0);
}

}  // namespace
}  // namespace gallop::testing
