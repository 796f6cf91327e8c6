// gallop study outline: what is known of its cells, its bits, its files, and what it refuses.
#include <gallop/host/laboratory/outline.h>

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/host/expect_error.h"
#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

constexpr auto kSimulator = OutlineAccess::kSimulator, kEpisodes = OutlineAccess::kEpisodes;
constexpr auto kSteps = OutlineCost::kSteps;

OutlineSettings small() {
  OutlineSettings s;
  s.horizons = {3, 20};
  s.policy_noise = {0.1, 0.5};
  s.dynamics_noise = {0};
  s.widths = {0.5, 0};
  s.displacements = {0.02, 0.04};
  s.samples = 3000;
  s.pilot = 256;
  s.threads = 2;
  return s;
}

const std::vector<OutlineCell>& cells() {
  static const std::vector<OutlineCell> all = measure_outline(small(), nullptr);
  return all;
}

const OutlineEstimate& find(const OutlineCell& cell, const std::string& name, double displacement) {
  for (const OutlineEstimate& e : cell.estimates) {
    if (name == e.row->name && e.displacement == displacement) return e;
  }
  throw std::runtime_error("no estimate " + name);
}

bool smooth(const OutlineCell& cell) { return !cell.width || *cell.width > 0; }

TEST(Outline, HasACellForEverySettingInTheirOrder) {
  const OutlineSettings s = small();
  ASSERT_EQ(cells().size(), 2u * 1 * 3 * 2);
  EXPECT_EQ(cells()[0].horizon, 3);
  EXPECT_EQ(cells()[1].horizon, 20);
  EXPECT_FALSE(cells()[0].width);
  EXPECT_EQ(cells()[2].width, 0.5);
  EXPECT_EQ(cells()[4].width, 0.0);
  EXPECT_EQ(cells()[6].policy_noise, 0.5);
  for (const OutlineCell& cell : cells()) {
    EXPECT_EQ(cell.estimates.size(), 5u * 2 + 7);
    EXPECT_GT(cell.gradient_norm, 0);
    for (const OutlineEstimate& e : cell.estimates) {
      EXPECT_GT(e.variance, 0) << e.row->name;
      EXPECT_GT(e.seconds, 0) << e.row->name;
      EXPECT_EQ(e.samples, s.samples) << e.row->name;
    }
  }
}

TEST(Outline, CountsTheStepsOfAWholeGradient) {
  const OutlineCell& cell = cells()[1];
  EXPECT_EQ(find(cell, "reinforce", 0).steps, 20);
  EXPECT_EQ(find(cell, "pathwise", 0).steps, 20);
  EXPECT_EQ(find(cell, "difference", 0.02).steps, 80);       // two sides of two parameters
  EXPECT_EQ(find(cell, "evolution_joint", 0.02).steps, 40);  // a pair for both
  EXPECT_DOUBLE_EQ(find(cell, "gpomdp_fitted", 0).steps, 20 * (1 + 256.0 / 3000));
}

// The return is a polynomial in k and an even one of degree two in sigma, so the bias of a
// difference is that by k, whose first term is e^2 / 6 times the third derivative; that of an
// evolution strategy e^2 / 2 times it.
TEST(Outline, TheBiasOfADisplacementIsOfSecondOrder) {
  for (const OutlineCell& cell : cells()) {
    if (cell.width) continue;
    const double narrow = std::sqrt(find(cell, "difference", 0.02).squared_bias);
    const double wide = std::sqrt(find(cell, "difference", 0.04).squared_bias);
    EXPECT_NEAR(wide / narrow, 4, 0.02) << cell.horizon;
    EXPECT_EQ(find(cell, "difference_common", 0.02).squared_bias,
              find(cell, "difference", 0.02).squared_bias);
    if (cell.horizon > 3) {
      EXPECT_NEAR(std::sqrt(find(cell, "evolution_common", 0.02).squared_bias) / narrow, 3, 0.05);
    }
  }
}

