// Bodies drawn from their models' tables: view, camera, and each capsule where the pose has it.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include <gallop/host/rendering/canvas.h>
#include <gallop/host/rendering/colors.h>
#include <gallop/host/rendering/film.h>
#include <gallop/sims/models/half_cheetah_model.h>
#include <gallop/sims/models/hopper_model.h>
#include <gallop/sims/models/inverted_pendulum_model.h>
#include <gallop/sims/models/swimmer_model.h>
#include <gallop/sims/models/walker2d_model.h>
#include "tests/rendering/body_episode.h"

namespace gallop::testing {
namespace {

int capsules_in(const Scene& scene) {
  int n = 0;
  for (const Shape& shape : scene.shapes) n += shape.kind == ShapeKind::kCapsule ? 1 : 0;
  return n;
}

std::string texts_in(const Scene& scene) {
  std::string all;
  for (const Shape& shape : scene.shapes) all += shape.text + ";";
  return all;
}

TEST(BodyDrawing, TheCameraRunsAlongAndTheFloorShowsIt) {
  const Episode episode = body_episode<HopperModel>(
      100, [](int t) { return std::vector<float>{0.1f * float(t), 1.25f, 0, 0, 0, 0}; });
  const Drawing drawing = drawing_of(episode);
  const Scene first = drawing.scene(0), last = drawing.scene(100);
  EXPECT_EQ(first.camera.view, View::kSide);
  EXPECT_NEAR(last.camera.target.x - first.camera.target.x, 10, 1e-5);
  EXPECT_EQ(last.camera.half_height, first.camera.half_height);
  EXPECT_EQ(capsules_in(first), 4);
  EXPECT_NE(texts_in(first).find(";0 m;"), std::string::npos);
  EXPECT_EQ(texts_in(first).find(";10 m;"), std::string::npos);
  EXPECT_NE(texts_in(last).find(";10 m;"), std::string::npos);
}

TEST(BodyDrawing, EveryModelOfThePlaneIsWithinItsPicture) {
  const auto expect_inside = [](const Episode& episode, int n_geoms, View view) {
    const Film film(episode, {});
    const Drawing drawing = drawing_of(episode);
    EXPECT_EQ(drawing.scene(0).camera.view, view);
    for (int k = 0; k < film.n_frames(); k++) {
      const Picture picture = film.picture(k);
      int n = 0;
      for (const Figure& f : picture.figures) {
        if (f.kind != ShapeKind::kCapsule) continue;
        n++;
        for (int end = 0; end < 2; end++) {
          EXPECT_GE(f.points[end].x - f.radius[end], 0);
          EXPECT_LE(f.points[end].x + f.radius[end], picture.width);
          EXPECT_GE(f.points[end].y - f.radius[end], 0);
          EXPECT_LE(f.points[end].y + f.radius[end], picture.height);
        }
      }
      EXPECT_EQ(n, n_geoms);
    }
  };
  const auto wave = [](int n, float height) {
    return [n, height](int t) {
      std::vector<float> q(static_cast<std::size_t>(n));
      for (int k = 0; k < n; k++) q[k] = 0.4f * std::sin(0.1f * float(t) + float(k));
      q[1] += height;
      return q;
    };
  };
  expect_inside(body_episode<Walker2dModel>(50, wave(9, 1.25f)), 7, View::kSide);
  expect_inside(body_episode<HalfCheetahModel>(50, wave(9, 0)), 8, View::kSide);
  expect_inside(body_episode<SwimmerModel>(50, wave(5, 0)), 3, View::kTop);
  expect_inside(body_episode<InvertedPendulumModel>(50, wave(2, 0)), 2, View::kSide);
}

TEST(BodyDrawing, LimbsHaveTheirColorsAtTheirPlaces) {
  // The cart at 0.5 m of its rail, the pole leaning to the right by 0.3 rad.
  const Episode episode = body_episode<InvertedPendulumModel>(1, [](int) {
    return std::vector<float>{0.5f, 0.3f};
  });
  const Scene scene = drawing_of(episode).scene(0);
  const Picture picture = project(scene, 480, 360);
  Canvas canvas(480, 360);
  canvas.draw(picture);
  const double scale = std::min(240 / scene.camera.half_width, 180 / scene.camera.half_height);
  const auto color_at = [&](double x, double z) {
    return canvas.at(int(240 + scale * (x - scene.camera.target.x)),
                     int(180 - scale * (z - scene.camera.target.z)));
  };
  EXPECT_TRUE(color_at(0.42, -0.05) == kBlue);
  EXPECT_TRUE(color_at(0.5 + 0.6 * std::sin(0.3), 0.6 * std::cos(0.3)) == kOrange);
  EXPECT_TRUE(color_at(-0.5, 0.5) == kPaper);
  EXPECT_TRUE(color_at(-0.5, 0.0) == kGroundDark) << "the rail";
}

// Two links on a free root.
struct FreeModel {
  static constexpr WorldSpec kWorld = {
      .timestep = 0.01, .integrator = Integrator::kEuler, .has_floor = true};
  static constexpr BodySpec kBodies[] = {{"trunk", 0, {0, 0, 1}}, {"arm", 1, {0.3, 0, 0}}};
  static constexpr JointSpec kJoints[] = {
      {.name = "x", .body = 1, .kind = JointKind::kSlide, .axis = {1, 0, 0}},
      {.name = "roll", .body = 1, .kind = JointKind::kHinge, .axis = {1, 0, 0}},
      {.name = "arm", .body = 2, .kind = JointKind::kHinge, .axis = {0, 1, 0}}};
  static constexpr GeomSpec kGeoms[] = {
      {.name = "trunk", .body = 1, .from = {0, 0, 0}, .to = {0, 0, 0}, .radius = 0.3},
      {.name = "arm", .body = 2, .from = {0, 0, 0}, .to = {0, 0, 0.5}, .radius = 0.1}};
  static constexpr ActuatorSpec kActuators[] = {{2, 1, -1, 1}};
};

TEST(BodyDrawing, WhatLeavesThePlaneIsDrawnInPerspectiveWithItsShadow) {
  const Episode episode = body_episode<FreeModel>(3, [](int t) {
    return std::vector<float>{float(t), 0.5f, 0.2f};
  });
  const Scene scene = drawing_of(episode).scene(2);
  EXPECT_EQ(scene.camera.view, View::kPerspective);
  EXPECT_NEAR(scene.camera.target.x, 2, 1e-6);
  EXPECT_EQ(capsules_in(scene), 4);
  int n_solid = 0;
  for (const Shape& shape : scene.shapes) {
    if (shape.kind != ShapeKind::kCapsule) continue;
    n_solid += shape.is_solid ? 1 : 0;
    if (!shape.is_solid) {
      EXPECT_EQ(shape.points[0].z, 0);
    }
  }
  EXPECT_EQ(n_solid, 2);
  const Film film(episode, {});
  for (int k = 0; k < film.n_frames(); k++) {
    for (const Figure& f : film.picture(k).figures) {
      if (f.kind != ShapeKind::kCapsule) continue;
      EXPECT_GT(f.points[0].x, 0);
      EXPECT_LT(f.points[0].x, 480);
    }
  }
}

}  // namespace
}  // namespace gallop::testing
