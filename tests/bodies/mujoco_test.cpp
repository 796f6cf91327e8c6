// The engine in double against MuJoCo itself, on MuJoCo's own reading of our models.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/bodies/all_models.h"
#include "tests/bodies/mujoco_simulation.h"

namespace gallop::testing {
namespace {

constexpr int kStates = 2000;

using Numbers = std::vector<double>;

// Greatest difference, relative to the greatest reference.
double relative_error(const double* got, const double* want, int n) {
  double error = 0, scale = 1e-12;
  for (int k = 0; k < n; k++) {
    const double difference = std::abs(got[k] - want[k]);
    if (!(difference <= error)) error = difference;
    scale = std::max(scale, std::abs(want[k]));
  }
  return error / scale;
}

double quantile(Numbers values, double q) {
  std::sort(values.begin(), values.end());
  return values.at(std::min(values.size() - 1, std::size_t(q * double(values.size()))));
}

template <class Case>
class AgainstMujoco : public ::testing::Test {
 protected:
  using Model = typename Case::Model;
  static constexpr int kDofs = BodyCounts<Model>::kDofs;
  static constexpr int kCoordinates = BodyCounts<Model>::kCoordinates;
  MujocoSimulation simulation_{MjcfWriter<Model>().text()};
  mjModel* m_ = simulation_.m;
  mjData* d_ = simulation_.d;
  BodyParameters<Model, double> parameters_ = default_parameters<Model>();
};
TYPED_TEST_SUITE(AgainstMujoco, AllModels, ModelName);

TYPED_TEST(AgainstMujoco, ModelConstants) {
  using Model = typename TypeParam::Model;
  using Counts = BodyCounts<Model>;
  mjModel* m = this->m_;
  ASSERT_EQ(m->nbody, Counts::kBodies);
  ASSERT_EQ(m->nv, Counts::kDofs);
  ASSERT_EQ(m->nq, Counts::kCoordinates);
  for (int b = 1; b < m->nbody; b++) {
    EXPECT_NEAR(mass_of_body_in<Model>(b), m->body_mass[b], 1e-12 * m->body_mass[b]);
    EXPECT_NEAR(inverse_weight_of_body<Model>(b), m->body_invweight0[2 * b],
                1e-12 * m->body_invweight0[2 * b]);
  }
  for (int k = 0; k < m->nv; k++) {
    EXPECT_NEAR(inverse_weight_of_dof<Model>(k), m->dof_invweight0[k],
                1e-12 * m->dof_invweight0[k]);
  }
  double rest[Counts::kCoordinates];
  rest_coordinates<Model>(rest);
  for (int k = 0; k < m->nq; k++) EXPECT_EQ(rest[k], m->qpos0[k]);
}

TYPED_TEST(AgainstMujoco, DynamicsWithoutConstraints) {
  using Model = typename TypeParam::Model;
  constexpr int n = TestFixture::kDofs;
  mjModel* m = this->m_;
  mjData* d = this->d_;
  m->opt.disableflags = mjDSBL_CONTACT | mjDSBL_LIMIT;
  std::mt19937_64 random(1);
  double mass_error = 0, force_error = 0, acceleration_error = 0;
  for (int i = 0; i < kStates; i++) {
    this->simulation_.template randomize<Model>(random, 10, 20);
    mj_forward(m, d);
    double torque[n], mass[n * n], full[n * n], acceleration[n];
    motor_torques<Model, double>(this->parameters_, d->ctrl, torque);
    PoseOf<Model, double> pose;
    pose.update(this->parameters_, d->qpos, d->qvel, torque);
    mj_fullM(m, full, d->qM);
    for (int a = 0; a < n; a++) {
      double unit[n] = {};
      unit[a] = 1;
      pose.mass.multiply(unit, mass + a * n);
      acceleration[a] = pose.force[a];
    }
    pose.mass.factor();
    pose.mass.solve(acceleration);
    mass_error = std::max(mass_error, relative_error(mass, full, n * n));
    force_error = std::max(force_error, relative_error(pose.force, d->qfrc_smooth, n));
    acceleration_error = std::max(acceleration_error, relative_error(acceleration, d->qacc, n));
  }
  this->RecordProperty("acceleration_error", std::to_string(acceleration_error));
  EXPECT_LE(mass_error, 1e-12);
  EXPECT_LE(force_error, 1e-12);
  EXPECT_LE(acceleration_error, 1e-12);
}

TYPED_TEST(AgainstMujoco, ConstrainedAccelerations) {
  using Model = typename TypeParam::Model;
  constexpr int n = TestFixture::kDofs;
  mjModel* m = this->m_;
  mjData* d = this->d_;
  this->simulation_.solve_exactly();
  std::mt19937_64 random(2);
  Numbers errors;
  int n_self = 0;
  for (int i = 0; i < 20 * kStates && int(errors.size()) < kStates; i++) {
    this->simulation_.template randomize<Model>(random, TypeParam::kLow, TypeParam::kHigh);
    mj_forward(m, d);
    if (d->nefc == 0 || this->simulation_.is_degenerate()) continue;
    if (this->simulation_.has_self_contact()) n_self++;
    double torque[n], a[n];
    motor_torques<Model, double>(this->parameters_, d->ctrl, torque);
    solve_accelerations<Model>(this->parameters_, d->qpos, d->qvel, torque, a);
    errors.push_back(relative_error(a, d->qacc, n));
  }
  ASSERT_EQ(int(errors.size()), kStates);
  if (BodyCounts<Model>::kPairs > 0) {
    EXPECT_GT(n_self, kStates / 20);
  }
  EXPECT_LE(quantile(errors, 0.99), 1e-12);
  EXPECT_LE(quantile(errors, 1), 1e-9);
}

// A step of MuJoCo with its own solver's settings, from every state of a run under random controls.
TYPED_TEST(AgainstMujoco, StepsAndOpenLoops) {
  using Model = typename TypeParam::Model;
  constexpr int n = TestFixture::kDofs, nq = TestFixture::kCoordinates;
  mjModel* m = this->m_;
  mjData* d = this->d_;
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(-1, 1);
  double step_error = 0, open_loop_error = 0;
  for (int episode = 0; episode < 5; episode++) {
    mj_resetData(m, d);
    for (int k = 0; k < nq; k++) d->qpos[k] += 0.005 * uniform(random);
    for (int k = 0; k < n; k++) d->qvel[k] = 0.005 * uniform(random);
    double open_q[nq], open_v[n];
    std::copy(d->qpos, d->qpos + nq, open_q);
    std::copy(d->qvel, d->qvel + n, open_v);
    for (int t = 0; t < TypeParam::kOpenLoop; t++) {
      for (int k = 0; k < m->nu; k++) d->ctrl[k] = Model::kActuators[k].high * uniform(random);
      advance_bodies<Model, double>(this->parameters_, TypeParam::kFrameSkip, d->ctrl, open_q,
                                    open_v, nullptr);
      for (int f = 0; f < TypeParam::kFrameSkip; f++) {
        double q[nq], v[n];
        std::copy(d->qpos, d->qpos + nq, q);
        std::copy(d->qvel, d->qvel + n, v);
        mj_step(m, d);
        advance_bodies<Model, double>(this->parameters_, 1, d->ctrl, q, v, nullptr);
        for (int k = 0; k < n; k++) {
          step_error = std::max(step_error, std::abs(v[k] - d->qvel[k]));
        }
        for (int k = 0; k < nq; k++) {
          step_error = std::max(step_error, std::abs(q[k] - d->qpos[k]));
        }
      }
    }
    for (int k = 0; k < nq; k++) {
      open_loop_error = std::max(open_loop_error, std::abs(open_q[k] - d->qpos[k]));
    }
  }
  EXPECT_LE(step_error, 1e-10);
  EXPECT_LE(open_loop_error, 1e-9);
}

// Masses, gears and gravity of an instance are those of MuJoCo's fields of these names.
TYPED_TEST(AgainstMujoco, ParametersOfAnInstance) {
  using Model = typename TypeParam::Model;
  constexpr int n = TestFixture::kDofs;
  mjModel* m = this->m_;
  mjData* d = this->d_;
  this->simulation_.solve_exactly();
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> factor(0.6, 1.5);
  auto& p = this->parameters_;
  Numbers errors;
  for (int i = 0; i < 200; i++) {
    p = default_parameters<Model>();
    mjModel* changed = mj_copyModel(nullptr, m);
    for (double& x : p.value) x *= factor(random);
    changed->opt.gravity[2] = -p.gravity();
    for (int b = 1; b < m->nbody; b++) {
      for (int k = 0; k < 3; k++) {
        changed->body_inertia[3 * b + k] *= p.mass(b) / m->body_mass[b];
      }
      changed->body_mass[b] = p.mass(b);
    }
    // MuJoCo takes the mass of a body that moves by itself (the reacher's target) from what it made
    // of the model; so told, from its fields.
    for (int k = 0; k < m->nv; k++) changed->dof_simplenum[k] = 0;
    for (int k = 0; k < m->nu; k++) changed->actuator_gear[6 * k] = p.gear(k);
    set_floor_frictions<Model>(changed, p);
    this->simulation_.template randomize<Model>(random, TypeParam::kLow, TypeParam::kHigh);
    mj_forward(changed, d);
    double torque[n], a[n];
    motor_torques<Model, double>(p, d->ctrl, torque);
    solve_accelerations<Model>(p, d->qpos, d->qvel, torque, a);
    if (!this->simulation_.is_degenerate()) errors.push_back(relative_error(a, d->qacc, n));
    mj_deleteModel(changed);
  }
  ASSERT_GT(errors.size(), 100u);
  EXPECT_LE(quantile(errors, 1), 1e-9);
}

}  // namespace
}  // namespace gallop::testing