TEST(Outline, PathwiseIsBestWhereTheRewardIsSmoothAndLosesWhereItJumps) {
  int n_smooth = 0, n_jumps = 0;
  for (const OutlineCell& cell : cells()) {
    const OutlineEstimate& path = find(cell, "pathwise", 0);
    const OutlineBest best = best_of(cell, kSimulator, kSteps, 1e5);
    if (smooth(cell)) {
      n_smooth++;
      EXPECT_EQ(path.squared_bias, 0);
      EXPECT_EQ(best.estimate->family, GradientFamily::kPathwise)
          << cell.horizon << " " << cell.width.value_or(-1) << " " << cell.policy_noise;
    } else {
      n_jumps++;
      EXPECT_GT(std::sqrt(path.squared_bias), 0.05 * cell.gradient_norm);
      EXPECT_NE(best.estimate->family, GradientFamily::kPathwise) << cell.horizon;
      // With ever more samples too.
      EXPECT_NE(best_of(cell, kSimulator, kSteps, 1e12).estimate->family,
                GradientFamily::kPathwise);
    }
    EXPECT_EQ(find(cell, "gpomdp", 0).squared_bias, 0);
  }
  EXPECT_EQ(n_smooth, 8);
  EXPECT_EQ(n_jumps, 4);
}

// Temporal structure and baselines lower the variance; numbers in common lower that of differences.
TEST(Outline, HasTheKnownOrderOfVariances) {
  for (const OutlineCell& cell : cells()) {
    EXPECT_LT(find(cell, "gpomdp", 0).variance, find(cell, "reinforce", 0).variance);
    EXPECT_LT(find(cell, "gpomdp_mean", 0).variance, find(cell, "gpomdp", 0).variance);
    if (smooth(cell)) {
      EXPECT_LT(find(cell, "difference_common", 0.04).variance,
                0.2 * find(cell, "difference", 0.04).variance);
    }
  }
}

TEST(Outline, FromEpisodesAloneNothingOfASimulatorIsTaken) {
  for (const OutlineCell& cell : cells()) {
    const OutlineBest best = best_of(cell, kEpisodes, kSteps, 1e5);
    EXPECT_FALSE(best.estimate->needs_simulator);
    EXPECT_LE(best.error, best.second);
    EXPECT_GE(best.error, best_of(cell, kSimulator, kSteps, 1e5).error);
    EXPECT_EQ(best_of(cell, GradientFamily::kPathwise, kEpisodes, kSteps, 1e5), nullptr);
  }
}

TEST(Outline, ItsErrorsAreThoseThatAreMet) {
  // 400 steps: a hundred paths of 4; means of so many independent samples miss the exact gradient
  // by the error that is said of them.
  OutlineSettings s = small();
  s.horizons = {4};
  s.policy_noise = {0.5};
  s.widths = {0};
  s.displacements = {0.3};
  const std::vector<OutlineCell> measured = measure_outline(s, nullptr);
  s.samples = 100;
  double squares[3] = {}, n = 0;
  const char* const names[] = {"gpomdp", "difference", "pathwise"};
  const auto budget = [](const OutlineEstimate& e) { return 100 * e.steps; };
  for (s.seed = 1; s.seed <= 300; s.seed++, n++) {
    const LaboratoryDescriptor& descriptor = find_laboratory_problem("lqr_step");
    Options options = laboratory_options(descriptor);
    for (const char* a : {"horizon=4", "sigma=0.5", "sigma_w=0", "difference=0.3"}) {
      options.set_assignment(a, "test");
    }
    const auto problem = make_laboratory_problem(descriptor, options);
    ComparisonSettings settings = {s.samples, s.seed, 1, 64};
    settings.only = {names[0], names[1], names[2]};
    for (const EstimatorResult& r : compare_estimators(descriptor, *problem, settings, nullptr)) {
      for (int k = 0; k < 3; k++) {
        if (std::string(names[k]) != r.row->name) continue;
        squares[k] += (r.mean - r.exact) * (r.mean - r.exact);
      }
    }
  }
  for (int k = 0; k < 3; k++) {
    const OutlineEstimate& e = find(measured[1], names[k], k == 1 ? 0.3 : 0);
    EXPECT_NEAR(squares[k] / n / e.squared_error(kSteps, budget(e)), 1, 0.25) << names[k];
  }
}

std::string without_seconds(const std::string& lines) {
  std::stringstream stream(lines);
  std::string text;
  for (std::string line; std::getline(stream, line);) {
    json one = json::parse(line);
    one.erase("seconds"), one.erase("error_at_seconds");
    text += one.dump() + "\n";
  }
  return text;
}

