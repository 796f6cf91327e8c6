// Runs that end at a time limit, are given more steps, begin with the policy of another run, keep
// their best checkpoint, log now and then; and what is asked of a finished one.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include <gallop/host/files/checkpoint_store.h>
#include <gallop/host/logging/metrics_log.h>
#include <gallop/host/training/run_folder.h>
#include "tests/host/temporary_folder.h"
#include "tests/learning/kernel_sets.h"
#include "tests/training/learner.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using nlohmann::json;
using test::file_text;
using test::put_file;
using test::TemporaryFolder;
using Words = std::vector<std::string>;

constexpr long kStepsPerIteration = 256;

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Words small_run(const std::string& out, long iterations, const std::string& algorithm = "ppo") {
  Words words = {"train",
                 task_of(find_algorithm(algorithm)),
                 "--algorithm",
                 algorithm,
                 "--device",
                 "cpu",
                 "--threads",
                 "1",
                 "--json",
                 "--seed",
                 "3",
                 "--eval-episodes",
                 "5",
                 "--checkpoint-interval",
                 "1",
                 "--out",
                 out,
                 "--steps",
                 std::to_string(kStepsPerIteration * iterations)};
  const Options known(find_algorithm(algorithm).options);
  for (const std::string option :
       {"n_envs=16", "n_steps=16", "hidden=8", "minibatch=64", "anneal=false", "population=20",
        "directions=6", "normalize_observations=true", "buffer_size=500", "learning_starts=500",
        "batch_size=40"}) {
    if (known.has(option.substr(0, option.find('=')))) words = with(words, {"--set", option});
  }
  return words;
}

Words resume(const std::string& run, const Words& more = {}) {
  return with({"train", "--resume", run, "--device", "cpu", "--threads", "1", "--json"}, more);
}

json result_of(const Words& words) {
  const ProgramResult result = run_program(words);
  EXPECT_EQ(result.code, 0) << result.err;
  return json::parse(last_line(result.out));
}

TensorFile checkpoint_of(const std::string& run) {
  return read_checkpoint(run + "/checkpoints/" + checkpoints_in(run).back());
}

Words steps(long iterations) {
  return {"--steps", std::to_string(kStepsPerIteration * iterations)};
}

