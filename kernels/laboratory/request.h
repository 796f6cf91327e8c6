// What the host and the estimators say to each other: a problem with its baselines, a block of
// sampled paths, and the table of estimators that a problem has.
//
// Paths are sampled in blocks. Path i of a run draws its random numbers from the counter (i,
// stream, step), so that what a block holds does not depend on threads or other blocks. In a block,
// paths stand in groups of as many as a register of doubles has lanes; an estimator writes one
// gradient for each path, [D, stride] doubles, and the host adds them up.
#pragma once

#include <cstdint>

namespace gallop {

// Greatest number of parameters of a problem.
inline constexpr int kMaxLaboratoryParameters = 10;
// Paths that a simulation advances together, whatever the width of registers.
inline constexpr int kLaboratoryChunk = 16;

// Streams of random numbers: the word of Philox's counter that other users call the episode.
enum LaboratoryStream : std::uint32_t {
  kPathStream = 0,      // paths under the policy, shared by the estimators
  kPilotStream = 1,     // the independent paths that baselines are fitted on
  kOldPathStream = 2,   // paths under the older policy of importance sampling
  kFirstOwnStream = 16  // rollouts that an estimator makes for itself
};

// A value function or return that counts rewards plainly, or discounted by gamma.
enum Discounting { kPlain = 0, kDiscounted = 1 };

// What every problem has: the point at which the gradient is wanted, the settings of estimators,
// and baselines. D parameters, H steps, Q features of a state.
struct LaboratoryModel {
  int n_parameters = 0, horizon = 0, n_features = 0;
  double theta[kMaxLaboratoryParameters] = {};      // [D]
  double old_theta[kMaxLaboratoryParameters] = {};  // [D] where importance sampling samples
  double gamma = 1, lambda = 1;
  int n_step = 1;
  double difference = 0.1;  // half the distance of the points of a finite difference
  double smoothing = 0.1;   // standard deviation of evolution strategies

  // Exact.
  double expected_return = 0;             // U
  const double* expected_rest = nullptr;  // [H] E[G_t]
  // Fitted on the pilot paths.
  double optimal[kMaxLaboratoryParameters] = {};  // [D] E[Psi_d^2 R] / E[Psi_d^2]
  double optimal_scalar = 0;                      // E[|Psi|^2 R] / E[|Psi|^2]
  const double* linear = nullptr;                 // [Q + 3] weights of features and time
  const double* critic[2] = {nullptr, nullptr};   // [H + 1, Q], by Discounting; row H is 0
};

// Samples paths first_path ... first_path + n_paths - 1 into `record`.
struct PathRequest {
  const LaboratoryModel* model;
  const double* theta;  // [D] of the policy that acts
  std::uint64_t seed;
  std::uint32_t stream, first_path;
  int n_paths;
  float* noise;    // scratch [noise_size(model)]
  double* record;  // [record_size(model) * stride]
};

struct EstimateRequest {
  const LaboratoryModel* model;
  const double* record;      // of paths under theta
  const double* old_record;  // of paths under old_theta; either is null where it is not used
  std::uint64_t seed;
  std::uint32_t first_path, stream;  // stream: the first of an estimator's own
  int n_paths, stride;               // stride: paths rounded up to kLaboratoryChunk
  int parameter;                     // of an estimator that makes rollouts for each parameter
  float* noise;                      // scratch [noise_size(model)]
  double* scratch;                   // [scratch_size(model, stride)]
  double* gradient;                  // [D, stride], or [stride] of one parameter
};

// Sums over pilot paths of what baselines are fitted from; `sums` [PilotLayout::size()] is added
// to.
struct PilotRequest {
  const LaboratoryModel* model;
  const double* record;
  int n_paths, stride;
  double* rest;  // scratch [2, H, stride]: returns from each step on, by Discounting
  double* sums;
};

// Where the doubles of pilot sums lie. A normal matrix of n features is its upper triangle by rows,
// then the right side.
struct PilotLayout {
  int n_parameters, horizon, n_features;
  int squares() const { return 0; }                // [D] Psi_d^2
  int weighted() const { return n_parameters; }    // [D] Psi_d^2 R
  int linear() const { return 2 * n_parameters; }  // features and time
  int critic(Discounting d, int t) const {         // step t
    return linear() + normal_size(n_features + 3) + (d * horizon + t) * normal_size(n_features);
  }
  int size() const { return critic(kDiscounted, horizon); }
  static int normal_size(int n) { return n * (n + 1) / 2 + n; }
};

enum class EstimatorData { kPaths, kOldPaths, kOwnRollouts };
enum class EstimatorBias { kUnbiased, kBiased, kBiasedByDiscount };
// What the mean of the estimates is, where a closed form is known.
enum class EstimatorTarget { kReturn, kDiscountedReturn, kDifference, kSmoothed, kUnknown };

// One estimator of one problem: registering is having a row in that problem's table.
struct EstimatorRow {
  const char* name;
  const char* family;
  const char* formula;  // for people
  EstimatorData data;
  EstimatorBias bias;
  EstimatorTarget target;
  bool uses_pilot;       // its baseline is fitted on pilot paths
  bool only_discounted;  // equal to another one at gamma = 1
  int n_rollouts;        // that one sample takes, for each parameter where they are its own
  void (*estimate)(const EstimateRequest&);
};

struct LaboratoryKernels {
  const EstimatorRow* rows;
  int n_rows;
  int n_features;                                            // Q
  int (*noise_size)(const LaboratoryModel&);                 // floats of scratch
  int (*record_size)(const LaboratoryModel&);                // doubles a path
  long (*scratch_size)(const LaboratoryModel&, int stride);  // doubles
  void (*sample)(const PathRequest&);
  void (*pilot)(const PilotRequest&);
};

}  // namespace gallop
