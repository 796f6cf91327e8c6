// The registered environments in double, step by step beside MuJoCo: Gymnasium 1.4.0's
// observations, rewards and terminations are computed here, from MuJoCo's own data, as its Python
// files do.
#include <gtest/gtest.h>

#include <functional>

#include "tests/bodies/all_models.h"
#include "tests/bodies/mujoco_simulation.h"
#include "tests/sims/environment_tables.h"

namespace gallop::testing {
namespace {

using Numbers = std::vector<double>;

struct Expected {
  Numbers observation;
  double reward;
  bool terminated;
};
// From the data after a step, the first coordinate before it, and the action.
using Rules = std::function<Expected(const mjData&, double x_before, const Numbers& action)>;

double clip(double x, double bound) { return std::min(bound, std::max(-bound, x)); }
double squares(const Numbers& x) {
  double sum = 0;
  for (const double y : x) sum += y * y;
  return sum;
}
Numbers observe(const mjData& d, int first, int n, double bound) {
  Numbers o(d.qpos + first, d.qpos + n);
  for (int k = 0; k < n; k++) o.push_back(clip(d.qvel[k], bound));
  return o;
}
constexpr double kNever = 1e300;

Expected hopper(const mjData& d, double x, const Numbers& action) {
  bool healthy = d.qpos[1] > 0.7 && std::abs(d.qpos[2]) < 0.2;
  for (int k = 2; k < 6; k++) healthy = healthy && std::abs(d.qpos[k]) < 100;
  for (int k = 0; k < 6; k++) healthy = healthy && std::abs(d.qvel[k]) < 100;
  const double reward = (d.qpos[0] - x) / 0.008 + (healthy ? 1 : 0) - 1e-3 * squares(action);
  return {observe(d, 1, 6, 10), reward, !healthy};
}
Expected walker2d(const mjData& d, double x, const Numbers& action) {
  const bool healthy = d.qpos[1] > 0.8 && d.qpos[1] < 2 && std::abs(d.qpos[2]) < 1;
  const double reward = (d.qpos[0] - x) / 0.008 + (healthy ? 1 : 0) - 1e-3 * squares(action);
  return {observe(d, 1, 9, 10), reward, !healthy};
}
Expected half_cheetah(const mjData& d, double x, const Numbers& action) {
  return {observe(d, 1, 9, kNever), (d.qpos[0] - x) / 0.05 - 0.1 * squares(action), false};
}
Expected swimmer(const mjData& d, double x, const Numbers& action) {
  return {observe(d, 2, 5, kNever), (d.qpos[0] - x) / 0.04 - 1e-4 * squares(action), false};
}
Expected inverted_pendulum(const mjData& d, double, const Numbers&) {
  const bool fallen = std::abs(d.qpos[1]) > 0.2;
  return {observe(d, 0, 2, kNever), fallen ? 0.0 : 1.0, fallen};
}
Expected inverted_double_pendulum(const mjData& d, double, const Numbers&) {
  // The tip, 0.6 along the axis of the upper pole; MuJoCo leaves positions at the last stage.
  const double x = d.xpos[9] + 0.6 * d.xmat[27 + 2], y = d.xpos[11] + 0.6 * d.xmat[27 + 8];
  const bool fallen = y <= 1;
  const double v1 = d.qvel[1], v2 = d.qvel[2];
  const double cost = 0.01 * x * x + (y - 2) * (y - 2) + 1e-3 * v1 * v1 + 5e-3 * v2 * v2;
  Numbers o = {d.qpos[0], std::sin(d.qpos[1]), std::sin(d.qpos[2]), std::cos(d.qpos[1]),
               std::cos(d.qpos[2])};
  for (int k = 0; k < 3; k++) o.push_back(clip(d.qvel[k], 10));
  o.push_back(clip(d.qfrc_constraint[0], 10));
  return {o, (fallen ? 0 : 10) - cost, fallen};
}

Rules rules_of(const std::string& name) {
  if (name == "hopper") return hopper;
  if (name == "walker2d") return walker2d;
  if (name == "half_cheetah") return half_cheetah;
  if (name == "swimmer") return swimmer;
  if (name == "inverted_pendulum") return inverted_pendulum;
  return inverted_double_pendulum;
}

// The parts of a reward add up to it, and the speed is that of MuJoCo's first coordinate.
void check_terms(const EnvironmentSpec& spec, const Numbers& terms, double reward, const mjData& d,
                 double x_before, double duration) {
  double sum = 0;
  for (int k = 0; k < spec.n_terms; k++) {
    const std::string name = spec.term_names[k];
    if (name.starts_with("reward_") || name.ends_with("_penalty")) sum += terms[k];
    if (name == "x_velocity") {
      ASSERT_NEAR(terms[k], (d.qpos[0] - x_before) / duration, 1e-7);
    } else if (name == "x_position") {
      ASSERT_NEAR(terms[k], d.qpos[0], 1e-8);
    }
  }
  ASSERT_NEAR(sum, reward, 1e-12 * std::max(1.0, std::abs(reward)));
}

template <class Case>
class BesideMujoco : public ::testing::Test {};
TYPED_TEST_SUITE(BesideMujoco, PlanarModels, ModelName);

TYPED_TEST(BesideMujoco, ObservationsRewardsAndTerminations) {
  using Model = typename TypeParam::Model;
  constexpr int n = BodyCounts<Model>::kDofs, n_actions = BodyCounts<Model>::kActuators;
  const std::vector<CompiledEnvironment> compiled = environments_named(TypeParam::kName);
  ASSERT_FALSE(compiled.empty());
  const CompiledEnvironment& e = compiled[0];
  const Numbers parameters = default_parameters(e.spec());
  const SharedData data(e.spec(), parameters);
  const Rules rules = rules_of(TypeParam::kName);
  MujocoSimulation simulation(MjcfWriter<Model>().text());
  mjModel* m = simulation.m;
  mjData* d = simulation.d;
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> uniform(-1, 1);
  int n_terminated = 0, n_steps = 0;
  for (int episode = 0; episode < 12; episode++) {
    Numbers state(e.spec().n_state), observation(e.spec().observation_capacity);
    e.table->initial_state(data.shared, parameters.data(), 7, std::uint32_t(episode), state.data());
    mj_resetData(m, d);
    std::copy(state.begin(), state.begin() + n, d->qpos);
    std::copy(state.begin() + n, state.begin() + 2 * n, d->qvel);
    mj_forward(m, d);
    for (int t = 0; t < 60; t++) {
      Numbers action;
      for (int k = 0; k < n_actions; k++) {
        action.push_back(1.5 * Model::kActuators[k].high * uniform(random));  // beyond the bounds
        d->ctrl[k] = action[k];
      }
      std::copy(d->qpos, d->qpos + n, state.begin());
      std::copy(d->qvel, d->qvel + n, state.begin() + n);
      const double x = d->qpos[0];
      for (int f = 0; f < TypeParam::kFrameSkip; f++) mj_step(m, d);
      const Expected expected = rules(*d, x, action);
      double reward = std::nan("");
      Numbers terms(e.spec().n_terms, std::nan(""));
      const bool terminated =
          e.table->transition_double(data.shared, parameters.data(), 0, t, state.data(),
                                     action.data(), observation.data(), &reward, terms.data()) != 0;
      ASSERT_EQ(observation.size(), expected.observation.size());
      for (std::size_t k = 0; k < observation.size(); k++) {
        const double want = expected.observation[k];
        ASSERT_NEAR(observation[k], want, 1e-8 * std::max(1.0, std::abs(want)))
            << "observation " << k << ", episode " << episode << ", step " << t;
      }
      ASSERT_NEAR(reward, expected.reward, 1e-7 * std::max(1.0, std::abs(expected.reward)));
      check_terms(e.spec(), terms, reward, *d, x, TypeParam::kFrameSkip * Model::kWorld.timestep);
      ASSERT_EQ(terminated, expected.terminated) << "episode " << episode << ", step " << t;
      n_steps++;
      if (terminated) {
        n_terminated++;
        break;
      }
    }
  }
  EXPECT_GT(n_steps, 60);
  const std::string name = TypeParam::kName;
  EXPECT_EQ(n_terminated > 0, name != "half_cheetah" && name != "swimmer");
}

}  // namespace
}  // namespace gallop::testing
