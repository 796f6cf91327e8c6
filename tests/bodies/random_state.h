// Random states of a model.
#pragma once

#include <cmath>
#include <random>

#include <gallop/kernels/bodies/body_counts.h>

namespace gallop::testing {

// The coordinates in the pose that is written.
template <class Model>
void rest_coordinates(double* q) {
  int n = 0;
  for (const JointSpec& joint : Model::kJoints) {
    if (joint.kind != JointKind::kFree) {
      q[n++] = joint.reference;
      continue;
    }
    const BodySpec& body = Model::kBodies[joint.body - 1];
    for (int k = 0; k < 3; k++) q[n++] = body.position[k];
    const double quaternion[4] = {1, 0, 0, 0};
    for (const double x : quaternion) q[n++] = x;
  }
}

// A free root anywhere with any attitude; joints up to a tenth of their range beyond their limits;
// the root's height within [low, high].
template <class Model>
void random_state(std::mt19937_64& random, double low, double high, double* q, double* v) {
  std::uniform_real_distribution<double> uniform(-1, 1);
  rest_coordinates<Model>(q);
  const auto height = [&] { return low + (high - low) * 0.5 * (1 + uniform(random)); };
  int n = 0, n_dofs = 0;
  for (const JointSpec& joint : Model::kJoints) {
    if (joint.kind == JointKind::kFree) {
      for (int k = 0; k < 3; k++) q[k] += uniform(random);
      q[2] = height();
      double length2 = 0;
      for (int k = 3; k < 7; k++) q[k] = uniform(random), length2 += q[k] * q[k];
      for (int k = 3; k < 7; k++) q[k] /= std::sqrt(length2);
      for (int k = 0; k < 6; k++) v[n_dofs++] = 3 * uniform(random);
      n += 7;
      continue;
    }
    v[n_dofs++] = 3 * uniform(random);
    if (joint.limited) {
      q[n] = 0.5 * (joint.low + joint.high) + 0.55 * (joint.high - joint.low) * uniform(random);
    } else {
      q[n] += uniform(random);
    }
    if (joint.axis.z == 1 && joint.kind == JointKind::kSlide) q[n] = height();
    n++;
  }
}

}  // namespace gallop::testing
