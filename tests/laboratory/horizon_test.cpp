// gallop study horizon, and the pathwise derivatives that it compares.
#include <gallop/host/laboratory/horizon.h>

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

HorizonSettings small() {
  HorizonSettings s;
  s.horizons = {2, 10, 60};
  s.decays = {0.75, 1.02};
  s.samples = 4000;
  s.threads = 2;
  return s;
}

const std::vector<HorizonResult>& results() {
  static const std::vector<HorizonResult> all = measure_horizon(small(), nullptr);
  return all;
}

const HorizonResult& find(double decay, const std::string& label, int horizon) {
  for (const HorizonResult& r : results()) {
    if (r.decay == decay && r.label == label && r.horizon == horizon) return r;
  }
  throw std::runtime_error("no result " + label);
}

TEST(Horizon, OnlyDiscountingIsBiased) {
  ASSERT_EQ(results().size(), 2u * 6 * 3);
  for (const HorizonResult& r : results()) {
    const double error = std::fabs(r.mean - r.exact) / r.standard_error;
    EXPECT_EQ(r.biased, r.label == "pathwise, gamma 0.9") << r.label;
    if (!r.biased) {
      EXPECT_LE(error, 4) << r.label << " " << r.decay << " " << r.horizon;
    } else if (r.horizon > 2) {
      EXPECT_GT(error, 8) << r.decay << " " << r.horizon;
    }
    EXPECT_GT(r.seconds, 0);
  }
}

// Where a state grows, the deviation of one path's derivative does; exact V and Q hold it.
TEST(Horizon, ValuesHoldWhatLongPathsLose) {
  for (const double decay : small().decays) {
    const auto variance = [&](const char* label, int h) { return find(decay, label, h).variance; };
    EXPECT_LT(variance("pathwise, gamma 0.9", 60), variance("pathwise", 60));
    EXPECT_LT(variance("5 steps and V", 60), variance("pathwise", 60));
    EXPECT_LT(variance("1 step and V", 60), variance("5 steps and V", 60));
    EXPECT_LE(variance("Q", 60), variance("1 step and V", 60));
    // A path that ends sooner than the value function begins knows nothing of it.
    EXPECT_NEAR(variance("5 steps and V", 2) / variance("pathwise", 2), 1, 1e-5);
  }
  EXPECT_GT(find(1.02, "pathwise", 60).variance, 100 * find(1.02, "pathwise", 10).variance);
}

TEST(Horizon, HasTheSameBitsForAnyThreads) {
  HorizonSettings s = small();
  s.horizons = {7};
  s.samples = 2500;
  const auto run = [&](int threads) {
    s.threads = threads;
    std::string text;
    for (HorizonResult r : measure_horizon(s, nullptr)) {
      r.seconds = 0;
      text += horizon_jsonl({r});
    }
    return text;
  };
  EXPECT_EQ(run(1), run(3));
}

TEST(HorizonCommand, WritesAPageAndRefusesBadInput) {
  const test::TemporaryFolder folder;
  const std::string out = folder / "h";
  const Words quick = {"study", "horizon", "--horizon", "2,8", "--samples", "500"};
  Words words = quick;
  words.insert(words.end(), {"--out", out});
  const ProgramResult r = run_program(words);
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_NE(r.out.find("5 steps and V"), std::string::npos);
  EXPECT_NE(test::file_text(out + "/report.html").find("over the horizon"), std::string::npos);
  const std::string csv = test::file_text(out + "/horizon.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 3 * 6 * 2);
  words = quick;
  words.emplace_back("--json");
  std::stringstream stream(run_program(words).out);
  int n = 0;
  for (std::string line; std::getline(stream, line); n++) EXPECT_TRUE(json::accept(line)) << line;
  EXPECT_EQ(n, 3 * 6 * 2);
  const auto refused = [](const Words& more, const Words& parts) {
    Words all = {"study", "horizon"};
    all.insert(all.end(), more.begin(), more.end());
    const ProgramResult wrong = run_program(all);
    EXPECT_EQ(wrong.code, 3) << wrong.err;
    for (const std::string& part : parts) {
      EXPECT_NE(wrong.err.find(part), std::string::npos) << part << " is not in " << wrong.err;
    }
  };
  refused({"--horizon", "0"}, {"--horizon", "0"});
  refused({"--gamma", "1"}, {"gamma", "0.9999"});
  refused({"--tail", "0"}, {"--tail"});
  refused({"--decay", "5"}, {"decay", "-2 to 2"});
}

}  // namespace
}  // namespace gallop::testing
