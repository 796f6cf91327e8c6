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
// From the data after a step, the place along x before it, and the action.
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

// Contact forces on all bodies but the world, to plus and minus `bound`.
Numbers contact_forces(const mjData& d, int n_bodies, double bound) {
  Numbers forces;
  for (int k = 6; k < 6 * n_bodies; k++) forces.push_back(clip(d.cfrc_ext[k], bound));
  return forces;
}
void append(Numbers& to, const double* begin, const double* end) {
  to.insert(to.end(), begin, end);
}

Expected ant(const mjData& d, double x, const Numbers& action) {
  const Numbers contact = contact_forces(d, 14, 1);
  Numbers o(d.qpos + 2, d.qpos + 15);
  append(o, d.qvel, d.qvel + 14);
  append(o, contact.data(), contact.data() + contact.size());
  const bool healthy = d.qpos[2] >= 0.2 && d.qpos[2] <= 1;
  const double reward = (d.xpos[3] - x) / 0.05 + (healthy ? 1 : 0) - 0.5 * squares(action);
  return {o, reward - 5e-4 * squares(contact), !healthy};
}
double humanoid_place(const mjModel& m, const mjData& d) {
  double sum = 0, mass = 0;
  for (int b = 0; b < m.nbody; b++) {
    sum += m.body_mass[b] * d.xipos[3 * b];
    mass += m.body_mass[b];
  }
  return sum / mass;
}
Numbers observe_humanoid(const mjData& d, const Numbers& contact) {
  Numbers o(d.qpos + 2, d.qpos + 24);
  append(o, d.qvel, d.qvel + 23);
  append(o, d.cinert + 10, d.cinert + 140);
  append(o, d.cvel + 6, d.cvel + 84);
  append(o, d.qfrc_actuator + 6, d.qfrc_actuator + 23);
  append(o, contact.data(), contact.data() + contact.size());
  return o;
}
Expected humanoid_standup(const mjData& d, double, const Numbers& action) {
  const Numbers contact = contact_forces(d, 14, kNever);
  const double costs = 0.1 * squares(action) + std::min(10.0, 5e-7 * squares(contact));
  return {observe_humanoid(d, contact), d.qpos[2] / 0.003 - costs + 1, false};
}
// MuJoCo leaves positions of bodies at the last stage: 3 is the fingertip, 4 the target.
Expected reacher(const mjData& d, double, const Numbers& action) {
  const double x = d.xpos[9] - d.xpos[12], y = d.xpos[10] - d.xpos[13];
  const double* const q = d.qpos;
  const Numbers o = {std::cos(q[0]),
                     std::cos(q[1]),
                     std::sin(q[0]),
                     std::sin(q[1]),
                     q[2],
                     q[3],
                     d.qvel[0],
                     d.qvel[1],
                     x,
                     y};
  return {o, -std::sqrt(x * x + y * y) - squares(action), false};
}
Expected humanoid(const mjModel& m, const mjData& d, double x, const Numbers& action) {
  const Numbers contact = contact_forces(d, 14, kNever);
  const bool healthy = d.qpos[2] > 1 && d.qpos[2] < 2;
  const double forward = 1.25 * (humanoid_place(m, d) - x) / 0.015;
  const double costs = 0.1 * squares(action) + std::min(10.0, 5e-7 * squares(contact));
  return {observe_humanoid(d, contact), forward + (healthy ? 5 : 0) - costs, !healthy};
}

// Where MuJoCo's data say that a body is.
double place_of(const std::string& name, const mjModel& m, const mjData& d) {
  return name == "ant" ? d.xpos[3] : name == "humanoid" ? humanoid_place(m, d) : d.qpos[0];
}
Rules rules_of(const std::string& name, const mjModel& m) {
  if (name == "ant") return ant;
  if (name == "reacher") return reacher;
  if (name == "humanoid_standup") return humanoid_standup;
  if (name == "humanoid") {
    return [&m](const mjData& d, double x, const Numbers& u) { return humanoid(m, d, x, u); };
  }
  if (name == "hopper") return hopper;
  if (name == "walker2d") return walker2d;
  if (name == "half_cheetah") return half_cheetah;
  if (name == "swimmer") return swimmer;
  if (name == "inverted_pendulum") return inverted_pendulum;
  return inverted_double_pendulum;
}

