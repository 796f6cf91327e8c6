// The recorded samples that a gradient is taken over.
#pragma once

#include "kernels/numerics/arithmetic.h"
#include "kernels/policy/shape.h"

namespace gallop {

// Samples of one chunk: gradients are summed over chunks of this many consecutive samples, a size
// that never depends on the machine, and the chunks' sums are added order-free (reduce/partials.h).
constexpr int kChunkSamples = 128;

// Sample k is transition (t, n) with t * N + n = order[k], or k itself where order is null.
struct Samples {
  int n_envs;  // N
  int observation_rows, action_rows;
  const float* observation;    // [T, O, N]
  const float* action;         // [T, A, N]
  const float* log_prob;       // [T, N] under the policy that acted
  const float* advantage;      // [T, N]
  const float* target;         // [T, N] of the value network
  const std::uint32_t* order;  // [count] or null
  long count;
};

enum class PolicyLoss : int {
  kLikelihoodRatio,    // -log pi(a) A: its gradient is the policy gradient
  kSurrogate,          // -rho A, rho = pi / pi_old: the same gradient at the policy that acted
  kClippedSurrogate,   // -min(rho A, clip(rho, 1 - c, 1 + c) A), rho = pi / pi_old (PPO, eq. 7)
  kPenalizedSurrogate  // -rho A + beta KL(old || new), KL by its estimate (rho - 1) - log rho (eq.
                       // 8)
};

// Sums that come with a policy gradient, each over the samples of a chunk.
enum PolicyStatistic : int {
  kStatSurrogate,  // the loss without the entropy bonus
  kStatEntropy,
  kStatKl,       // (rho - 1) - log rho, an estimate of KL(old || new)
  kStatClipped,  // samples whose ratio is outside the clip range
  kPolicyStatistics
};

// Sums over samples of the surrogate loss -rho A, of KL(old || candidate) and of the candidate's
// entropy.
enum DivergenceSum : int { kSumSurrogate, kSumKl, kSumEntropy, kDivergenceSums };

struct PolicyGradientRequest {
  PolicyView policy;
  Samples samples;
  PolicyLoss loss;
  float clip, entropy_coefficient;
  float kl_penalty;  // beta of kPenalizedSurrogate
  float weight;      // of each sample: 1 / count for a mean
  int begin, end;    // chunks
  // [chunks, stride]: gradient [D], then kPolicyStatistics sums; element 0 belongs to chunk 0.
  float* partial;
  long stride;
  float* greatest;        // [chunks, kMaxSegments]
  float* scratch;         // [gradient_scratch], aligned to 64 bytes
  Arithmetic arithmetic;  // of the network's products
};

// Gradient of weight * (V - target)^2 / 2, followed by the sum of (V - target)^2.
struct ValueGradientRequest {
  NetworkShape shape;
  const float* parameters;
  Normalization normalization;
  Samples samples;
  float weight;
  int begin, end;
  float* partial;  // [chunks, stride]: gradient [D], then one sum
  long stride;
  float* greatest;
  float* scratch;
  Arithmetic arithmetic;
};

}  // namespace gallop
