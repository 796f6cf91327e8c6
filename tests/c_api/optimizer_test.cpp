// Optimizers, estimates and descriptions by the C interface have the bits of the C++ library's.
#include <gallop/host/learning/optimize.h>
#include <gallop/host/registry/registry.h>
#include <gallop/kernels/estimators/gae.h>
#include <nlohmann/json.hpp>
#include "tests/c_api/c_calls.h"
#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

using COptimizer =
    std::unique_ptr<gallop_optimizer, Destroy<gallop_optimizer, gallop_optimizer_destroy>>;

double sphere(std::span<const double> x) {
  double sum = 0;
  for (const double v : x) sum += (v - 1) * (v - 1);
  return sum;
}

gallop_optimizer_info info_of(gallop_optimizer* optimizer) {
  gallop_optimizer_info info = {};
  info.size = sizeof info;
  EXPECT_OK(gallop_optimizer_get_info(optimizer, &info));
  return info;
}

COptimizer optimizer_of(gallop_backend* backend, const char* method,
                        const std::vector<const char*>& options = {}) {
  const double initial[] = {3, -2, 0.5};
  gallop_optimizer* made = nullptr;
  EXPECT_OK(gallop_optimizer_create(backend, method, initial, 3, 5, options.data(), options.size(),
                                    &made));
  return COptimizer(made);
}

// A generation: asks and tells -f.
void generation(gallop_optimizer* optimizer) {
  const gallop_optimizer_info info = info_of(optimizer);
  std::vector<double> points(std::size_t(info.population) * info.dimension),
      fitness(std::size_t(info.population));
  ASSERT_OK(gallop_optimizer_ask(optimizer, points.data(), points.size()));
  for (std::size_t m = 0; m < fitness.size(); m++) {
    fitness[m] = -sphere({points.data() + m * info.dimension, info.dimension});
  }
  ASSERT_OK(gallop_optimizer_tell(optimizer, fitness.data(), fitness.size()));
}

TEST(COptimizer, EveryMethodHasTheBitsOfTheCppLibrary) {
  const CBackend backend = c_backend(1);
  const std::unique_ptr<Backend> cpp = make_cpu_backend(1);
  std::size_t n = 0;
  for (; gallop_optimizer_name(n) != nullptr; n++) {
    const char* const name = gallop_optimizer_name(n);
    if (std::string(name) == "eggroll") continue;  // for networks alone
    const COptimizer optimizer = optimizer_of(backend.get(), name);
    for (int g = 0; g < 3; g++) generation(optimizer.get());
    const OptimizerDescriptor& descriptor = find_optimizer(name);
    const Options options(descriptor.options);
    const auto same = descriptor.create({*cpp, options, 5, {3, -2, 0.5}});
    Candidates candidates;
    for (int g = 0; g < 3; g++) {
      same->ask(candidates);
      make_points(*cpp, candidates);
      std::vector<double> fitness;
      for (int m = 0; m < candidates.n; m++) fitness.push_back(-sphere(candidates.point(m)));
      same->tell(fitness);
    }
    std::vector<double> center(3);
    ASSERT_OK(gallop_optimizer_get_center(optimizer.get(), center.data(), 3));
    EXPECT_EQ(center, same->center()) << name;
    const gallop_optimizer_info info = info_of(optimizer.get());
    EXPECT_EQ(info.generation, 3u);
    EXPECT_EQ(info.evaluations, same->evaluations());
    EXPECT_STREQ(info.method, name);
  }
  EXPECT_EQ(n, all_optimizers().size());
  EXPECT_GT(n, 5u);
}

TEST(COptimizer, OptionsAreTaken) {
  const CBackend backend = c_backend(1);
  const COptimizer optimizer =
      optimizer_of(backend.get(), nullptr, {"population=17", "sigma=0.25"});
  EXPECT_STREQ(info_of(optimizer.get()).method, "cma_es");
  EXPECT_EQ(info_of(optimizer.get()).population, 17);
  for (int g = 0; g < 60; g++) generation(optimizer.get());
  std::vector<double> center(3);
  ASSERT_OK(gallop_optimizer_get_center(optimizer.get(), center.data(), 3));
  EXPECT_LT(sphere(center), 1e-6);
  ASSERT_OK(gallop_optimizer_skip(optimizer.get()));
  EXPECT_EQ(info_of(optimizer.get()).generation, 61u);
}

