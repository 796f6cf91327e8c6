#include <gallop/host/rendering/forward_kinematics.h>

#include <cmath>

namespace gallop {
namespace {

Point3 point(const double (&x)[3]) { return {x[0], x[1], x[2]}; }

double length_of(const double (&x)[3]) {
  return std::sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]);
}

// a, then b within the frame that a leaves.
void turn(Frame& a, const double (&b)[3][3]) {
  double product[3][3] = {};
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) {
      for (int k = 0; k < 3; k++) product[i][j] += a.rotation[i][k] * b[k][j];
    }
  }
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) a.rotation[i][j] = product[i][j];
  }
}

struct Turn {
  double w, x, y, z;
};

// By a quaternion of any length but 0.
void turn(Frame& frame, Turn q) {
  const double length = std::sqrt(q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z);
  if (!(length > 0)) return;
  const double w = q.w / length, x = q.x / length, y = q.y / length, z = q.z / length;
  const double by[3][3] = {{1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)},
                           {2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)},
                           {2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)}};
  turn(frame, by);
}

// Moves the body by one joint; returns how many coordinates it took.
int move(Frame& frame, const SkeletonJoint& joint, const double* q) {
  if (joint.kind == SkeletonJointKind::kFree) {
    frame = Frame();
    frame.origin = {q[0], q[1], q[2]};
    turn(frame, Turn{q[3], q[4], q[5], q[6]});
    return 7;
  }
  const double by = q[0] - joint.reference;
  const Point3 axis = 1 / length_of(joint.axis) * point(joint.axis);
  if (joint.kind == SkeletonJointKind::kSlide) {
    frame.origin = frame.origin + by * frame.rotated(axis);
    return 1;
  }
  const Point3 anchor = frame.placed(point(joint.position));
  const double half = 0.5 * by, sine = std::sin(half);
  turn(frame, Turn{std::cos(half), sine * axis.x, sine * axis.y, sine * axis.z});
  frame.origin = anchor - frame.rotated(point(joint.position));
  return 1;
}

}  // namespace

Point3 Frame::rotated(Point3 p) const {
  const auto row = [&](int i) {
    return rotation[i][0] * p.x + rotation[i][1] * p.y + rotation[i][2] * p.z;
  };
  return {row(0), row(1), row(2)};
}

int coordinate_count(const Skeleton& skeleton) {
  int n = 0;
  for (int k = 0; k < skeleton.n_joints; k++) {
    n += skeleton.joints[k].kind == SkeletonJointKind::kFree ? 7 : 1;
  }
  return n;
}

std::vector<Frame> body_frames(const Skeleton& skeleton, std::span<const double> q) {
  std::vector<Frame> frames(skeleton.n_bodies + 1);
  const double* at = q.data();
  int joint = 0;
  for (int b = 1; b <= skeleton.n_bodies; b++) {
    const SkeletonBody& body = skeleton.bodies[b - 1];
    frames[b] = frames[body.parent];
    frames[b].origin = frames[body.parent].placed(point(body.position));
    const double(&o)[4] = body.orientation;
    turn(frames[b], Turn{o[0], o[1], o[2], o[3]});
    for (; joint < skeleton.n_joints && skeleton.joints[joint].body == b; joint++) {
      at += move(frames[b], skeleton.joints[joint], at);
    }
  }
  return frames;
}

}  // namespace gallop