class ExtendedRuns : public ::testing::TestWithParam<const AlgorithmDescriptor*> {};
INSTANTIATE_TEST_SUITE_P(Registry, ExtendedRuns, ::testing::ValuesIn(all_algorithms()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST_P(ExtendedRuns, EndWithTheBitsOfOneRunOfThatLength) {
  const TemporaryFolder folder;
  const std::string name = GetParam()->name, whole = folder / "whole", run = folder / "run";
  const json expected = result_of(small_run(whole, 9, name));
  const json first = result_of(small_run(run, 4, name));
  EXPECT_FALSE(first.contains("extended"));
  const ProgramResult extended = run_program(resume(run, steps(9)));
  ASSERT_EQ(extended.code, 0) << extended.err;
  EXPECT_NE(extended.err.find("extended from 1024 to 2304 steps"), std::string::npos)
      << extended.err;
  const json result = json::parse(last_line(extended.out));
  EXPECT_EQ(result.at("bits"), expected.at("bits"));
  EXPECT_EQ(result.at("total_steps"), 2304);
  EXPECT_TRUE(differences(checkpoint_of(run), checkpoint_of(whole)).empty());
  // Both totals stand in the checkpoint.
  EXPECT_EQ(checkpoint_of(run).text("extended").find("from 1024 to 2304 steps at step "), 0u);
  EXPECT_EQ(result.at("extended"), checkpoint_of(run).text("extended"));
  expect_same_rows(run, whole);
  EXPECT_EQ(result_of(resume(run, steps(9))), result_of(resume(run))) << "finished";
}

TEST(ExtendedRun, KilledAtAnyMomentItEndsWithTheSameBits) {
  const TemporaryFolder folder;
  const std::string base = folder / "base", whole = folder / "whole";
  // With learning rates that fall over the new total.
  const Words anneals = {"--eval-interval", "2", "--anneal", "true"};
  Words begin = small_run(base, 10);
  std::replace(begin.begin(), begin.end(), std::string("anneal=false"), std::string("clip=0.2"));
  ASSERT_EQ(run_program(with(begin, anneals)).code, 0);
  const auto copied = [&](const std::string& to) {
    std::filesystem::copy(base, to, std::filesystem::copy_options::recursive);
  };
  copied(whole);
  const ProgramResult uninterrupted = run_program(resume(whole, steps(80)));
  ASSERT_EQ(uninterrupted.code, 0) << uninterrupted.err;
  EXPECT_NE(uninterrupted.err.find("falls linearly"), std::string::npos) << uninterrupted.err;
  Random random(5);
  int kills = 0;
  for (int r = 0; kills < 50; r++) {
    ASSERT_LT(r, 200) << kills << " kills";
    const std::string run = folder / ("run" + std::to_string(r));
    copied(run);
    bool finished = false;
    for (int part = 0; !finished; part++) {
      // Until the configuration has the new total it has to be asked for.
      const bool has_total =
          file_text(run + "/config.toml").find("steps = 20480") != std::string::npos;
      Program program(has_total ? resume(run) : resume(run, steps(80)));
      if (kills < 50 && part < 6) {
        sleep_seconds(random.uniform(0, 1) * uninterrupted.seconds);
        kills += program.running() ? 1 : 0;
        program.send(SIGKILL);
      }
      finished = program.wait().code == 0;
    }
    ASSERT_EQ(newest_checkpoint(run), newest_checkpoint(whole)) << "after " << kills << " kills";
    ASSERT_EQ(file_text(run + "/best.safetensors"), file_text(whole + "/best.safetensors"));
    expect_same_rows(run, whole);
    std::filesystem::remove_all(run);
  }
}

TEST(ExtendedRun, AResultOfFewerStepsIsNotTheRuns) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  ASSERT_EQ(run_program(small_run(run, 3)).code, 0);
  // As a process leaves it that was killed between the new configuration and the old result.
  std::string config = file_text(run + "/config.toml");
  const std::size_t at = config.find("steps = 768\n");
  ASSERT_NE(at, std::string::npos);
  put_file(run + "/config.toml", config.replace(at, 12, "steps = 1280\n"));
  EXPECT_EQ(result_of(resume(run)).at("steps"), 1280);
}

TEST(ExtendedRun, FewerStepsAndOtherOptionsAreRefused) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  ASSERT_EQ(run_program(small_run(run, 3)).code, 0);
  const std::string config = file_text(run + "/config.toml");
  for (const Words& more : {steps(2), with(steps(5), {"--gamma", "0.5"})}) {
    const ProgramResult refused = run_program(resume(run, more));
    EXPECT_EQ(refused.code, 3);
    EXPECT_NE(refused.err.find("only its steps may become more"), std::string::npos) << refused.err;
  }
  EXPECT_EQ(file_text(run + "/config.toml"), config);
  EXPECT_EQ(result_of(resume(run)).at("steps"), 768);
}

TEST(TimeLimit, EndsWithACheckpointAndTheRunGoesOn) {
  const TemporaryFolder folder;
  const std::string whole = folder / "whole", run = folder / "run";
  const json expected = result_of(small_run(whole, 6));
  const ProgramResult stopped = run_program(with(small_run(run, 6), {"--time-limit", "1e-9"}));
  EXPECT_EQ(stopped.code, 0) << stopped.err;
  EXPECT_NE(stopped.err.find("time limit after 256 steps"), std::string::npos) << stopped.err;
  const json part = json::parse(last_line(stopped.out));
  EXPECT_FALSE(part.at("finished"));
  EXPECT_FALSE(part.contains("eval_return_mean"));
  EXPECT_FALSE(std::filesystem::exists(run + "/result.json"));
  EXPECT_NE(file_text(run + "/report.html").find("reached its time limit"), std::string::npos);
  // Each part does an iteration at least, so that a run comes to its end.
  EXPECT_EQ(result_of(resume(run)).at("steps"), 512);
  const json result = result_of(resume(run, {"--time-limit", "0"}));
  EXPECT_TRUE(result.at("finished"));
  EXPECT_EQ(result.at("bits"), expected.at("bits"));
  EXPECT_EQ(newest_checkpoint(run), newest_checkpoint(whole));
  expect_same_rows(run, whole);
}

