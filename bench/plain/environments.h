// Environments as one writes them without a library: one instance, float state, std:: mathematics.
// Numbers are those of Gymnasium 1.4.0.
#pragma once

#include <cmath>
#include <cstdint>

namespace gallop {
namespace {

// xorshift64* of Vigna (2016): one multiplication a number.
struct PlainRandom {
  std::uint64_t state;
  std::uint32_t next() {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return std::uint32_t((state * 0x2545F4914F6CDD1Dull) >> 32);
  }
  float uniform() { return float(next() >> 8) * 0x1p-24f; }
  float uniform(float low, float high) { return low + (high - low) * uniform(); }
};

constexpr float kPi = 3.14159265f;

inline float limited(float x, float bound) { return x < -bound ? -bound : x > bound ? bound : x; }
inline float wrapped(float x) {
  while (x > kPi) x -= 2 * kPi;
  while (x < -kPi) x += 2 * kPi;
  return x;
}

struct PlainCartPole {
  static constexpr const char* kName = "cartpole";
  static constexpr int kObservation = 4, kActions = 2, kLimit = 500;
  static constexpr bool kDiscrete = true;
  float x, x_dot, theta, theta_dot;

  void reset(PlainRandom& random) {
    x = random.uniform(-0.05f, 0.05f);
    x_dot = random.uniform(-0.05f, 0.05f);
    theta = random.uniform(-0.05f, 0.05f);
    theta_dot = random.uniform(-0.05f, 0.05f);
  }
  bool step(float action, float& reward) {
    const float force = action == 1.0f ? 10.0f : -10.0f;
    const float sine = std::sin(theta), cosine = std::cos(theta);
    const float push = (force + 0.05f * theta_dot * theta_dot * sine) * (1 / 1.1f);
    const float theta_acc = (9.8f * sine - cosine * push) /
                            (0.5f * (4.0f / 3.0f - 0.1f * cosine * cosine * (1 / 1.1f)));
    const float x_acc = push - 0.05f * theta_acc * cosine * (1 / 1.1f);
    x += 0.02f * x_dot;
    x_dot += 0.02f * x_acc;
    theta += 0.02f * theta_dot;
    theta_dot += 0.02f * theta_acc;
    reward = 1.0f;
    return std::fabs(x) > 2.4f || std::fabs(theta) > 0.20943951f;
  }
  void observe(float* o) const { o[0] = x, o[1] = x_dot, o[2] = theta, o[3] = theta_dot; }
};

struct PlainPendulum {
  static constexpr const char* kName = "pendulum";
  static constexpr int kObservation = 3, kActions = 1, kLimit = 200;
  static constexpr bool kDiscrete = false;
  static constexpr float kLow = -2, kHigh = 2;
  float theta, theta_dot;

  void reset(PlainRandom& random) {
    theta = random.uniform(-kPi, kPi);
    theta_dot = random.uniform(-1.0f, 1.0f);
  }
  bool step(float action, float& reward) {
    const float torque = limited(action, 2.0f);
    const float angle = wrapped(theta);
    reward = -(angle * angle + 0.1f * theta_dot * theta_dot + 0.001f * torque * torque);
    theta_dot = limited(theta_dot + (15.0f * std::sin(angle) + 3.0f * torque) * 0.05f, 8.0f);
    theta = angle + theta_dot * 0.05f;
    return false;
  }
  void observe(float* o) const { o[0] = std::cos(theta), o[1] = std::sin(theta), o[2] = theta_dot; }
};

struct PlainMountainCar {
  static constexpr const char* kName = "mountain_car";
  static constexpr int kObservation = 2, kActions = 3, kLimit = 200;
  static constexpr bool kDiscrete = true;
  float position, velocity;

  void reset(PlainRandom& random) {
    position = random.uniform(-0.6f, -0.4f);
    velocity = 0;
  }
  void move(float push) {
    velocity = limited(velocity + push - 0.0025f * std::cos(3 * position), 0.07f);
    position += velocity;
    if (position > 0.6f) position = 0.6f;
    if (position <= -1.2f) {
      position = -1.2f;
      if (velocity < 0) velocity = 0;
    }
  }
  bool step(float action, float& reward) {
    move((action - 1) * 0.001f);
    reward = -1.0f;
    return position >= 0.5f && velocity >= 0;
  }
  void observe(float* o) const { o[0] = position, o[1] = velocity; }
};

struct PlainMountainCarContinuous : PlainMountainCar {
  static constexpr const char* kName = "mountain_car_continuous";
  static constexpr int kActions = 1, kLimit = 999;
  static constexpr bool kDiscrete = false;
  static constexpr float kLow = -1, kHigh = 1;

  bool step(float action, float& reward) {
    const float force = limited(action, 1.0f);  // what is beyond the bounds is not paid for
    move(force * 0.0015f);
    const bool at_goal = position >= 0.45f && velocity >= 0;
    reward = (at_goal ? 100.0f : 0.0f) - 0.1f * force * force;
    return at_goal;
  }
};

struct PlainAcrobot {
  static constexpr const char* kName = "acrobot";
  static constexpr int kObservation = 6, kActions = 3, kLimit = 500;
  static constexpr bool kDiscrete = true;
  float s[4];  // two angles, two speeds

  void reset(PlainRandom& random) {
    for (float& x : s) x = random.uniform(-0.1f, 0.1f);
  }
  static void derivative(const float* y, float torque, float* dy) {
    const float c2 = std::cos(y[1]), s2 = std::sin(y[1]);
    const float d1 = 0.25f + (1.25f + c2) + 2.0f;
    const float d2 = 0.25f + 0.5f * c2 + 1.0f;
    const float phi2 = 0.5f * 9.8f * std::sin(y[0] + y[1]);
    const float phi1 =
        -0.5f * y[3] * y[3] * s2 - y[3] * y[2] * s2 + 1.5f * 9.8f * std::sin(y[0]) + phi2;
    dy[0] = y[2];
    dy[1] = y[3];
    dy[3] = (torque + d2 / d1 * phi1 - 0.5f * y[2] * y[2] * s2 - phi2) / (1.25f - d2 * d2 / d1);
    dy[2] = -(d2 * dy[3] + phi1) / d1;
  }
  bool step(float action, float& reward) {
    const float torque = action - 1, dt = 0.2f;
    float k[4][4], y[4];
    derivative(s, torque, k[0]);
    for (int stage = 1; stage < 4; stage++) {
      const float ahead = stage < 3 ? dt / 2 : dt;
      for (int i = 0; i < 4; i++) y[i] = s[i] + ahead * k[stage - 1][i];
      derivative(y, torque, k[stage]);
    }
    for (int i = 0; i < 4; i++) s[i] += dt / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
    s[0] = wrapped(s[0]);
    s[1] = wrapped(s[1]);
    s[2] = limited(s[2], 4 * kPi);
    s[3] = limited(s[3], 9 * kPi);
    const bool reached = -std::cos(s[0]) - std::cos(s[0] + s[1]) > 1.0f;
    reward = reached ? 0.0f : -1.0f;
    return reached;
  }
  void observe(float* o) const {
    o[0] = std::cos(s[0]), o[1] = std::sin(s[0]), o[2] = std::cos(s[1]), o[3] = std::sin(s[1]);
    o[4] = s[2], o[5] = s[3];
  }
};

}  // namespace
}  // namespace gallop
