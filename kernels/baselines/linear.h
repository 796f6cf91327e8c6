// A value function that is linear in fixed features, fitted in closed form. Features of a state s
// of age t (Duan et al., arXiv:1604.06778; rllab's LinearFeatureBaseline):
//
//   phi = [o, o^2, t/100, (t/100)^2, (t/100)^3, 1],  o the observation, limited to +-10
//
// and for index observations one feature a state in place of o and o^2. Fitted V iteration with the
// lecture's proximal term has the solution
//
//   (Phi^T Phi + lambda I) w = Phi^T y + lambda w_i.
//
// Sums over samples run in eight strided accumulators, a shape that no machine changes.
#pragma once

#include "kernels/numerics/scalar.h"
#include "kernels/policy/shape.h"

namespace gallop {

constexpr int kTimeFeatures = 4;
constexpr float kFeatureLimit = 10.0f;

struct FeaturesRequest {
  int observation_size;  // O components, or the number of states of index observations
  int index;             // 1: index observations
  int n_envs;            // N
  long count;            // samples, in (t, n) order
  Normalization normalization;
  const float* observation;  // [T, O or 1, N]
  const float* age;          // [T, N]
  float added_age;           // to every age
  float* feature;            // [K, count]
};

// Inner products of the features with each other and with the targets.
struct GramRequest {
  int n_features;  // K
  long count;
  const float* feature;  // [K, count]
  const float* target;   // [count]
  double* product;       // [K (K + 1) / 2 + K]: phi_i phi_j for j <= i by rows, then phi_i y
};

// value[s] = sum_k weight[k] phi[k, s].
struct LinearValuesRequest {
  int n_features;
  long count;
  const float* feature;
  const float* weight;  // [K]
  float* value;         // [count]
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD int feature_count(int observation_size, bool index) {
  return (index ? observation_size : 2 * observation_size) + kTimeFeatures;
}
GALLOP_HD long gram_count(int n_features) {
  return long(n_features) * (n_features + 1) / 2 + n_features;
}

GALLOP_HD void write_features(const FeaturesRequest& r, long s) {
  const long t = s / r.n_envs, n = s % r.n_envs;
  float* to = r.feature + s;
  if (r.index != 0) {
    const float state = r.observation[s];
    for (int k = 0; k < r.observation_size; k++, to += r.count) {
      *to = state == float(k) ? 1.0f : 0.0f;
    }
  } else {
    for (int k = 0; k < r.observation_size; k++, to += r.count) {
      float o = r.observation[(t * r.observation_size + k) * r.n_envs + n];
      if (r.normalization.mean != nullptr) {
        o = (o - r.normalization.mean[k]) * r.normalization.inverse_std[k];
      }
      o = min(kFeatureLimit, max(-kFeatureLimit, o));
      to[0] = o;
      to[r.observation_size * r.count] = o * o;
    }
    to += r.observation_size * r.count;
  }
  const float age = (r.age[s] + r.added_age) * 0.01f;
  to[0] = age;
  to[r.count] = age * age;
  to[2 * r.count] = age * age * age;
  to[3 * r.count] = 1.0f;
}

constexpr int kDotLanes = 8;

// sum_s x[s] y[s]: lane k adds the samples s = k (mod 8) in order, then the lanes are added in
// order.
GALLOP_HD double strided_dot(const float* x, const float* y, long count) {
  double lane[kDotLanes];
  for (int k = 0; k < kDotLanes; k++) lane[k] = 0;
  long s = 0;
  for (; s + kDotLanes <= count; s += kDotLanes) {
    for (int k = 0; k < kDotLanes; k++) {
      lane[k] = fmadd(double(x[s + k]), double(y[s + k]), lane[k]);
    }
  }
  for (int k = 0; s + k < count; k++) {
    lane[k] = fmadd(double(x[s + k]), double(y[s + k]), lane[k]);
  }
  double sum = 0;
  for (int k = 0; k < kDotLanes; k++) sum = sum + lane[k];
  return sum;
}

// Element p of the product.
GALLOP_HD void gram_element(const GramRequest& r, long p) {
  const long pairs = gram_count(r.n_features) - r.n_features;
  if (p >= pairs) {
    r.product[p] = strided_dot(r.feature + (p - pairs) * r.count, r.target, r.count);
    return;
  }
  long i = 0;
  while ((i + 1) * (i + 2) / 2 <= p) i++;
  const long j = p - i * (i + 1) / 2;
  r.product[p] = strided_dot(r.feature + i * r.count, r.feature + j * r.count, r.count);
}

GALLOP_HD void linear_value(const LinearValuesRequest& r, long s) {
  double sum = 0;
  for (int k = 0; k < r.n_features; k++) {
    sum = fmadd(double(r.weight[k]), double(r.feature[k * r.count + s]), sum);
  }
  r.value[s] = float(sum);
}

// The loops of the CPU.
static inline void features(const FeaturesRequest& r, long begin, long end) {
  for (long s = begin; s < end; s++) write_features(r, s);
}
static inline void gram(const GramRequest& r, long begin, long end) {
  for (long p = begin; p < end; p++) gram_element(r, p);
}
static inline void linear_values(const LinearValuesRequest& r, long begin, long end) {
  for (long s = begin; s < end; s++) linear_value(r, s);
}

}  // namespace gallop::inline GALLOP_ISA