TEST(TimeLimit, ALongIterationIsLeft) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  // Its first iteration takes a moment, each evaluation many seconds.
  Words words = with(small_run(run, 6), {"--time-limit", "0.2", "--eval-interval", "2"});
  *(std::find(words.begin(), words.end(), "--eval-episodes") + 1) = "300000";
  const ProgramResult stopped = run_program(words);
  EXPECT_EQ(stopped.code, 0) << stopped.err;
  EXPECT_LT(stopped.seconds, 8);
  EXPECT_NE(stopped.err.find("time limit after 256 steps"), std::string::npos) << stopped.err;
  EXPECT_EQ(checkpoints_in(run).size(), 1u);
}

class InitialPolicies : public ::testing::TestWithParam<const AlgorithmDescriptor*> {};
INSTANTIATE_TEST_SUITE_P(Registry, InitialPolicies, ::testing::ValuesIn(all_algorithms()),
                         [](const auto& info) { return std::string(info.param->name); });

// Where it begins, and with what statistics, is seen after a single step that changes nothing: in
// the evaluation before any learning it plays as its source does.
TEST_P(InitialPolicies, ARunBeginsWhereAnotherEnded) {
  const TemporaryFolder folder;
  const std::string name = GetParam()->name, first = folder / "first", second = folder / "second";
  ASSERT_EQ(run_program(small_run(first, 3, name)).code, 0);
  const ProgramResult begun = run_program(with(small_run(second, 2, name), {"--init-from", first}));
  ASSERT_EQ(begun.code, 0) << begun.err;
  const TensorFile source = checkpoint_of(first);
  const TensorFile initial = read_checkpoint(second + "/initial.safetensors");
  for (const auto& [tensor, value] : initial.tensors()) {
    EXPECT_EQ(value.bytes, source.tensor(tensor).bytes) << tensor;
  }
  EXPECT_TRUE(initial.has("policy/parameters"));
  // A learner that was made with it has its parameters and statistics, and its own moments.
  const RunOptions options = RunOptions::from_folder(RunFolder::open_to_read(second));
  const auto backend = make_cpu_backend(1);
  TensorFile made;
  options.algorithm()
      .create({.backend = *backend,
               .environment = options.environment(),
               .options = options.values(),
               .seed = options.seed(),
               .configure = options.configure(),
               .initial = &initial})
      ->save(made);
  for (const auto& [tensor, value] : initial.tensors()) {
    EXPECT_EQ(made.tensor(tensor).bytes, value.bytes) << tensor;
  }
  if (made.has("policy/adam_first_moment")) {
    for (const float moment : floats_of(made, "policy/adam_first_moment")) EXPECT_EQ(moment, 0);
  }
  // Without its source, and without a checkpoint, it begins again from the copy.
  const std::string again = folder / "again";
  std::filesystem::create_directory(again);
  for (const char* file : {"config.toml", "initial.safetensors"}) {
    std::filesystem::copy(second + "/" + file, again + "/" + file);
  }
  std::filesystem::remove_all(first);
  ASSERT_EQ(run_program(resume(again)).code, 0);
  EXPECT_EQ(newest_checkpoint(again), newest_checkpoint(second));
  EXPECT_EQ(run_program({"eval", second, "--device", "cpu"}).code, 0);
}

