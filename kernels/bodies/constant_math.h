// Vectors and elementary functions of the numbers that a model is made of, computed by the
// compiler.
#pragma once

#include <gallop/kernels/numerics/platform.h>

namespace gallop::inline GALLOP_ISA {

struct Vector3 {
  double x, y, z;
  constexpr double operator[](int k) const { return k == 0 ? x : k == 1 ? y : z; }
};

constexpr Vector3 operator+(Vector3 a, Vector3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
constexpr Vector3 operator-(Vector3 a, Vector3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
constexpr Vector3 operator*(double s, Vector3 a) { return {s * a.x, s * a.y, s * a.z}; }
constexpr double dot(Vector3 a, Vector3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
constexpr Vector3 cross(Vector3 a, Vector3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

struct Quaternion {
  double w, x, y, z;
};
constexpr Quaternion operator*(Quaternion a, Quaternion b) {
  return {
      a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z, a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
      a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x, a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w};
}
// Turned by a quaternion of any length.
constexpr Vector3 rotate(Quaternion q, Vector3 v) {
  const double length2 = q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z;
  const Vector3 axis = {q.x, q.y, q.z}, t = (2 / length2) * cross(axis, v);
  return v + q.w * t + cross(axis, t);
}

// Newton's iteration; to the last bit or the one beside it.
constexpr double constant_sqrt(double x) {
  if (!(x > 0)) return 0;
  double root = x > 1 ? x : 1;
  for (int k = 0; k < 100; k++) {
    const double next = 0.5 * (root + x / root);
    if (next >= root) break;
    root = next;
  }
  return root;
}

// Power series, for angles of a few radians.
constexpr double constant_sin(double x) {
  double term = x, sum = x;
  for (int k = 1; k < 40; k++) {
    term *= -x * x / ((2 * k) * (2 * k + 1));
    sum += term;
  }
  return sum;
}
constexpr double constant_cos(double x) {
  double term = 1, sum = 1;
  for (int k = 1; k < 40; k++) {
    term *= -x * x / ((2 * k - 1) * (2 * k));
    sum += term;
  }
  return sum;
}

constexpr double kPi = 3.14159265358979323846;
constexpr double radians(double degrees) { return degrees * kPi / 180; }

constexpr double clamped(double x, double low, double high) {
  return x < low ? low : x > high ? high : x;
}
constexpr double magnitude(double x) { return x < 0 ? -x : x; }

}  // namespace gallop::inline GALLOP_ISA
