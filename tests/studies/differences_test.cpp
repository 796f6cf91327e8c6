// Finite differences of a return, at the helicopter's shipped controller.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include <gallop/host/error.h>
#include <gallop/host/learning/controller.h>
#include <gallop/host/registry/registry.h>
#include <gallop/host/studies/differences.h>
#include <gallop/kernels/policy/heads.h>
#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

struct Comparison {
  std::unique_ptr<Backend> backend;
  Controller controller;
  DifferencePoint point;
  std::function<void(Environments&)> configure;

  Comparison(int threads, double gusts)
      : backend(make_cpu_backend(threads)),
        controller(*backend, find_environment("helicopter"), "baseline", [](Environments&) {}),
        configure([gusts](Environments& e) { e.set_parameter("gust_scale", gusts); }) {
    const PolicyView view = controller.view();
    point.environment = "helicopter";
    point.policy = "baseline";
    point.shape = view.shape;
    point.parameters.resize(std::size_t(parameter_count(view.shape)));
    std::copy_n(view.parameters, point.parameters.size(), point.parameters.begin());
    for (std::size_t k = 0; k < point.parameters.size(); k++) {
      if (point.parameters[k] != 0) point.learnt.push_back(long(k));
    }
  }
  std::vector<DifferenceResult> run(const DifferenceSettings& settings) {
    return compare_differences(*backend, find_environment("helicopter"), configure, point, settings,
                               [](double) {});
  }
};

const DifferenceResult& find(const std::vector<DifferenceResult>& all, DifferenceKind kind,
                             std::int64_t samples) {
  for (const DifferenceResult& r : all) {
    if (r.kind == kind && r.samples == samples) return r;
  }
  throw std::runtime_error("no such row");
}

TEST(Differences, AreQuietedByAveragingAndMoreByCommonNumbers) {
  Comparison at(2, 2.0);
  EXPECT_EQ(at.point.learnt.size(), 11u);  // of its twelve numbers the trim of the elevator is 0
  DifferenceSettings settings;
  settings.epsilons = {0.003};
  settings.samples = {1, 8};
  settings.episodes = 48;
  const auto all = at.run(settings);
  ASSERT_EQ(all.size(), 5u);
  const DifferenceResult &plain = find(all, DifferenceKind::kPlain, 1),
                         &averaged = find(all, DifferenceKind::kAveraged, 8),
                         &common = find(all, DifferenceKind::kCommon, 8);
  EXPECT_EQ(plain.estimates, 48);
  EXPECT_EQ(averaged.estimates, 6);
  // The variance of a mean of 8 from 6 of them, over 11 parameters: known to a few tenths.
  EXPECT_NEAR(averaged.variance / (plain.variance / 8), 1, 0.6);
  EXPECT_LT(common.variance, 0.1 * averaged.variance);
  EXPECT_LT(find(all, DifferenceKind::kCommon, 1).variance, 0.1 * plain.variance);
  EXPECT_GT(common.cosine, 0.9);
  EXPECT_LT(plain.cosine, 0.9);
}

// Without gusts every episode is the same: differences have no variance, and are those of two
// flights.
TEST(Differences, OfAQuietWorldAreExact) {
  Comparison at(1, 0.0);
  DifferenceSettings settings;
  settings.epsilons = {0.001, 0.01};
  settings.samples = {2};
  settings.episodes = 2;
  for (const DifferenceResult& r : at.run(settings)) {
    EXPECT_EQ(r.variance, 0) << name_of(r.kind);
    EXPECT_NEAR(r.cosine, 1, 1e-12);
    EXPECT_GT(r.gradient_norm, 0);
  }
}

TEST(Differences, AreTheSameForAnyThreads) {
  DifferenceSettings settings;
  settings.epsilons = {0.01};
  settings.samples = {1, 2};
  settings.episodes = 2;
  Comparison one(1, 2.0), three(3, 2.0);
  const std::string text = differences_jsonl(one.run(settings));
  EXPECT_EQ(text, differences_jsonl(three.run(settings)));
  EXPECT_NE(text.find("\"common\""), std::string::npos);
}

TEST(Differences, AreDrawnByOneCommand) {
  const test::TemporaryFolder folder;
  const std::string out = folder / "d";
  const ProgramResult r = run_program({"differences", "helicopter", "--epsilons", "0.01,0.03",
                                       "--samples", "1,2", "--episodes", "4", "--out", out});
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_NE(r.out.find("common"), std::string::npos);
  for (const char* file : {"/report.html", "/differences.csv", "/differences.jsonl"}) {
    EXPECT_FALSE(test::file_text(out + file).empty()) << file;
  }
  const auto refused = [](const std::vector<std::string>& arguments, int code,
                          const std::string& text) {
    const ProgramResult wrong = run_program(arguments);
    EXPECT_EQ(wrong.code, code) << wrong.err;
    EXPECT_NE(wrong.err.find(text), std::string::npos) << wrong.err;
  };
  refused({"differences", "helicopter", "--samples", "1,100"}, 3, "--samples");
  refused({"differences", "helicopter", "--epsilons", "0"}, 3, "--epsilons");
  refused({"differences", "cartpole"}, 2, "no controller");
}

}  // namespace
}  // namespace gallop::testing