TEST(InitialPolicy, WhatDoesNotFitIsRefusedByName) {
  const TemporaryFolder folder;
  const std::string first = folder / "first", out = folder / "out";
  ASSERT_EQ(run_program(small_run(first, 2)).code, 0);
  const auto refused = [&](const Words& more, const std::string& what, int code = 3) {
    const ProgramResult result = run_program(with(small_run(out, 2), more));
    EXPECT_EQ(result.code, code) << result.err;
    EXPECT_NE(result.err.find(what), std::string::npos) << result.err;
    EXPECT_FALSE(std::filesystem::exists(out));
  };
  refused({"--init-from", folder / "nothing"}, "nothing of that name");
  refused({"--init-from", folder.path()}, "not a run folder");
  refused({"--init-from", first, "--activation", "relu"}, "activation is 'tanh' there, 'relu'");
  refused({"--init-from", first + "/config.toml"}, "config.toml", 4);
  Words other = small_run(out, 2);
  other[1] = "pendulum";
  const ProgramResult shape = run_program(with(other, {"--init-from", first}));
  EXPECT_EQ(shape.code, 3);
  EXPECT_NE(shape.err.find("'policy/parameters'"), std::string::npos) << shape.err;
  Words plain = small_run(out, 2);
  std::replace(plain.begin(), plain.end(), std::string("normalize_observations=true"),
               std::string("normalize_observations=false"));
  EXPECT_NE(
      run_program(with(plain, {"--init-from", first})).err.find("normalize_observations=true"),
      std::string::npos);
  // A value network of other layers begins anew, which is told.
  const ProgramResult fits =
      run_program(with(small_run(out, 2), {"--init-from", first, "--value-hidden", "5"}));
  EXPECT_EQ(fits.code, 0);
  EXPECT_NE(fits.err.find("value network of init_from does not fit"), std::string::npos)
      << fits.err;
}

TEST(BestCheckpoint, ItIsTheBestEvaluationsAndChangesNoBit) {
  const TemporaryFolder folder;
  const std::string run = folder / "run", plain = folder / "plain";
  const json result = result_of(with(small_run(run, 30), {"--eval-interval", "2"}));
  EXPECT_EQ(result.at("bits"), result_of(small_run(plain, 30)).at("bits"));
  EXPECT_FALSE(std::filesystem::exists(plain + "/best.safetensors"));
  const MetricsTable metrics = read_metrics_csv(run + "/metrics.csv");
  const std::vector<double> returns = metrics.column("eval_return");
  double best = -1;
  std::uint64_t step = 0;
  for (std::size_t k = 0; k < returns.size(); k++) {
    if (!(returns[k] > best)) continue;
    best = returns[k];
    step = metrics.steps[k];
  }
  EXPECT_EQ(double(result.at("best_eval_return")), best);
  EXPECT_EQ(std::uint64_t(result.at("best_step")), step);
  const ProgramResult played =
      run_program({"eval", run + "/best.safetensors", "--device", "cpu", "--json"});
  ASSERT_EQ(played.code, 0) << played.err;
  EXPECT_EQ(double(json::parse(played.out).at("eval_return_mean")), best);
  EXPECT_EQ(std::uint64_t(json::parse(played.out).at("steps")), step);
}

TEST(Checkpoints, AsManyStayAsAreToBeKept) {
  const TemporaryFolder folder;
  for (const auto& [keep, expected] : {std::pair("1", 1u), std::pair("4", 4u)}) {
    const std::string run = folder / keep;
    ASSERT_EQ(run_program(with(small_run(run, 6), {"--keep", keep})).code, 0);
    EXPECT_EQ(checkpoints_in(run).size(), expected);
  }
  EXPECT_EQ(run_program(with(small_run(folder / "no", 6), {"--keep", "0"})).code, 3);
}

TEST(LogInterval, RowsOfEachIntervalOfEvaluationsAndTheLast) {
  const TemporaryFolder folder;
  const std::string run = folder / "run", plain = folder / "plain";
  const json result =
      result_of(with(small_run(run, 11), {"--log-interval", "3", "--eval-interval", "4"}));
  EXPECT_EQ(result.at("bits"), result_of(small_run(plain, 11)).at("bits"));
  std::vector<std::uint64_t> expected;
  for (const int iteration : {3, 4, 6, 8, 9, 11}) {
    expected.push_back(std::uint64_t(iteration) * kStepsPerIteration);
  }
  EXPECT_EQ(read_metrics_csv(run + "/metrics.csv").steps, expected);
  // Nothing is missing where a run goes on between two rows.
  const std::string stopped = folder / "stopped";
  ASSERT_EQ(run_program(with(small_run(stopped, 11), {"--log-interval", "3", "--eval-interval", "4",
                                                      "--time-limit", "1e-9"}))
                .code,
            0);
  const ProgramResult rest = run_program(resume(stopped, {"--time-limit", "0"}));
  EXPECT_EQ(rest.code, 0);
  EXPECT_EQ(rest.err, "");
  EXPECT_EQ(read_metrics_csv(stopped + "/metrics.csv").steps, expected);
}

