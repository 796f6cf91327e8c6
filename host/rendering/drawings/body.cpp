// Articulated bodies, from their skeletons alone: capsules on a floor seen from the side where all
// hinges turn about y, from above where all turn about z, else in perspective. The camera follows
// the root but for bodies on a rail.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include <gallop/host/rendering/colors.h>
#include <gallop/host/rendering/drawing.h>
#include <gallop/host/rendering/forward_kinematics.h>

namespace gallop {
namespace {

constexpr int kMostLooks = 256;  // frames that the size of the view is taken from
constexpr double kMargin = 1.15;

Point3 point(const double (&x)[3]) { return {x[0], x[1], x[2]}; }

View view_of(const Skeleton& skeleton) {
  bool about_y = true, about_z = true;
  for (int k = 0; k < skeleton.n_joints; k++) {
    const SkeletonJoint& joint = skeleton.joints[k];
    if (joint.kind == SkeletonJointKind::kSlide) continue;
    const bool hinge = joint.kind == SkeletonJointKind::kHinge;
    about_y = about_y && hinge && std::abs(joint.axis[1]) == 1;
    about_z = about_z && hinge && std::abs(joint.axis[2]) == 1;
  }
  return about_y ? View::kSide : about_z ? View::kTop : View::kPerspective;
}

// One colour for each row of bodies without a fork: the trunk, each leg, each arm.
std::vector<Color> colors_of(const Skeleton& skeleton) {
  std::vector<int> children(skeleton.n_bodies + 1, 0), chain(skeleton.n_bodies + 1, 0);
  for (int b = 1; b <= skeleton.n_bodies; b++) children[skeleton.bodies[b - 1].parent]++;
  std::vector<Color> colors(skeleton.n_bodies + 1, kInk);
  int chains = 0;
  for (int b = 1; b <= skeleton.n_bodies; b++) {
    const int parent = skeleton.bodies[b - 1].parent;
    const bool goes_on = parent > 1 && children[parent] == 1;
    chain[b] = goes_on ? chain[parent] : chains++;
    colors[b] = kPartColors[chain[b] % kNumPartColors];
  }
  return colors;
}

// A body at one step: where its root is, and the ends of its geoms [n_geoms].
struct Placed {
  Point3 root;
  std::vector<Point3> from, to;
};

Placed placed(const Skeleton& skeleton, const std::vector<float>& state) {
  const std::vector<double> q(state.begin(), state.begin() + coordinate_count(skeleton));
  const std::vector<Frame> frames = body_frames(skeleton, q);
  Placed result;
  result.root = frames[1].origin;
  for (int k = 0; k < skeleton.n_geoms; k++) {
    const SkeletonGeom& geom = skeleton.geoms[k];
    result.from.push_back(frames[geom.body].placed(point(geom.from)));
    result.to.push_back(frames[geom.body].placed(point(geom.to)));
  }
  return result;
}

class BodyScenes {
 public:
  explicit BodyScenes(const Episode& episode)
      : episode_(episode),
        skeleton_(*episode.spec().skeleton),
        view_(view_of(skeleton_)),
        colors_(colors_of(skeleton_)) {
    follows_ = skeleton_.has_floor || view_ != View::kSide;
    measure();
  }

  Scene at(int step) const {
    const Placed body = placed(skeleton_, episode_.states[step]);
    Scene scene;
    scene.background = view_ == View::kTop ? kWater : kPaper;
    scene.camera = {view_, centre_, half_width_, half_height_};
    if (follows_) {
      scene.camera.target.x += body.root.x;
      if (view_ != View::kSide) scene.camera.target.y += body.root.y;
    }
    if (view_ == View::kSide) add_side_floor(scene);
    if (view_ == View::kTop) add_grid(scene, kWaterRule);
    if (view_ == View::kPerspective) add_perspective_floor(scene, body);
    // The first body comes last, over its limbs.
    for (int k = skeleton_.n_geoms - 1; k >= 0; k--) {
      Shape part = outlined(capsule(body.from[k], body.to[k], skeleton_.geoms[k].radius,
                                    colors_[skeleton_.geoms[k].body]));
      part.is_solid = true;
      scene.shapes.push_back(part);
    }
    return scene;
  }

 private:
  // The view holds the body at every step.
  void measure() {
    double low[3] = {1e9, 1e9, 1e9}, high[3] = {-1e9, -1e9, -1e9};
    const int steps = int(episode_.states.size()), stride = 1 + (steps - 1) / kMostLooks;
    for (int step = 0; step < steps; step += stride) {
      const Placed body = placed(skeleton_, episode_.states[step]);
      for (int k = 0; k < skeleton_.n_geoms; k++) {
        for (const Point3 end : {body.from[k], body.to[k]}) {
          const double x[3] = {end.x - (follows_ ? body.root.x : 0),
                               end.y - (follows_ ? body.root.y : 0), end.z};
          const double radius = skeleton_.geoms[k].radius;
          for (int i = 0; i < 3; i++) {
            if (!std::isfinite(x[i])) continue;
            low[i] = std::min(low[i], x[i] - radius);
            high[i] = std::max(high[i], x[i] + radius);
          }
        }
      }
    }
    for (int k = 0; k < skeleton_.n_joints; k++) {  // rails
      const SkeletonJoint& joint = skeleton_.joints[k];
      if (!is_rail(joint)) continue;
      low[0] = std::min(low[0], joint.low * std::abs(joint.axis[0]));
      high[0] = std::max(high[0], joint.high * std::abs(joint.axis[0]));
    }
    if (skeleton_.has_floor) low[2] = -0.22 * std::max(high[2], 0.5);
    if (view_ == View::kPerspective) {
      look_from_above(low, high);
      return;
    }
    const int up = view_ == View::kTop ? 1 : 2;
    const double middle = 0.5 * (low[up] + high[up]);
    half_height_ = std::max(0.5 * kMargin * (high[up] - low[up]), 1e-3);
    half_width_ = kMargin * std::max({std::abs(low[0]), std::abs(high[0]), 1e-3});
    if (view_ == View::kTop) {
      centre_.y = middle;
    } else {
      centre_.z = middle;
    }
  }

