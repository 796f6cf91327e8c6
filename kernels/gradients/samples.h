// The recorded samples that a gradient is taken over.
#pragma once

#include <gallop/kernels/numerics/arithmetic.h>
#include <gallop/kernels/policy/heads.h>

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
  const float* target;         // [T, outputs, N] of a network that is fitted; [T, N] of values
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
  float kl_penalty;       // beta of kPenalizedSurrogate
  float weight;           // of each sample: 1 / count for a mean
  Arithmetic arithmetic;  // of the network's products
  float* gradient;        // [D], and behind it the kPolicyStatistics sums
};

// Gradient of weight * (V - target)^2 / 2, summed over the outputs of the network: one of a value
// network, or more. Given values `before`, of weight / 2 * max((V - target)^2, (C - target)^2) with
// C = before + clip(V - before, -clip, clip), whose gradient is 0 where the second is greater.
struct ValueGradientRequest {
  NetworkShape shape;
  const float* parameters;
  Normalization normalization;
  Samples samples;
  float weight;
  Arithmetic arithmetic;
  float* gradient;      // [D], and behind it the sum of (V - target)^2, or of the greater of both
  const float* before;  // as Samples::target, or null
  float clip;           // at least 0
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Where a sample was recorded.
struct SamplePlace {
  long id, step, instance;  // id = step N + instance
};

// The places of samples by their numbers, without a division for each: floor(id / N) is the high
// half of id times 2^64 / N, rounded up, for every id below 2^32 (Lemire, Kaser and Kurz,
// arXiv:1902.01961).
class SamplePlaces {
 public:
  GALLOP_HD explicit SamplePlaces(const Samples& samples)
      : order_(samples.order),
        n_envs_(samples.n_envs),
        inverse_(~std::uint64_t(0) / std::uint64_t(samples.n_envs) + 1) {}

  GALLOP_HD SamplePlace operator[](long k) const {
    const long id = order_ == nullptr ? k : long(order_[k]);
    const long step =
        n_envs_ == 1 ? id : long((unsigned __int128)(inverse_)*std::uint64_t(id) >> 64);
    return {id, step, id - step * n_envs_};
  }

  // Where the first component of n samples from number `first` on stands in an array [T, rows, N].
  GALLOP_HD void elements(long first, int n, int rows, long* at) const {
    for (int s = 0; s < n; s++) {
      const SamplePlace place = (*this)[first + s];
      at[s] = place.id + place.step * (rows - 1) * n_envs_;
    }
  }

 private:
  const std::uint32_t* order_;
  long n_envs_;
  std::uint64_t inverse_;
};

// What a network's output V adds to the loss above, error^2 / 2, and that one's derivative by V.
template <class F>
struct ValueResidual {
  F error, slope;
};
template <class F>
GALLOP_HD ValueResidual<F> value_residual(F value, F target) {
  const F error = value - target;
  return {error, error};
}
template <class F>
GALLOP_HD ValueResidual<F> clipped_value_residual(F value, F target, F before, F clip) {
  const F error = value - target, moved = value - before;
  const F limited = before + select(moved > F(0.0f), clip, -clip) - target;
  const Mask<F> beyond = abs(moved) > clip;
  const Mask<F> stands = beyond & (limited * limited > error * error);
  return {select(stands, limited, error), select(stands, F(0.0f), error)};
}

}  // namespace gallop::inline GALLOP_ISA