TEST(COptimizer, WhatItCannotLearnFromIsRefused) {
  const CBackend backend = c_backend(1);
  const double initial[] = {0, 0}, wrong[] = {0, std::nan("")};
  gallop_optimizer* made = nullptr;
  const auto create = [&](const char* method, const double* from, std::size_t n,
                          std::vector<const char*> options = {}) {
    return gallop_optimizer_create(backend.get(), method, from, n, 1, options.data(),
                                   options.size(), &made);
  };
  EXPECT_FAILS(create("cma_ess", initial, 2), GALLOP_USAGE, "cma_es");
  EXPECT_FAILS(create("es", initial, 0), GALLOP_VALUE, "0 numbers");
  EXPECT_FAILS(create("es", nullptr, 2), GALLOP_VALUE, "initial");
  EXPECT_FAILS(create("es", wrong, 2), GALLOP_NON_FINITE, "initial point");
  EXPECT_FAILS(create("es", initial, 2, {"popsize=3"}), GALLOP_USAGE, "popsize");
  EXPECT_FAILS(create("es", initial, 2, {"sigma"}), GALLOP_USAGE, "sigma");
  EXPECT_EQ(made, nullptr);
  const COptimizer optimizer = optimizer_of(backend.get(), "cma_es");
  const std::size_t n = std::size_t(info_of(optimizer.get()).population);
  std::vector<double> points(3 * n), fitness(n, 1.0);
  EXPECT_FAILS(gallop_optimizer_ask(optimizer.get(), points.data(), 5), GALLOP_VALUE, "5");
  ASSERT_OK(gallop_optimizer_ask(optimizer.get(), points.data(), points.size()));
  EXPECT_FAILS(gallop_optimizer_tell(optimizer.get(), fitness.data(), n), GALLOP_VALUE,
               "fitness 1");
  EXPECT_FAILS(gallop_optimizer_tell(optimizer.get(), fitness.data(), n - 1), GALLOP_VALUE, "told");
  fitness[1] = std::nan("");
  EXPECT_FAILS(gallop_optimizer_tell(optimizer.get(), fitness.data(), n), GALLOP_NON_FINITE,
               "member 1");
}

