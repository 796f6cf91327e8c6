// Where the bodies are: against the engine's own pose for the models of the plane, and against
// rotations written out for joints in space.
#include <gallop/host/rendering/forward_kinematics.h>

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include <gallop/kernels/bodies/pose.h>
#include "tests/bodies/all_models.h"

namespace gallop::testing {
namespace {

// What kSkeleton needs of an environment.
template <class M>
struct EnvironmentOf {
  using Model = M;
  static constexpr int kFrameSkip = 3;
};

template <class Case>
class Kinematics : public ::testing::Test {};
using PlaneModels = ::testing::Types<HopperCase, Walker2dCase, HalfCheetahCase, SwimmerCase,
                                     InvertedPendulumCase, InvertedDoublePendulumCase>;
TYPED_TEST_SUITE(Kinematics, PlaneModels, ModelName);

TYPED_TEST(Kinematics, AgreesWithThePoseOfTheEngine) {
  using Model = typename TypeParam::Model;
  const Skeleton& skeleton = kSkeleton<EnvironmentOf<Model>>;
  const CompiledModel<Model>& model = compiled<Model>();
  constexpr int n = BodyCounts<Model>::kDofs;
  ASSERT_EQ(coordinate_count(skeleton), n);
  std::mt19937 random(3);
  std::uniform_real_distribution<double> uniform(-1.5, 1.5);
  const BodyParameters<Model, double> p = default_parameters<Model>();
  for (int trial = 0; trial < 20; trial++) {
    double q[n];
    const double still[n] = {};
    for (int k = 0; k < n; k++) q[k] = uniform(random);
    Pose<Model, double> pose;
    pose.update(p, q, still, still);
    const std::vector<Frame> frames = body_frames(skeleton, q);
    ASSERT_EQ(int(frames.size()), model.kBodies);
    for (int b = 1; b < model.kBodies; b++) {
      const Point3 from = frames[b].origin - frames[1].origin;
      EXPECT_NEAR(model.upright ? from.z : from.x, pose.origin[b].a, 1e-12) << b;
      EXPECT_NEAR(model.upright ? from.x : from.y, pose.origin[b].b, 1e-12) << b;
      const Point3 first = frames[b].rotated(model.upright ? Point3{0, 0, 1} : Point3{1, 0, 0});
      EXPECT_NEAR(model.upright ? first.z : first.x, pose.rotation[b].c, 1e-12) << b;
      EXPECT_NEAR(model.upright ? first.x : first.y, pose.rotation[b].s, 1e-12) << b;
    }
    if (model.upright) {
      EXPECT_NEAR(frames[1].origin.z, pose.height, 1e-12);
    }
  }
}

void expect_near(Point3 got, Point3 expected) {
  EXPECT_NEAR(got.x, expected.x, 1e-12);
  EXPECT_NEAR(got.y, expected.y, 1e-12);
  EXPECT_NEAR(got.z, expected.z, 1e-12);
}

Skeleton skeleton_of(const std::vector<SkeletonBody>& bodies,
                     const std::vector<SkeletonJoint>& joints) {
  return {int(bodies.size()), int(joints.size()), 0, bodies.data(), joints.data(), nullptr, true};
}

TEST(KinematicsInSpace, FreeRootsAreTurnedByTheirQuaternion) {
  const std::vector<SkeletonBody> bodies = {{0, {9, 9, 9}, {1, 0, 0, 0}},
                                            {1, {1, 0, 0}, {1, 0, 0, 0}}};
  const std::vector<SkeletonJoint> joints = {
      {1, SkeletonJointKind::kFree, {0, 0, 0}, {0, 0, 0}, 0, false, 0, 0},
      {2, SkeletonJointKind::kHinge, {0, 0, 2}, {0, 0, 0}, 0, false, 0, 0}};
  const Skeleton skeleton = skeleton_of(bodies, joints);
  ASSERT_EQ(coordinate_count(skeleton), 8);
  // A quarter turn about x, of a quaternion that is not normalised; then one about its own z.
  const double half = std::sqrt(0.5), quarter = M_PI / 2;
  const double q[] = {1, 2, 3, 2 * half, 2 * half, 0, 0, quarter};
  const std::vector<Frame> frames = body_frames(skeleton, q);
  expect_near(frames[1].origin, {1, 2, 3});
  expect_near(frames[1].rotated({0, 1, 0}), {0, 0, 1});
  expect_near(frames[2].origin, {2, 2, 3});
  expect_near(frames[2].rotated({1, 0, 0}), {0, 0, 1});
}

TEST(KinematicsInSpace, HingesTurnAboutTheirAnchorAndTurnedBodiesAreTurned) {
  // A body turned by a third about the diagonal takes x to y; its hinge about the diagonal of a
  // far anchor leaves the anchor where it is.
  const std::vector<SkeletonBody> bodies = {{0, {1, 0, 0}, {1, 1, 1, 1}},
                                            {1, {0, 0, 0}, {1, 0, 0, 0}}};
  const std::vector<SkeletonJoint> joints = {
      {1, SkeletonJointKind::kSlide, {3, 0, 0}, {0, 0, 0}, 0.5, false, 0, 0},
      {1, SkeletonJointKind::kHinge, {1, 1, 1}, {1, 2, 5}, 0, false, 0, 0}};
  const Skeleton skeleton = skeleton_of(bodies, joints);
  const double q[] = {2.5, 0};
  const std::vector<Frame> still = body_frames(skeleton, q);
  expect_near(still[1].rotated({1, 0, 0}), {0, 1, 0});
  expect_near(still[1].origin, {1, 2, 0});
  const double turned_q[] = {2.5, 2 * M_PI / 3};
  const std::vector<Frame> turned = body_frames(skeleton, turned_q);
  expect_near(turned[1].placed({1, 2, 5}), still[1].placed({1, 2, 5}));
  expect_near(turned[1].rotated({1, 0, 0}), {0, 0, 1});
  expect_near(turned[2].origin, turned[1].origin);
}

}  // namespace
}  // namespace gallop::testing
