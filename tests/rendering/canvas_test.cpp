// The rasteriser: areas, colours and edges of figures.
#include <gallop/host/rendering/canvas.h>

#include <gtest/gtest.h>

#include <cctype>
#include <cmath>

#include <gallop/host/rendering/stroke_font.h>

namespace gallop::testing {
namespace {

constexpr Color kWhite = {255, 255, 255}, kBlack = {0, 0, 0}, kRed = {255, 0, 0};

Figure capsule_figure(Point2 a, Point2 b, double radius_a, double radius_b, Color fill) {
  Figure f;
  f.kind = ShapeKind::kCapsule;
  f.points = {a, b};
  f.radius[0] = radius_a;
  f.radius[1] = radius_b;
  f.fill = fill;
  return f;
}

Canvas painted(const std::vector<Figure>& figures, int width = 100, int height = 80) {
  Canvas canvas(width, height);
  canvas.draw({width, height, kWhite, figures});
  return canvas;
}

// Pixels that black figures on white cover, in all.
double black_area(const Canvas& canvas) {
  double sum = 0;
  for (const std::uint8_t p : canvas.pixels()) sum += (255 - p) / (3 * 255.0);
  return sum;
}

TEST(Canvas, AreasAreThoseOfGeometry) {
  const double disc = black_area(painted({capsule_figure({50, 40}, {50, 40}, 20, 20, kBlack)}));
  EXPECT_NEAR(disc, M_PI * 400, 1);
  const double rod = black_area(painted({capsule_figure({20, 25}, {70, 50}, 8, 8, kBlack)}));
  EXPECT_NEAR(rod, M_PI * 64 + 16 * std::hypot(50, 25), 2);
  // The greater disc holds the smaller one.
  const double held = black_area(painted({capsule_figure({50, 40}, {53, 40}, 5, 20, kBlack)}));
  EXPECT_NEAR(held, M_PI * 400, 1);
  Figure triangle;
  triangle.kind = ShapeKind::kPolygon;
  triangle.points = {{10.3, 10.1}, {80.7, 20.9}, {30.2, 70.4}};
  triangle.fill = kBlack;
  const double area = 0.5 * std::abs((80.7 - 10.3) * (70.4 - 10.1) - (30.2 - 10.3) * (20.9 - 10.1));
  EXPECT_NEAR(black_area(painted({triangle})), area, 1.5);
  Figure line;
  line.kind = ShapeKind::kLine;
  line.points = {{10, 40}, {90, 40}};
  line.width = 4;
  line.fill = kBlack;
  EXPECT_NEAR(black_area(painted({line})), 80 * 4 + M_PI * 4, 1);
}

TEST(Canvas, EdgesLieWithinTheShapeAndLaterFiguresOnTop) {
  Figure disc = capsule_figure({50, 40}, {50, 40}, 20, 20, kRed);
  disc.edge = kBlack;
  disc.width = 5;
  const Canvas canvas = painted({disc, capsule_figure({50, 40}, {50, 40}, 4, 4, kWhite)});
  EXPECT_TRUE(canvas.at(50, 40) == kWhite);
  EXPECT_TRUE(canvas.at(60, 40) == kRed);
  EXPECT_TRUE(canvas.at(67, 40) == kBlack);
  EXPECT_TRUE(canvas.at(72, 40) == kWhite);
}

TEST(Canvas, WhatIsOutsideOrHugeIsCut) {
  Figure band;
  band.kind = ShapeKind::kPolygon;
  band.points = {{-1e12, 30}, {1e12, 30}, {1e12, 50}, {-1e12, 50}};
  band.fill = kBlack;
  EXPECT_NEAR(black_area(painted({band})), 100 * 20, 1e-6);
  EXPECT_EQ(black_area(painted({capsule_figure({-50, -50}, {-500, 40}, 9, 9, kBlack)})), 0);
  const Canvas all = painted({capsule_figure({50, 40}, {1e9, 40}, 1e9, 1e9, kBlack)});
  EXPECT_NEAR(black_area(all), 100 * 80, 1e-6);
}

std::vector<std::pair<double, double>> places(const std::vector<std::vector<Point2>>& strokes) {
  std::vector<std::pair<double, double>> all;
  for (const auto& stroke : strokes) {
    for (const Point2 p : stroke) all.emplace_back(p.x, p.y);
  }
  return all;
}

TEST(StrokeFont, HasAGlyphForEveryLetterOfANumberOrName) {
  std::string all = "0123456789+-.,:/=_()";
  for (char c = 'a'; c <= 'z'; c++) {
    all += c;
    all += char(std::toupper(c));
    EXPECT_NE(places(text_strokes({&c, 1})), places(text_strokes(std::string(1, all.back()))));
  }
  for (const char c : all) {
    const auto strokes = text_strokes(std::string(1, c));
    EXPECT_FALSE(strokes.empty()) << c;
    for (const auto& stroke : strokes) {
      EXPECT_GE(stroke.size(), 2u) << c;
      for (const Point2 p : stroke) {
        EXPECT_TRUE(p.x >= 0 && p.x <= 4 && p.y >= -kDescentUnits && p.y <= kCapitalUnits) << c;
        EXPECT_LE(p.x, text_units(std::string(1, c)) + 1.4) << c;  // its own place, half a gap
      }
    }
  }
  EXPECT_TRUE(text_strokes(" ~").empty());
  EXPECT_EQ(text_units(""), 0);
  EXPECT_GT(text_units("12"), text_units("1"));
}

TEST(Canvas, TextStandsAtItsAnchor) {
  for (const TextAnchor anchor : {TextAnchor::kLeft, TextAnchor::kCentre, TextAnchor::kRight}) {
    Figure text;
    text.kind = ShapeKind::kText;
    text.points = {{50, 40}};
    text.text = "00";
    text.size = 17;
    text.anchor = anchor;
    const Canvas canvas = painted({text});
    double left = 0, right = 0;
    for (int y = 0; y < 80; y++) {
      for (int x = 0; x < 100; x++) (x < 50 ? left : right) += 255 - canvas.at(x, y).red;
    }
    const double balance = (right - left) / (right + left);
    const double expected = anchor == TextAnchor::kLeft ? 1 : anchor == TextAnchor::kRight ? -1 : 0;
    EXPECT_NEAR(balance, expected, 0.2);  // half the pen is beyond
    EXPECT_GT(left + right, 255 * 40);
  }
}

}  // namespace
}  // namespace gallop::testing
