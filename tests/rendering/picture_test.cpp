// From the world to the picture: where things are, what is near, what is left out.
#include <gallop/host/rendering/picture.h>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gallop::testing {
namespace {

Scene scene_of(View view, Point3 target, std::vector<Shape> shapes) {
  Scene scene;
  scene.camera = {view, target, 2, 1};
  scene.shapes = std::move(shapes);
  return scene;
}

TEST(Picture, ScalesToTheNarrowerSideAndCentresTheTarget) {
  const Shape ball = disc({3, 7, 0.5}, 0.25, {});
  const Picture side = project(scene_of(View::kSide, {3, 0, 0}, {ball}), 400, 300);
  ASSERT_EQ(side.figures.size(), 1u);  // 100 pixels a unit, by the width
  EXPECT_NEAR(side.figures[0].points[0].x, 200, 1e-9);
  EXPECT_NEAR(side.figures[0].points[0].y, 100, 1e-9);
  EXPECT_NEAR(side.figures[0].radius[0], 25, 1e-9);
  const Picture top = project(scene_of(View::kTop, {3, 7, 0}, {ball}), 800, 200);
  EXPECT_NEAR(top.figures[0].points[0].x, 400, 1e-9);
  EXPECT_NEAR(top.figures[0].points[0].y, 100, 1e-9);
}

TEST(Picture, PerspectiveShowsWhatIsNearGreaterAndLast) {
  // The camera stands at negative y.
  Shape near = disc({0, -1, 0}, 0.3, {1, 0, 0}), far = disc({0, 1, 0}, 0.3, {2, 0, 0});
  near.is_solid = far.is_solid = true;
  const Picture picture = project(scene_of(View::kPerspective, {}, {near, far}), 400, 300);
  ASSERT_EQ(picture.figures.size(), 4u);  // each with its light
  EXPECT_EQ(picture.figures[0].fill.red, 2);
  EXPECT_EQ(picture.figures[2].fill.red, 1);
  EXPECT_GT(picture.figures[2].radius[0], 1.2 * picture.figures[0].radius[0]);
  EXPECT_LT(picture.figures[1].radius[0], picture.figures[0].radius[0]);
  const Picture target =
      project(scene_of(View::kPerspective, {5, 6, 7}, {disc({5, 6, 7}, 0.5, {})}), 400, 300);
  EXPECT_NEAR(target.figures[0].points[0].x, 200, 1e-9);
  EXPECT_NEAR(target.figures[0].radius[0], 50, 1e-9);
}

TEST(Picture, CutsWhatIsBehindTheCameraAndLeavesOutWhatIsNotThere) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Picture picture = project(
      scene_of(View::kPerspective, {},
               {line({{0, 0, 0}, {0, -1000, 0}}, 1, {}), line({{0, -900, 0}, {0, -1000, 0}}, 1, {}),
                disc({nan, 0, 0}, 1, {}), disc({0, -1000, 0}, 1, {}),
                polygon({{-1000, -1000, -1}, {1000, -1000, -1}, {0, 1000, -1}}, {})}),
      400, 300);
  ASSERT_EQ(picture.figures.size(), 2u);
  for (const Figure& f : picture.figures) {
    for (const Point2 p : f.points) EXPECT_TRUE(std::isfinite(p.x) && std::isfinite(p.y));
  }
  EXPECT_TRUE(
      project(scene_of(View::kSide, {}, {disc({50, 0, 0}, 1, {})}), 400, 300).figures.empty());
}

TEST(Picture, WidthsAndLettersGrowWithIt) {
  const Scene scene =
      scene_of(View::kSide, {}, {line({{0, 0, 0}, {1, 0, 0}}, 2, {}), label({}, "a", 12, {})});
  const Picture small = project(scene, 480, 360), large = project(scene, 960, 720);
  EXPECT_EQ(small.figures[0].width, 2);
  EXPECT_EQ(large.figures[0].width, 4);
  EXPECT_EQ(large.figures[1].size, 24);
}

}  // namespace
}  // namespace gallop::testing
