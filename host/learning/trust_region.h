#pragma once

#include "host/learning/conjugate_gradient.h"
#include "host/learning/on_policy.h"
#include "host/learning/value_fit.h"

namespace gallop {

// Options of the solution for the natural gradient; rows for an algorithm's table.
#define GALLOP_SOLVER_OPTIONS                                                               \
  {"damping", OptionType::real, "0.1", 0,                                                   \
   1e6,       nullptr,          "",    "zeta, added to the diagonal of the Fisher matrix"}, \
      {"cg_iterations",                                                                     \
       OptionType::integer,                                                                 \
       "10",                                                                                \
       1,                                                                                   \
       10000,                                                                               \
       nullptr,                                                                             \
       "",                                                                                  \
       "at most, of the conjugate gradient"},                                               \
      {"cg_tolerance",                                                                      \
       OptionType::real,                                                                    \
       "1e-10",                                                                             \
       0,                                                                                   \
       1,                                                                                   \
       nullptr,                                                                             \
       "",                                                                                  \
       "the conjugate gradient stops at this part of |g|^2"},                               \
  {                                                                                         \
    "fisher", OptionType::choice, "auto", -kUnbounded, kUnbounded, "auto,fused,cublas", "", \
        "products with the Fisher matrix on CUDA in mode fast: by the fused kernel, by "    \
        "cuBLAS, or by the one that is found faster; in mode strict by the kernel"          \
  }

struct SolverOptions {
  double damping;
  int iterations;    // at most
  double tolerance;  // of |residual|^2, as a part of |gradient|^2
};

struct SearchOptions {
  double delta;   // greatest mean KL(old || new)
  double factor;  // from one step to the next
  int tries;      // at most
};

// The steps of methods that measure distance between policies by KL divergence. One object serves
// one learner; a step is: prepare at the policy that acted, find the natural direction, try
// candidates.
class TrustRegion {
 public:
  TrustRegion(Backend& backend, OnPolicyLearner& learner, FisherPath path = FisherPath::kFused);

  // The way that products with the Fisher matrix go: kFaster where the backend is still to decide.
  FisherPath path() const;
  // They go that way from now on; only where the constructor was given kFaster.
  void set_path(FisherPath path);

  // Remembers the policy that acted at all samples of the last rollout, and the gradient of the
  // surrogate loss there. Returns the gradient's norm; throws an Error (non_finite) where it is not
  // finite.
  double prepare();

  // direction = (F + damping I)^-1 (-gradient) by conjugate gradient. Returns direction^T (F +
  // damping I) direction, 0 where the gradient vanishes.
  double natural_direction(double damping, int iterations, double tolerance);
  // -gradient^T direction: what the surrogate gains a unit of the step, to first order.
  double slope() const { return last_solve_.slope; }
  const ConjugateGradientState& last_solve() const { return last_solve_; }

  // Sets the policy to old + scale * direction and returns mean surrogate loss, KL(old || new),
  // entropy.
  struct Candidate {
    double surrogate, kl, entropy;
  };
  Candidate try_step(double scale);
  // The same of the policy as it is.
  Candidate measure() const;
  // The policy's parameters become those that acted, bit for bit.
  void restore();

  // All of it in one go that waits only for its result, and that a device may record: the gradient,
  // the direction, and the first of the steps beta, beta factor, beta factor^2 ... that improves
  // the surrogate with a mean KL of at most delta. Where none does, or something is not finite, the
  // parameters stay as they were, bit for bit; throws an Error (non_finite) where the gradient or
  // the curvature is not.
  LineSearchState constrained_step(const SolverOptions& solver, const SearchOptions& search);

 private:
  // Scalars in the memory of the device.
  struct State {
    ConjugateGradientState solve;
    LineSearchState search;
  };

  FisherRequest fisher_request() const;
  DivergenceRequest divergence_request() const;
  void find_gradient();
  void find_direction(const SolverOptions& options);
  void search_line(const SearchOptions& options);
  State download_state() const;
  std::string recording_key(const SolverOptions& solver, const SearchOptions& search) const;

  Backend& backend_;
  OnPolicyLearner& learner_;
  const FisherPath asked_path_;
  FisherPath path_;
  long n_;
  ConjugateGradient solver_;
  ConjugateGradientState last_solve_ = {};
  DeviceArray<float> old_, direction_, units_, sums_;
  DeviceArray<State> state_;
  std::unique_ptr<Recording> recording_;
};

// What algorithms that step along the natural gradient share: the order of an iteration, the value
// network that is refitted after the policy's step, and their state, of which the way of Fisher
// products is part where mode fast left it open: a resumed run goes on with the same bits.
class TrustRegionAlgorithm : public OnPolicyAlgorithm {
 public:
  explicit TrustRegionAlgorithm(const AlgorithmContext& context);

  Metrics iterate() override;
  void save(TensorFile& file) const override;
  void load(const TensorFile& file) override;

 protected:
  // Moves the policy and reports how.
  virtual void step_policy(Metrics& metrics) = 0;
  // The options damping, cg_iterations and cg_tolerance, and TrustRegion::natural_direction with
  // them.
  SolverOptions solver_options() const;
  double natural_direction();

  TrustRegion region_;

 private:
  // Of the options; throws a value error where they exclude each other.
  static FisherPath asked_path(const Options& options);

  ValueFit value_fit_;
};

}  // namespace gallop
