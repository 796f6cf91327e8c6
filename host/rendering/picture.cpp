#include <gallop/host/rendering/picture.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace gallop {
namespace {

// Where the camera of a perspective view stands: to the right of the target (azimuth from the
// x axis) and above it.
constexpr double kAzimuth = -60 * M_PI / 180, kElevation = 22 * M_PI / 180;
constexpr double kDistance = 6;    // from the target, in half heights
constexpr double kNearest = 0.05;  // what is nearer, in distances of the target, is cut off
constexpr double kLightOffset = 0.28, kLightRadius = 0.5;  // of the light's spot, in radii

double dot(Point3 a, Point3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
bool is_finite(Point3 p) { return std::isfinite(p.x) && std::isfinite(p.y) && std::isfinite(p.z); }

// A point before the camera: right, up, and how far away.
struct Seen {
  double right, up, depth;
};

class Projection {
 public:
  Projection(const Camera& camera, int width, int height)
      : camera_(camera), centre_{0.5 * width, 0.5 * height} {
    scale_ = std::min(centre_.x / camera.half_width, centre_.y / camera.half_height);
    if (camera.view == View::kSide) right_ = {1, 0, 0}, up_ = {0, 0, 1}, away_ = {0, 1, 0};
    if (camera.view == View::kTop) right_ = {1, 0, 0}, up_ = {0, 1, 0}, away_ = {0, 0, -1};
    if (camera.view == View::kPerspective) {
      const double ca = std::cos(kAzimuth), sa = std::sin(kAzimuth);
      const double ce = std::cos(kElevation), se = std::sin(kElevation);
      right_ = {-sa, ca, 0};
      up_ = {-se * ca, -se * sa, ce};
      away_ = {-ce * ca, -ce * sa, -se};
      distance_ = kDistance * camera.half_height;
    }
  }

  bool is_perspective() const { return distance_ > 0; }
  double nearest() const { return kNearest * distance_; }

  Seen seen(Point3 p) const {
    const Point3 from = p - camera_.target;
    return {dot(from, right_), dot(from, up_), dot(from, away_) + distance_};
  }
  // Pixels for a unit of the world at that depth.
  double scale_at(double depth) const {
    return is_perspective() ? scale_ * distance_ / depth : scale_;
  }
  Point2 place(Seen s) const {
    const double scale = scale_at(s.depth);
    return {centre_.x + scale * s.right, centre_.y - scale * s.up};
  }

 private:
  const Camera& camera_;
  Point2 centre_;
  double scale_ = 1, distance_ = 0;  // no distance: orthographic
  Point3 right_, up_, away_;
};

// The points of the line or polygon that are not too near, with new ones where it is cut.
std::vector<Seen> clipped(const Projection& projection, const Shape& shape) {
  std::vector<Seen> all, kept;
  for (const Point3 p : shape.points) all.push_back(projection.seen(p));
  if (!projection.is_perspective()) return all;
  const double nearest = projection.nearest();
  const bool closed = shape.kind == ShapeKind::kPolygon;
  for (std::size_t i = 0; i < all.size(); i++) {
    const bool is_in = all[i].depth >= nearest;
    if (is_in) kept.push_back(all[i]);
    if (i + 1 == all.size() && !closed) break;
    const Seen next = all[(i + 1) % all.size()];
    if (is_in == (next.depth >= nearest)) continue;
    const double part = (nearest - all[i].depth) / (next.depth - all[i].depth);
    kept.push_back({all[i].right + part * (next.right - all[i].right),
                    all[i].up + part * (next.up - all[i].up), nearest});
  }
  return kept;
}

std::optional<Figure> figure_of(const Projection& projection, const Shape& shape, double scale) {
  if (!std::all_of(shape.points.begin(), shape.points.end(), is_finite)) return std::nullopt;
  Figure figure;
  figure.kind = shape.kind;
  figure.fill = shape.fill;
  figure.edge = shape.edge;
  figure.width = scale * shape.width;
  figure.text = shape.text;
  figure.size = scale * shape.size;
  figure.anchor = shape.anchor;
  const std::vector<Seen> seen = clipped(projection, shape);
  const std::size_t fewest = shape.kind == ShapeKind::kPolygon   ? 3
                             : shape.kind == ShapeKind::kText    ? 1
                             : shape.kind == ShapeKind::kCapsule ? shape.points.size()
                                                                 : 2;
  if (seen.size() < fewest) return std::nullopt;
  for (const Seen& s : seen) figure.points.push_back(projection.place(s));
  if (shape.kind == ShapeKind::kCapsule) {
    for (int end = 0; end < 2; end++) {
      figure.radius[end] = shape.radius * projection.scale_at(seen[end].depth);
    }
  }
  return figure;
}

// Whether nothing of it is in the picture.
bool is_outside(const Figure& figure, int width, int height) {
  const double beyond = figure.kind == ShapeKind::kText
                            ? figure.size * double(figure.text.size())
                            : std::max(figure.radius[0], figure.radius[1]) + figure.width;
  double left = 1e300, right = -1e300, top = 1e300, bottom = -1e300;
  for (const Point2 p : figure.points) {
    left = std::min(left, p.x), right = std::max(right, p.x);
    top = std::min(top, p.y), bottom = std::max(bottom, p.y);
  }
  return left > width + beyond || right < -beyond || top > height + beyond || bottom < -beyond;
}

// A bright spot towards the light, which makes a capsule look round.
Figure light_on(const Figure& figure) {
  Figure spot = figure;
  spot.fill = mixed(figure.fill, {255, 255, 255}, 0.28);
  spot.width = 0;
  for (int end = 0; end < 2; end++) {
    spot.points[end].x -= 0.7 * kLightOffset * figure.radius[end];
    spot.points[end].y -= kLightOffset * figure.radius[end];
    spot.radius[end] *= kLightRadius;
  }
  return spot;
}

double depth_of(const Projection& projection, const Shape& shape) {
  double sum = 0;
  for (const Point3 p : shape.points) sum += projection.seen(p).depth;
  return sum / double(shape.points.size());
}

}  // namespace

double picture_scale(int width, int height) { return std::min(width / 480.0, height / 360.0); }

Picture project(const Scene& scene, int width, int height) {
  const Projection projection(scene.camera, width, height);
  std::vector<std::pair<double, const Shape*>> order;  // what is solid comes last, farther first
  for (const Shape& shape : scene.shapes) {
    const bool sorted = projection.is_perspective() && shape.is_solid;
    order.emplace_back(sorted ? -depth_of(projection, shape) : -1e300, &shape);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  Picture picture;
  picture.width = width;
  picture.height = height;
  picture.background = scene.background;
  for (const auto& [depth, shape] : order) {
    const std::optional<Figure> figure =
        figure_of(projection, *shape, picture_scale(width, height));
    if (!figure || is_outside(*figure, width, height)) continue;
    picture.figures.push_back(*figure);
    if (projection.is_perspective() && shape->is_solid && shape->kind == ShapeKind::kCapsule) {
      picture.figures.push_back(light_on(*figure));
    }
  }
  return picture;
}

}  // namespace gallop