  // The ground's width is seen, and a part of its depth under what stands on it.
  void look_from_above(const double (&low)[3], const double (&high)[3]) {
    const double bottom = skeleton_.has_floor ? 0 : low[2];
    double reach = 1e-3;
    for (int i = 0; i < 2; i++) reach = std::max({reach, std::abs(low[i]), std::abs(high[i])});
    centre_.z = 0.5 * (bottom + high[2]);
    half_width_ = kMargin * 1.25 * reach;
    half_height_ = kMargin * (0.5 * (high[2] - bottom) + 0.45 * reach);
  }

  static bool is_rail(const SkeletonJoint& joint) {
    return joint.kind == SkeletonJointKind::kSlide && joint.limited;
  }

  // Blocks of half a metre, and a number at each metre; a rail where there is no floor.
  void add_side_floor(Scene& scene) const {
    auto& s = scene.shapes;
    const double x = scene.camera.target.x, far = 4 * std::max(half_width_, half_height_);
    if (!skeleton_.has_floor) {
      for (int k = 0; k < skeleton_.n_joints; k++) {
        const SkeletonJoint& joint = skeleton_.joints[k];
        if (!is_rail(joint)) continue;
        const Point3 axis = point(joint.axis);
        s.push_back(line({joint.low * axis, joint.high * axis}, 4, kGroundDark));
        for (const double end : {joint.low, joint.high}) {
          const Point3 at = end * axis, up = {0, 0, 0.06};
          s.push_back(line({at - up, at + up}, 3, kSoft));
        }
      }
      return;
    }
    s.push_back(polygon({{x - far, 0, 0}, {x + far, 0, 0}, {x + far, 0, -far}, {x - far, 0, -far}},
                        kGround));
    const double thick = 0.05 * half_height_;
    for (int k = int(std::floor(x - far)); k <= int(std::ceil(x + far)); k++) {
      const double a = k, b = k + 0.5;
      s.push_back(polygon({{a, 0, 0}, {b, 0, 0}, {b, 0, -thick}, {a, 0, -thick}}, kMark));
      s.push_back(label({a, 0, -3.2 * thick}, fmt::format("{} m", k), 11, kSoft));
    }
  }

  void add_grid(Scene& scene, Color color) const {
    constexpr double kSpacing = 0.5;
    const Point3 at = scene.camera.target;
    const double far = 2.5 * std::max(half_width_, half_height_);
    const auto first = [&](double x) { return int(std::floor((x - far) / kSpacing)); };
    const int n = int(2 * far / kSpacing) + 1;
    for (int k = 0; k <= n; k++) {
      const double x = (first(at.x) + k) * kSpacing, y = (first(at.y) + k) * kSpacing;
      scene.shapes.push_back(line({{x, at.y - far, 0}, {x, at.y + far, 0}}, 1, color));
      scene.shapes.push_back(line({{at.x - far, y, 0}, {at.x + far, y, 0}}, 1, color));
    }
  }

  // A floor to the horizon with a grid on it, and the shadow under the body.
  void add_perspective_floor(Scene& scene, const Placed& body) const {
    const Point3 at = scene.camera.target;
    const double far = 40 * half_height_;
    scene.shapes.push_back(polygon({{at.x - far, at.y - far, 0},
                                    {at.x + far, at.y - far, 0},
                                    {at.x + far, at.y + far, 0},
                                    {at.x - far, at.y + far, 0}},
                                   kGround));
    add_grid(scene, kGroundDark);
    if (!skeleton_.has_floor) return;
    for (int k = 0; k < skeleton_.n_geoms; k++) {
      const Point3 a = {body.from[k].x, body.from[k].y, 0}, b = {body.to[k].x, body.to[k].y, 0};
      scene.shapes.push_back(capsule(a, b, 0.8 * skeleton_.geoms[k].radius, kGroundDark));
    }
  }

  const Episode& episode_;
  const Skeleton& skeleton_;
  View view_;
  std::vector<Color> colors_;  // [n_bodies + 1]
  bool follows_ = false;
  Point3 centre_;  // of the view, from the root where the camera follows
  double half_width_ = 1, half_height_ = 1;
};

}  // namespace

Drawing body_drawing(const Episode& episode) {
  const auto scenes = std::make_shared<BodyScenes>(episode);
  return {[scenes](int step) { return scenes->at(step); }};
}

}  // namespace gallop
