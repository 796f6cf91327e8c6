// gallop estimators: its output, and an exit code and a message for every kind of bad input.
#include <gallop_isas.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include <gallop/host/runtime/processor.h>
#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using nlohmann::json;
using test::TemporaryFolder;
using Words = std::vector<std::string>;

std::vector<json> objects(const std::string& text) {
  std::vector<json> all;
  std::stringstream stream(text);
  for (std::string line; std::getline(stream, line);) all.push_back(json::parse(line));
  return all;
}

void expect_refused(const Words& words, int code, const Words& texts) {
  Words all = {"estimators"};
  all.insert(all.end(), words.begin(), words.end());
  const ProgramResult result = run_program(all);
  EXPECT_EQ(result.code, code) << result.err;
  EXPECT_EQ(result.out, "");
  for (const std::string& text : texts) {
    EXPECT_NE(result.err.find(text), std::string::npos)
        << "'" << text << "' is not said: " << result.err;
  }
}

TEST(EstimatorsCommand, InterruptedItLeavesNoFolder) {
  const TemporaryFolder folder;
  Program program({"estimators", "lqr_dean", "--samples", "100000000", "--out", folder / "run"});
  sleep_seconds(0.5);
  ASSERT_TRUE(program.running());
  program.send(SIGINT);
  EXPECT_NE(program.wait().code, 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(EstimatorsCommand, PrintsOneObjectForEachEstimatorAndParameter) {
  const ProgramResult result =
      run_program({"estimators", "lqr", "--samples", "20000", "--seed", "3", "--json"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const std::vector<json> all = objects(result.out);
  ASSERT_GT(all.size(), 40u);
  std::map<std::string, int> seen;
  bool some_biased = false;
  for (const json& one : all) {
    seen[one.at("estimator").get<std::string>() + "/" + one.at("parameter").get<std::string>()]++;
    const bool by_gain = one.at("parameter") == "k";
    EXPECT_TRUE(by_gain || one.at("parameter") == "sigma");
    EXPECT_NEAR(one.at("exact").get<double>(), by_gain ? 4.353621344392 : -3.289741284308, 1e-10);
    EXPECT_EQ(one.at("samples"), 20000);
    EXPECT_GT(one.at("seconds").get<double>(), 0);
    EXPECT_GT(one.at("variance").get<double>(), 0);
    const double error = one.at("standard_error");
    EXPECT_NEAR(error, std::sqrt(one.at("variance").get<double>() / 20000), 1e-12);
    some_biased = some_biased || one.at("biased").get<bool>();
    if (!one.at("biased").get<bool>()) {
      EXPECT_LE(std::fabs(one.at("mean").get<double>() - one.at("exact").get<double>()), 4 * error)
          << one;
    }
    EXPECT_TRUE(one.at("expected").is_number() || one.at("expected").is_null());
  }
  EXPECT_TRUE(some_biased);
  for (const auto& [name, count] : seen) EXPECT_EQ(count, 1) << name;
}

TEST(EstimatorsCommand, HasTheSameNumbersOnEitherInstructionSetAndAnyThreads) {
  const auto run = [](const char* isa, const char* threads) {
    ProgramOptions options;
    options.environment["GALLOP_ISA"] = isa;
    std::string text;
    for (const char* problem : {"lqr", "lqr_step", "mdp", "bandit_step", "lqr_dean"}) {
      const ProgramResult result =
          run_program({"estimators", problem, "--samples", "300", "--set", "pilot=128", "--set",
                       "gamma=0.9", "--threads", threads, "--json"},
                      options);
      EXPECT_EQ(result.code, 0) << result.err;
      for (json one : objects(result.out)) {
        one.erase("seconds");
        text += one.dump() + "\n";
      }
    }
    return text;
  };
  const std::string best = run("", "1");
  EXPECT_FALSE(best.empty());
  EXPECT_EQ(best, run("", "3"));
#define GALLOP_USE(isa)                      \
  if (processor_has(Isa::isa)) {             \
    EXPECT_EQ(best, run(#isa, "3")) << #isa; \
  }
  GALLOP_FOR_EACH_ISA(GALLOP_USE)
}

TEST(EstimatorsCommand, WritesATableAndAReport) {
  const TemporaryFolder folder;
  const std::string out = folder / "study";
  const ProgramResult result =
      run_program({"estimators", "mdp", "--samples", "2000", "--set", "pilot=128", "--out", out});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.out.find("variance"), std::string::npos);
  EXPECT_NE(result.out.find("reinforce_optimal"), std::string::npos);
  EXPECT_NE(result.out.find("best for theta21"), std::string::npos);
  EXPECT_NE(result.out.find(out + "/report.html"), std::string::npos);
  for (const char* file : {"report.html", "estimators.csv", "estimators.jsonl", "config.toml"}) {
    EXPECT_GT(std::filesystem::file_size(out + "/" + file), 100u) << file;
  }
  expect_refused({"mdp", "--samples", "2000", "--set", "pilot=128", "--out", out}, 3, {out});
}

TEST(EstimatorsCommand, RefusesBadInput) {
  expect_refused({}, 2, {"problem"});
  expect_refused({"lqt"}, 2, {"lqt", "lqr", "bandit_step"});
  expect_refused({"lqr", "--sample", "10"}, 2, {"--sample", "--samples"});
  expect_refused({"lqr", "--samples", "1"}, 3, {"samples"});
  expect_refused({"lqr", "--samples", "x"}, 3, {"samples"});
  expect_refused({"lqr", "--threads", "-1"}, 3, {"threads"});
  expect_refused({"lqr", "--set", "sigma_v=1"}, 2, {"sigma_v", "sigma_w"});
  expect_refused({"lqr", "--set", "sigma=0"}, 3, {"sigma"});
  expect_refused({"lqr", "--set", "sigma=-1"}, 3, {"sigma"});
  expect_refused({"lqr", "--set", "sigma=nan"}, 3, {"sigma"});
  expect_refused({"lqr", "--set", "horizon=0"}, 3, {"horizon"});
  expect_refused({"lqr", "--set", "horizon=2.5"}, 3, {"horizon"});
  expect_refused({"lqr", "--set", "sigma"}, 2, {"key=value"});
  expect_refused({"bandit", "--set", "k=1"}, 2, {"unknown option 'k'"});
  expect_refused({"lqr", "--set", "a=1e6", "--set", "horizon=10000"}, 8, {"lqr", "finite"});
}

}  // namespace
}  // namespace gallop::testing
