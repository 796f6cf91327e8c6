// Every registered optimizer on functions: a function of its context and of what it was told,
// complete in what it saves, unchanged by what it refuses. A new one is tested with no edit.
#include <cmath>

#include "tests/black_box/optimizer_case.h"
#include "tests/host/edited_tensors.h"
#include "tests/host/expect_error.h"

namespace gallop::testing {
namespace {

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const OptimizerDescriptor* optimizer : all_optimizers()) {
    if (std::string(optimizer->name) != "eggroll") all.emplace_back(optimizer->name);
  }
  return all;
}

class EveryOptimizer : public ::testing::TestWithParam<std::string> {
 protected:
  // All that it may do, of those options that it has.
  OptimizerCase make(std::uint64_t seed = 1, int threads = 1) const {
    const Options known(find_optimizer(GetParam()).options);
    std::vector<std::string> options;
    for (const char* option : {"sigma=0.5", "shift=least", "restarts=bipop"}) {
      const std::string text = option;
      if (known.has(text.substr(0, text.find('=')))) options.push_back(text);
    }
    return OptimizerCase(GetParam(), {1, -2, 3, 0.5}, seed, options, threads);
  }
  static double value(std::span<const double> x) {
    double sum = 0;
    for (std::size_t k = 0; k < x.size(); k++) sum -= double(k + 1) * x[k] * x[k];
    return sum;
  }
};
INSTANTIATE_TEST_SUITE_P(Registry, EveryOptimizer, ::testing::ValuesIn(names()),
                         [](const auto& info) { return info.param; });

TEST_P(EveryOptimizer, GoesUp) {
  OptimizerCase o = make();
  const double before = value(o->center());
  for (int g = 0; g < 60; g++) o.generation(value);
  EXPECT_GT(value(o->center()), before / 2);
  for (const auto& [name, number] : o->metrics()) EXPECT_TRUE(std::isfinite(number)) << name;
}

TEST_P(EveryOptimizer, IsTheSameForEveryNumberOfThreadsAndAnotherForEverySeed) {
  OptimizerCase one = make(1), other = make(1, 3), seeded = make(2);
  for (int g = 0; g < 5; g++) {
    one.generation(value);
    other.generation(value);
    seeded.generation(value);
  }
  EXPECT_TRUE(are_equal(one.saved(), other.saved()));
  // Differences along the axes are of no random numbers.
  EXPECT_EQ(one->center() == seeded->center(), GetParam() == "finite_differences");
}

TEST_P(EveryOptimizer, GoesOnWithTheSameBitsFromWhatItSaved) {
  OptimizerCase whole = make(), other = make();
  for (int g = 0; g < 7; g++) whole.generation(value);
  const TensorFile middle = whole.saved();
  for (int g = 0; g < 3; g++) other.generation(value);
  other->load(middle);
  EXPECT_TRUE(are_equal(other.saved(), middle));
  for (int g = 0; g < 9; g++) {
    if (g == 4) {
      whole->skip();
      other->skip();
    }
    whole.generation(value);
    other.generation(value);
  }
  EXPECT_TRUE(are_equal(whole.saved(), other.saved()));
  EXPECT_EQ(whole->generation(), 17u);
  EXPECT_EQ(whole->evaluations(), other->evaluations());
}

TEST_P(EveryOptimizer, AsksTheSameUntilItIsTold) {
  OptimizerCase o = make();
  o.generation(value);
  Candidates first, second;
  o->ask(first);
  make_points(*o.backend, first);
  o->ask(second);
  make_points(*o.backend, second);
  EXPECT_EQ(first.points, second.points);
  o.generation(value);
  o->ask(second);
  make_points(*o.backend, second);
  EXPECT_NE(first.points, second.points);
}

TEST_P(EveryOptimizer, IsUnchangedByWhatItRefuses) {
  OptimizerCase o = make();
  o.generation(value);
  const TensorFile before = o.saved();
  const std::size_t n = std::size_t(o->population());
  std::vector<double> fitness(n);
  for (std::size_t m = 0; m < n; m++) fitness[m] = double(m);
  const auto refused = [&](ExitCode code, const std::vector<double>& told, const char* text) {
    test::expect_error_with(
        code, [&] { o->tell(told); }, text);
    EXPECT_TRUE(are_equal(o.saved(), before)) << text;
  };
  for (const double wrong : {std::nan(""), double(INFINITY), -double(INFINITY)}) {
    std::vector<double> broken = fitness;
    broken[n / 2] = wrong;
    refused(ExitCode::non_finite, broken, "the fitness of member");
  }
  refused(ExitCode::value, std::vector<double>(n + 1, 1.0), "members was told");
  const bool restarts = before.has("optimizer/budgets");
  if (!restarts) refused(ExitCode::value, std::vector<double>(n, -3.0), "have the fitness -3");
  o->tell(fitness);
  EXPECT_FALSE(are_equal(o.saved(), before));
}

TEST_P(EveryOptimizer, AnIncompleteCheckpointIsRefusedAndLeavesItAsItWas) {
  OptimizerCase o = make(), other = make();
  for (int g = 0; g < 3; g++) o.generation(value);
  other.generation(value);
  const TensorFile complete = o.saved(), before = other.saved();
  for (const auto& [missing, unused] : complete.tensors()) {
    const TensorFile file = test::without_tensor(complete, missing);
    test::expect_error_with(
        ExitCode::checkpoint, [&] { other->load(file); }, missing);
    EXPECT_TRUE(are_equal(other.saved(), before)) << missing;
  }
}

}  // namespace
}  // namespace gallop::testing