// The parts of a reward add up to it, and the speed is that of MuJoCo's place.
void check_terms(const EnvironmentSpec& spec, const Numbers& terms, double reward, const mjData& d,
                 double x_before, double x_after, double duration) {
  double sum = 0;
  for (int k = 0; k < spec.n_terms; k++) {
    const std::string name = spec.term_names[k];
    if (name.starts_with("reward_") || name.ends_with("_penalty")) sum += terms[k];
    if (name == "x_velocity") {
      ASSERT_NEAR(terms[k], (x_after - x_before) / duration, 1e-7);
    } else if (name == "x_position") {
      ASSERT_NEAR(terms[k], d.qpos[0], 1e-8);
    }
  }
  if (std::string(spec.name) == "humanoid_standup") sum += 1;  // which Gymnasium gives no name
  ASSERT_NEAR(sum, reward, 1e-12 * std::max(1.0, std::abs(reward)));
}

template <class Case>
class BesideMujoco : public ::testing::Test {};
TYPED_TEST_SUITE(BesideMujoco, AllModels, ModelName);

TYPED_TEST(BesideMujoco, ObservationsRewardsAndTerminations) {
  using Model = typename TypeParam::Model;
  using Counts = BodyCounts<Model>;
  constexpr int nq = Counts::kCoordinates, n = Counts::kDofs, n_actions = Counts::kActuators;
  const std::vector<CompiledEnvironment> compiled = environments_named(TypeParam::kName);
  ASSERT_FALSE(compiled.empty());
  const CompiledEnvironment& e = compiled[0];
  const Numbers parameters = default_parameters(e.spec());
  const SharedData data(e.spec(), parameters);
  MujocoSimulation simulation(MjcfWriter<Model>().text());
  mjModel* m = simulation.m;
  const Rules rules = rules_of(TypeParam::kName, *m);
  if (!is_planar<Model>()) simulation.solve_exactly();
  mjData* d = simulation.d;
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> uniform(-1, 1);
  int n_terminated = 0, n_steps = 0;
  for (int episode = 0; episode < 12; episode++) {
    Numbers state(e.spec().n_state), observation(e.spec().observation_capacity);
    e.transitions->initial_state(data.shared, parameters.data(), 7, std::uint32_t(episode),
                                 state.data());
    mj_resetData(m, d);
    std::copy(state.begin(), state.begin() + nq, d->qpos);
    std::copy(state.begin() + nq, state.begin() + nq + n, d->qvel);
    mj_forward(m, d);
    for (int t = 0; t < 60; t++) {
      Numbers action;
      for (int k = 0; k < n_actions; k++) {
        action.push_back(1.5 * Model::kActuators[k].high * uniform(random));  // beyond the bounds
        d->ctrl[k] = action[k];
      }
      std::copy(d->qpos, d->qpos + nq, state.begin());
      std::copy(d->qvel, d->qvel + n, state.begin() + nq);
      const double x = place_of(TypeParam::kName, *m, *d);
      for (int f = 0; f < TypeParam::kFrameSkip; f++) mj_step(m, d);
      mj_rnePostConstraint(m, d);
      const Expected expected = rules(*d, x, action);
      double reward = std::nan("");
      Numbers terms(e.spec().n_terms, std::nan(""));
      const bool terminated = e.transitions->transition_double(
                                  data.shared, parameters.data(), 0, t, state.data(), action.data(),
                                  observation.data(), &reward, terms.data()) != 0;
      ASSERT_EQ(observation.size(), expected.observation.size());
      for (std::size_t k = 0; k < observation.size(); k++) {
        const double want = expected.observation[k];
        ASSERT_NEAR(observation[k], want, 1e-8 * std::max(1.0, std::abs(want)))
            << "observation " << k << ", episode " << episode << ", step " << t;
      }
      ASSERT_NEAR(reward, expected.reward, 1e-7 * std::max(1.0, std::abs(expected.reward)));
      check_terms(e.spec(), terms, reward, *d, x, place_of(TypeParam::kName, *m, *d),
                  TypeParam::kFrameSkip * Model::kWorld.timestep);
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
  const bool never_ends = name == "half_cheetah" || name == "swimmer" || name == "reacher" ||
                          name == "humanoid_standup";
  EXPECT_EQ(n_terminated == 0, never_ends);
}

}  // namespace
}  // namespace gallop::testing