TEST(EvaluatedRun, OtherParametersACheckpointAndTheEpisodes) {
  const TemporaryFolder folder;
  const std::string run = folder / "run", csv = folder / "episodes.csv";
  ASSERT_EQ(run_program(small_run(run, 4)).code, 0);
  const auto played = [&](const std::string& what, const Words& more) {
    return result_of(with({"eval", what, "--device", "cpu", "--json"}, more));
  };
  const json own = played(run, {});
  const std::string file = run + "/checkpoints/" + checkpoints_in(run).back();
  EXPECT_EQ(played(file, {}).at("eval_return_mean"), own.at("eval_return_mean"));
  EXPECT_NE(played(run, {"--gravity", "1"}).at("eval_return_mean"), own.at("eval_return_mean"));
  EXPECT_EQ(played(run, {"--set", "gravity=9.8"}).at("eval_return_mean"),
            own.at("eval_return_mean"));
  const ProgramResult refused = run_program({"eval", run, "--set", "gamma=0.5"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("gamma"), std::string::npos) << refused.err;

  const json of_csv = played(run, {"--episodes", "7", "--episodes-csv", csv});
  std::istringstream lines(file_text(csv));
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(line, "episode,return,length");
  double sum = 0;
  int n = 0;
  for (; std::getline(lines, line); n++) {
    EXPECT_EQ(line.substr(0, 2), std::to_string(n) + ",");
    sum += std::stod(line.substr(2));
  }
  EXPECT_EQ(n, 7);
  EXPECT_EQ(sum / n, double(of_csv.at("eval_return_mean")));
}

TEST(Provenance, StandsInConfigurationResultAndReport) {
  const TemporaryFolder folder;
  const std::string run = folder / "a run";
  const json result = result_of(small_run(run, 2));
  EXPECT_EQ(result.at("command").get<std::string>().find("gallop train cartpole"), 0u);
  EXPECT_NE(result.at("command").get<std::string>().find("'" + run + "'"), std::string::npos);
  const std::string config = file_text(run + "/config.toml"),
                    report = file_text(run + "/report.html");
  for (const char* key : {"version", "commit", "compiler", "date"}) {
    const std::string value = result.at(key);
    EXPECT_FALSE(value.empty());
    EXPECT_NE(config.find(value), std::string::npos) << key;
    EXPECT_NE(report.find(value), std::string::npos) << key;
  }
  EXPECT_NE(config.find("# gallop train cartpole"), std::string::npos) << config;
  // Line breaks of a command do not end the comment.
  const std::string odd = folder / "x\nseed = 9";
  EXPECT_EQ(result_of(small_run(odd, 2)).at("seed"), 3);
  EXPECT_EQ(result_of(resume(odd)).at("seed"), 3);
}

TEST(Comparison, OnePageOfAllRuns) {
  const TemporaryFolder folder;
  const std::string a = folder / "a/run", b = folder / "b/run", page = folder / "page.html";
  ASSERT_EQ(run_program(small_run(a, 4)).code, 0);
  ASSERT_EQ(run_program(with(small_run(b, 6), {"--gamma", "0.9", "--time-limit", "1e-9"})).code, 0);
  const ProgramResult result = run_program({"compare", a, b, "--out", page, "--json"});
  ASSERT_EQ(result.code, 0) << result.err;
  const json second = json::parse(last_line(result.out));
  EXPECT_FALSE(second.at("finished"));
  EXPECT_EQ(second.at("steps"), 256);
  const std::string html = file_text(page);
  for (const char* part :
       {"a/run", "b/run", "Not finished: b/run", "gamma", "Options that differ", "Provenance"}) {
    const bool expected = std::string_view(part) != "Provenance";
    EXPECT_EQ(html.find(part) != std::string::npos, expected) << part;
  }
  EXPECT_EQ(run_program({"compare", "--out", page}).code, 2);
  EXPECT_EQ(run_program({"compare", a, folder / "none", "--out", page}).code, 3);
}

}  // namespace
}  // namespace gallop::testing
