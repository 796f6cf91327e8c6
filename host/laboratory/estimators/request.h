// What the host and the estimators say to each other: a problem with its baselines, a block of
// sampled paths, and the table of estimators that a problem has.
//
// Paths are sampled in blocks. Path i of a run draws its random numbers from the counter (i,
// stream, step), so that what a block holds does not depend on threads or other blocks. A block is
// recorded in registers (estimators/paths.h); an estimator writes one gradient for each path, [D,
// stride], and the host adds them up in double.
#pragma once

#include <cstdint>

namespace gallop {

// Greatest number of parameters of a problem.
inline constexpr int kMaxLaboratoryParameters = 10;
// Paths of a whole number of registers, whatever their width.
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
  double difference = 0.1;              // half the distance of the points of a finite difference
  double smoothing = 0.1;               // standard deviation of evolution strategies
  const double* environment = nullptr;  // [P] the environment's parameters
  const float* table = nullptr;         // its shared table, where it has one
  double sigma = 0;                     // of a Gaussian policy that has it as no parameter

  // Exact.
  double expected_return = 0;             // U
  const double* expected_rest = nullptr;  // [H] E[G_t]
  // Fitted on the pilot paths.
  double optimal[kMaxLaboratoryParameters] = {};  // [D] E[Psi_d^2 R] / E[Psi_d^2]
  double optimal_scalar = 0;                      // E[|Psi|^2 R] / E[|Psi|^2]
  const double* linear = nullptr;                 // [Q + 3] weights of features and time
  const double* critic[2] = {nullptr, nullptr};   // [H + 1, Q], by Discounting; row H is 0
};

// A block, paths first_path ... first_path + n_paths - 1. Real: float, as training computes, or
// double for exact tests.
template <class Real>
struct LaboratoryRequestOf {
  const LaboratoryModel* model;
  std::uint64_t seed;
  std::uint32_t first_path, stream;  // stream: of an estimator with rollouts of its own, the first
  int n_paths, stride;               // stride: paths rounded up to kLaboratoryChunk
  int parameter;                     // of an estimator that makes rollouts for each parameter
  const double* theta;               // [D] of the policy that acts where paths are sampled
  Real *record, *old_record;         // paths under theta and under old_theta
  double* scratch;                   // [scratch_size(model, stride)]
  Real* gradient;                    // [D, stride], or [stride] of one parameter
  double* sums;                      // [PilotLayout::size()] over pilot paths, which are added
};
using LaboratoryRequest = LaboratoryRequestOf<float>;

// Where the sums over pilot paths lie that baselines are fitted from. A normal matrix of n features
// is its upper triangle by rows, then the right side.
struct PilotLayout {
  int n_parameters, horizon, n_features;
  int squares() const { return 0; }                // [D] Psi_d^2
  int weighted() const { return n_parameters; }    // [D] Psi_d^2 R
  int linear() const { return 2 * n_parameters; }  // features and time
  int critic(Discounting d, int t) const {         // step t
    return linear() + normal_size(n_features + 3) + (d * horizon + t) * normal_size(n_features);
  }
  int size() const { return critic(kDiscounted, horizon); }
  static constexpr int normal_size(int n) { return n * (n + 1) / 2 + n; }
};

// What an estimator works on; pilot: its baseline is fitted on pilot paths.
enum class EstimatorData { kPaths, kPathsAndPilot, kOldPaths, kOwnRollouts };
enum class EstimatorBias { kUnbiased, kBiased, kBiasedByDiscount };
// What the mean of the estimates is, where a closed form is known.
enum class EstimatorTarget {
  kReturn,
  kDiscountedReturn,
  kDifference,
  kSmoothed,         // in the parameter of the derivative
  kJointlySmoothed,  // in all parameters
  kAlongPaths,       // biased where the return jumps
  kUnknown
};

// One estimator of one problem: registering is having a row in that problem's table.
template <class Real>
struct EstimatorRowOf {
  const char* name;
  const char* family;
  const char* formula;  // for people
  void (*estimate)(const LaboratoryRequestOf<Real>&);
  EstimatorData data = EstimatorData::kPaths;
  EstimatorBias bias = EstimatorBias::kUnbiased;
  EstimatorTarget target = EstimatorTarget::kReturn;
  int n_rollouts = 1;            // that one sample takes, for each parameter where they are its own
  bool only_discounted = false;  // equal to another one at gamma = 1
};
using EstimatorRow = EstimatorRowOf<float>;

struct LaboratoryKernels {
  const EstimatorRow* rows;
  int n_rows;
  int n_features;                                            // Q
  long (*record_size)(const LaboratoryModel&);               // floats of kLaboratoryChunk
  long (*scratch_size)(const LaboratoryModel&, int stride);  // doubles
  void (*sample)(const LaboratoryRequest&);
  void (*pilot)(const LaboratoryRequest&);
};

}  // namespace gallop