TEST(Outline, HasTheSameBitsForAnyThreads) {
  OutlineSettings s = small();
  s.horizons = {5};
  s.samples = 2500;
  const auto run = [&](int threads) {
    s.threads = threads;
    return without_seconds(outline_jsonl(s, measure_outline(s, nullptr)));
  };
  const std::string one = run(1);
  EXPECT_EQ(one, run(3));
  s.seed = 2;
  EXPECT_NE(one, run(1));
}

const Words kQuick = {"--horizon", "2,5", "--policy-noise", "0.3", "--dynamics-noise", "0.1",
                      "--width",   "0",   "--displacement", "0.1", "--samples",        "500",
                      "--pilot",   "64"};

Words outline(const Words& more) {
  Words words = {"study", "outline"};
  words.insert(words.end(), kQuick.begin(), kQuick.end());
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(OutlineCommand, WritesMapsNumbersAndAPage) {
  const test::TemporaryFolder folder;
  const std::string out = folder / "o";
  const ProgramResult r = run_program(outline({"--out", out}));
  ASSERT_EQ(r.code, 0) << r.err;
  for (const char* part : {"no prize", "jump", "PD ", "how often each family is best"}) {
    EXPECT_NE(r.out.find(part), std::string::npos) << part;
  }
  const std::string page = test::file_text(out + "/report.html");
  for (const char* part : {"<rect class=\"region c3", "From episodes alone", "evolution_joint"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part;
  }
  const std::string csv = test::file_text(out + "/outline.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 2 * 2 * (5 + 7));
  EXPECT_NE(test::file_text(out + "/config.toml").find("horizon = [2, 5]"), std::string::npos);
  const ProgramResult again = run_program(outline({"--out", out}));
  EXPECT_EQ(again.code, 3);
  EXPECT_NE(again.err.find(out), std::string::npos);
}

TEST(OutlineCommand, PrintsAnObjectForEachEstimate) {
  const ProgramResult r = run_program(outline({"--json"}));
  ASSERT_EQ(r.code, 0) << r.err;
  std::stringstream stream(r.out);
  int n = 0, best = 0;
  for (std::string line; std::getline(stream, line); n++) {
    const json one = json::parse(line);
    EXPECT_TRUE(one.at("width").is_null() || one.at("width") == 0);
    EXPECT_TRUE(one.at("displacement").is_null() || one.at("displacement") == 0.1);
    best += one.at("best").get<bool>();
  }
  EXPECT_EQ(n, 2 * 2 * (5 + 7));
  EXPECT_EQ(best, 4);
}

TEST(OutlineCommand, RefusesBadInput) {
  const auto refused = [](const Words& more, int code, const Words& parts) {
    Words words = {"study", "outline"};
    words.insert(words.end(), more.begin(), more.end());
    const ProgramResult r = run_program(words);
    EXPECT_EQ(r.code, code) << r.err;
    EXPECT_EQ(r.out, "");
    for (const std::string& part : parts) {
      EXPECT_NE(r.err.find(part), std::string::npos) << part << " is not in " << r.err;
    }
  };
  refused({"--horizon", "0"}, 3, {"--horizon", "0", "1 to 1000"});
  refused({"--horizon", "2.5"}, 3, {"--horizon", "2.5"});
  refused({"--horizon", "5000"}, 3, {"horizon", "5000"});
  refused({"--horizon", "five"}, 3, {"--horizon", "five"});
  refused({"--policy-noise", "0"}, 3, {"policy_noise", "0.0068"});
  refused({"--dynamics-noise", "-1"}, 3, {"dynamics_noise", "-1"});
  refused({"--width", "-0.1"}, 3, {"width", "-0.1"});
  refused({"--displacement", "0"}, 3, {"displacement"});
  refused({"--budget", "0"}, 3, {"budget"});
  refused({"--samples", "1"}, 3, {"samples"});
  refused({"--horizons", "5"}, 2, {"--horizons", "--horizon"});
  refused({"more"}, 2, {"more"});
  const ProgramResult unknown = run_program({"study", "outlin"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("outline"), std::string::npos) << unknown.err;
  const ProgramResult late = run_program({"study", "--quiet", "outline"});
  EXPECT_EQ(late.code, 2);
  EXPECT_NE(late.err.find("gallop study outline --help"), std::string::npos) << late.err;
  EXPECT_EQ(run_program({"study", "outline", "--help"}).code, 0);
}

}  // namespace
}  // namespace gallop::testing
