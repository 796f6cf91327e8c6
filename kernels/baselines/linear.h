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
// Sums over samples have a shape that no machine changes and that many threads can share: eight
// strided accumulators for each chunk of 128 samples, and 64 for the sums of the chunks.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/policy/shape.h>

namespace gallop {

constexpr int kTimeFeatures = 4;
constexpr float kFeatureLimit = 10.0f;

struct FeaturesRequest {
  int observation_size;  // O components, or the number of states of index observations
  int index;             // 1: index observations
  int n_envs;            // N
  long count;            // samples, in (t, n) order
  Normalization normalization;
  const float* observation;  // [rows, O or 1, N], row t / interval
  int interval = 1;
  const float* age;  // [T, N]
  float added_age;   // to every age
  float* feature;    // [K, count]
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

// Sample s of less than 2^32: a division of 64 bits is a subroutine on a device.
GALLOP_HD void write_features(const FeaturesRequest& r, long s) {
  const long n = unsigned(s) % unsigned(r.n_envs);
  const long row = unsigned(s) / unsigned(r.n_envs) / unsigned(r.interval);
  float* to = r.feature + s;
  if (r.index != 0) {
    const float state = r.observation[row * r.n_envs + n];
    for (int k = 0; k < r.observation_size; k++, to += r.count) {
      *to = state == float(k) ? 1.0f : 0.0f;
    }
  } else {
    for (int k = 0; k < r.observation_size; k++, to += r.count) {
      float o = r.observation[(row * r.observation_size + k) * r.n_envs + n];
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
constexpr int kGramChunk = 128;  // samples
constexpr int kGramSums = 64;    // of chunks

// sum_s x[s] y[s]: lane k adds the samples s = k (mod 8) in order, then the lanes are added in
// order.
template <class T>
GALLOP_HD double strided_dot(const T* x, const T* y, int count) {
  double lane[kDotLanes];
  for (int k = 0; k < kDotLanes; k++) lane[k] = 0;
  int s = 0;
  for (; s + kDotLanes <= count; s += kDotLanes) {
    GALLOP_UNROLL(8)
    for (int k = 0; k < kDotLanes; k++) {
      lane[k] = fmadd(double(x[s + k]), double(y[s + k]), lane[k]);
    }
  }
  GALLOP_UNROLL(8)
  for (int k = 0; k < kDotLanes; k++) {
    if (s + k < count) lane[k] = fmadd(double(x[s + k]), double(y[s + k]), lane[k]);
  }
  double sum = 0;
  GALLOP_UNROLL(8)
  for (int k = 0; k < kDotLanes; k++) sum = sum + lane[k];
  return sum;
}

GALLOP_HD long gram_chunks(long count) { return (count + kGramChunk - 1) / kGramChunk; }
GALLOP_HD int gram_chunk_size(long count, long chunk) {
  const long left = count - chunk * kGramChunk;
  return left < kGramChunk ? int(left) : kGramChunk;
}

// Sum k of chunks adds those of number k (mod 64) in order; this adds the sums in order, `stride`
// apart.
GALLOP_HD double gram_total(const double* sum, long stride) {
  double total = 0;
  GALLOP_UNROLL(8)
  for (int k = 0; k < kGramSums; k++) total = total + sum[k * stride];
  return total;
}

// Row i of the features, or of the targets after them: with those the products of each row with
// those before it, and of a row of features with itself, stand one after the other.
GALLOP_HD const float* gram_row(const GramRequest& r, long i) {
  return i < r.n_features ? r.feature + i * r.count : r.target;
}

// Element p of the product.
GALLOP_HD void gram_element(const GramRequest& r, long p) {
  long i = 0;
  while ((i + 1) * (i + 2) / 2 <= p) i++;
  const long j = p - i * (i + 1) / 2;
  const float *const x = gram_row(r, i), *const y = gram_row(r, j);
  double sum[kGramSums];
  for (int k = 0; k < kGramSums; k++) sum[k] = 0;
  for (long c = 0, at = 0; c < gram_chunks(r.count); c++, at += kGramChunk) {
    double& own = sum[c % kGramSums];
    own = own + strided_dot(x + at, y + at, gram_chunk_size(r.count, c));
  }
  r.product[p] = gram_total(sum, 1);
}

GALLOP_HD void linear_value(const LinearValuesRequest& r, long s) {
  double sum = 0;
  for (int k = 0; k < r.n_features; k++) {
    sum = fmadd(double(r.weight[k]), double(r.feature[k * r.count + s]), sum);
  }
  r.value[s] = float(sum);
}

template <class F>
void features(const FeaturesRequest& r, const CpuWork& on) {
  split(on, r.count, 64, [&](int, long begin, long end) {
    for (long s = begin; s < end; s++) write_features(r, s);
  });
}
template <class F>
void gram(const GramRequest& r, const CpuWork& on) {
  split(on, gram_count(r.n_features), 1, [&](int, long begin, long end) {
    for (long p = begin; p < end; p++) gram_element(r, p);
  });
}
template <class F>
void linear_values(const LinearValuesRequest& r, const CpuWork& on) {
  split(on, r.count, 64, [&](int, long begin, long end) {
    for (long s = begin; s < end; s++) linear_value(r, s);
  });
}

}  // namespace gallop::inline GALLOP_ISA
