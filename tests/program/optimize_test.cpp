// gallop optimize: what it prints is what it did, and a function of its seed alone.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <gallop/host/registry/registry.h>
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

json optimized(Words words) {
  words.insert(words.begin(), "optimize");
  words.insert(words.end(), {"--json", "--device", "cpu"});
  const ProgramResult result = run_program(words);
  EXPECT_EQ(result.code, 0) << result.err;
  return json::parse(result.out);
}

TEST(Optimize, SolvesAndSaysWhatItTook) {
  const json r = optimized({"rosenbrock", "--algorithm", "CMA-ES", "--dimension", "5"});
  EXPECT_EQ(r["function"], "rosenbrock");
  EXPECT_EQ(r["algorithm"], "cma_es");
  EXPECT_EQ(r["solved"], true);
  EXPECT_LE(r["best"], 1e-8);
  EXPECT_GT(r["evaluations"], 500);
  EXPECT_LT(r["evaluations"], 5000);
  ASSERT_EQ(r["point"].size(), 5u);
  for (const json& x : r["point"]) EXPECT_NEAR(x.get<double>(), 1, 1e-3);
}

TEST(Optimize, IsAFunctionOfItsSeed) {
  const Words words = {"ellipsoid", "--dimension", "4", "--seed"};
  const auto with = [&](const char* seed, const Words& more) {
    Words all = words;
    all.emplace_back(seed);
    all.insert(all.end(), more.begin(), more.end());
    json r = optimized(all);
    r.erase("seconds");
    return r;
  };
  EXPECT_EQ(with("3", {}), with("3", {"--threads", "3"}));
  EXPECT_NE(with("3", {})["best"], with("4", {})["best"]);
  EXPECT_NE(with("3", {})["best"], with("3", {"--rotated"})["best"]);
}

TEST(Optimize, TellsWhyItEndedUnsolved) {
  const json few = optimized({"ellipsoid", "--evaluations", "100"});
  EXPECT_EQ(few["solved"], false);
  EXPECT_EQ(few["evaluations"], 100);
  EXPECT_EQ(few["stopped"], "100 evaluations were allowed");
  const json easy = optimized({"ellipsoid", "--evaluations", "1e4", "--target", "1e6"});
  EXPECT_EQ(easy["solved"], true);
  const json noisy = optimized({"sphere", "--set", "value_noise=1", "--evaluations", "500"});
  EXPECT_EQ(noisy["solved"], false);
}

TEST(Optimize, HelpNamesTheOptionsOfEveryAlgorithm) {
  for (const OptimizerDescriptor* optimizer : all_optimizers()) {
    const ProgramResult help = run_program({"optimize", "--algorithm", optimizer->name, "--help"});
    EXPECT_EQ(help.code, 0);
    for (const OptionSpec& row : optimizer->options) {
      EXPECT_NE(help.out.find("\n  " + flag_of(row.name) + " "), std::string::npos) << row.name;
    }
  }
}

}  // namespace
}  // namespace gallop::testing