TEST(CEstimates, AreThoseOfTheLibrary) {
  constexpr int kT = 300, kN = 37;
  Random random{3};
  std::vector<float> reward(kT * kN), value((kT + 1) * kN), final_value(kT * kN);
  std::vector<std::uint8_t> terminated(kT * kN), truncated(kT * kN);
  for (float& x : reward) x = float(random.normal());
  for (float& x : value) x = float(random.normal());
  for (float& x : final_value) x = float(random.normal());
  for (auto& flag : terminated) flag = random.chance(0.03);
  for (auto& flag : truncated) flag = random.chance(0.03);
  gallop_recorded recorded = {};
  recorded.size = sizeof recorded;
  recorded.n_steps = kT;
  recorded.n_envs = kN;
  recorded.gamma = 0.97f;
  recorded.lambda = 0.9f;
  recorded.reward = reward.data();
  recorded.terminated = terminated.data();
  recorded.truncated = truncated.data();
  recorded.value = value.data();
  recorded.final_value = final_value.data();
  const CBackend backend = c_backend(2);
  std::vector<float> advantage(kT * kN), target(kT * kN), returns(kT * kN), expected(kT * kN),
      expected_target(kT * kN);
  ASSERT_OK(gallop_gae(backend.get(), &recorded, advantage.data(), target.data()));
  ASSERT_OK(gallop_returns(backend.get(), &recorded, returns.data()));
  const std::unique_ptr<Backend> cpp = make_cpu_backend(1);
  cpp->gae({kT, kN, 0.97f, 0.9f, 1.0f, reward.data(), terminated.data(), truncated.data(),
            value.data(), final_value.data(), expected.data(), expected_target.data(),
            GaeWay::kByLength});
  EXPECT_TRUE(same_bits(advantage, expected));
  EXPECT_TRUE(same_bits(target, expected_target));
  // By the definition: lambda = 1 makes advantages plus values of the returns.
  recorded.lambda = 1;
  ASSERT_OK(gallop_gae(backend.get(), &recorded, advantage.data(), target.data()));
  for (int k = 0; k < kT * kN; k++) EXPECT_NEAR(target[k], returns[k], 2e-4) << k;
  // Values that are not given are 0.
  recorded.final_value = nullptr;
  ASSERT_OK(gallop_gae(backend.get(), &recorded, advantage.data(), nullptr));
  std::fill(final_value.begin(), final_value.end(), 0.0f);
  recorded.final_value = final_value.data();
  ASSERT_OK(gallop_gae(backend.get(), &recorded, expected.data(), nullptr));
  EXPECT_TRUE(same_bits(advantage, expected));

  recorded.gamma = 1.5f;
  EXPECT_FAILS(gallop_gae(backend.get(), &recorded, advantage.data(), nullptr), GALLOP_VALUE,
               "gamma");
  recorded.gamma = 0.9f;
  recorded.n_envs = 0;
  EXPECT_FAILS(gallop_returns(backend.get(), &recorded, returns.data()), GALLOP_VALUE, "n_envs");
  recorded.n_envs = kN;
  recorded.truncated = nullptr;
  EXPECT_FAILS(gallop_returns(backend.get(), &recorded, returns.data()), GALLOP_VALUE, "truncated");
}

TEST(COptions, SayWhatTheyAre) {
  gallop_options* made = nullptr;
  ASSERT_OK(gallop_options_create("pendulum", "ppo", &made));
  const COptions options(made);
  ASSERT_OK(gallop_options_set(made, "gravity", "5"));
  const char* text = nullptr;
  ASSERT_OK(gallop_options_get_json(made, &text));
  std::map<std::string, nlohmann::json> rows;
  for (const nlohmann::json& row : nlohmann::json::parse(text)) rows[row["name"]] = row;
  EXPECT_EQ(rows.at("parameters.gravity")["value"], 5.0);
  EXPECT_EQ(rows.at("parameters.gravity")["default"], 10.0);
  EXPECT_EQ(rows.at("parameters.gravity")["origin"], "the caller");
  EXPECT_EQ(rows.at("hidden")["type"], "integers");
  EXPECT_TRUE(rows.at("hidden")["value"].is_array());
  EXPECT_EQ(rows.at("activation")["choices"][0], "tanh");
  EXPECT_FALSE(rows.at("seed")["help"].get<std::string>().empty());
}

TEST(CMdp, IsReadFromItsDescription) {
  const gallop_spec* spec = nullptr;
  ASSERT_OK(gallop_environment_spec("mdp", &spec));
  std::vector<float> table(std::size_t(spec->table_capacity));
  gallop_mdp found = {};
  found.size = sizeof found;
  const char* const text =
      "states 2\nactions 1\nhorizon 3\nstart 1 0\nstep 0 0 1 0.5 0.5\nstep 1 0 2 0 1\n";
  ASSERT_OK(gallop_read_mdp(text, &found, table.data(), table.size()));
  EXPECT_EQ(found.n_states, 2);
  EXPECT_EQ(found.n_actions, 1);
  EXPECT_EQ(found.horizon, 3);
  EXPECT_FAILS(
      gallop_read_mdp("states 2\nactions 1\nstart 1 1\n", &found, table.data(), table.size()),
      GALLOP_VALUE, "3");
  EXPECT_FAILS(gallop_read_mdp(text, &found, table.data(), 3), GALLOP_VALUE, "table");
}

}  // namespace
}  // namespace gallop::testing
