// What the engine tells of the bodies beyond their coordinates, in double against MuJoCo's mjData:
// after a step it belongs to the last Runge-Kutta stage, there as here.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/bodies/all_models.h"
#include "tests/bodies/mujoco_simulation.h"

namespace gallop::testing {
namespace {

constexpr int kStates = 500;

template <class Case>
class Observables : public ::testing::Test {};
TYPED_TEST_SUITE(Observables, SpatialModels, ModelName);

// The greatest difference, relative to the greatest reference.
double relative_error(const double* got, const double* want, int n) {
  double error = 0, scale = 1e-12;
  for (int k = 0; k < n; k++) {
    const double difference = std::abs(got[k] - want[k]);
    if (!(difference <= error)) error = difference;
    scale = std::max(scale, std::abs(want[k]));
  }
  return error / scale;
}

TYPED_TEST(Observables, AreThoseOfMujoco) {
  using Model = typename TypeParam::Model;
  constexpr int n = BodyCounts<Model>::kDofs, nq = BodyCounts<Model>::kCoordinates;
  MujocoSimulation simulation(MjcfWriter<Model>().text());
  simulation.solve_exactly();
  mjModel* m = simulation.m;
  mjData* d = simulation.d;
  const BodyParameters<Model, double> p = default_parameters<Model>();
  std::mt19937_64 random(5);
  double inertia = 0, velocity = 0, contact = 0, centre = 0, torques = 0;
  int n_touching = 0;
  for (int i = 0; i < kStates; i++) {
    simulation.template randomize<Model>(random, TypeParam::kLow, TypeParam::kHigh);
    double q[nq], v[n];
    std::copy(d->qpos, d->qpos + nq, q);
    std::copy(d->qvel, d->qvel + n, v);
    mj_step(m, d);
    mj_rnePostConstraint(m, d);
    LastEvaluation<Model, double> last;
    advance_bodies<Model, double>(p, 1, d->ctrl, q, v, &last);
    const auto& ours = last.observables;
    const int n_bodies = m->nbody - 1;
    if (d->ncon > 0) n_touching++;
    inertia = std::max(inertia, relative_error(ours.inertia, d->cinert + 10, 10 * n_bodies));
    velocity = std::max(velocity, relative_error(ours.velocity, d->cvel + 6, 6 * n_bodies));
    contact = std::max(contact, relative_error(ours.contact, d->cfrc_ext + 6, 6 * n_bodies));
    const double at[3] = {last.root[0] + ours.centre.x, last.root[1] + ours.centre.y,
                          last.root[2] + ours.centre.z};
    centre = std::max(centre, relative_error(at, d->subtree_com + 3, 3));
    double torque[n];
    motor_torques<Model, double>(p, d->ctrl, torque);
    torques = std::max(torques, relative_error(torque, d->qfrc_actuator, n));
  }
  EXPECT_GT(n_touching, kStates / 4);
  EXPECT_LE(inertia, 1e-12);
  EXPECT_LE(velocity, 1e-11);
  EXPECT_LE(contact, 1e-9);
  EXPECT_LE(centre, 1e-12);
  EXPECT_LE(torques, 1e-15);
}

}  // namespace
}  // namespace gallop::testing
