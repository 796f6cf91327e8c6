#pragma once

#include <gallop/host/learning/on_policy.h>
#include <gallop/host/learning/value_fit.h>
#include <gallop/host/runtime/fisher_products.h>

namespace gallop {

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

// Over which of the samples' divergences a step is bounded.
enum class KlBound { kMean, kGreatest };

struct TrustRegionOptions {
  FisherPath path = FisherPath::kFused;
  FisherMatrix matrix = FisherMatrix::kAnalytic;
  KlBound bound = KlBound::kMean;
  long n_samples = 0;  // of the samples that are given later (`use`); 0: those of the rollout
};

// The steps of methods that measure distance between policies by KL divergence. One object serves
// one policy and one set of samples; a step is: prepare at the policy that acted, find the natural
// direction, try candidates.
class TrustRegion {
 public:
  // Of the learner's policy at all samples of its rollout, or at others.
  TrustRegion(Backend& backend, OnPolicyLearner& learner, const TrustRegionOptions& options = {});
  // Samples in place of those of the rollout, as many as the constructor was told; their arrays
  // outlive this, and are filled in before every step.
  void use(const Samples& samples);

  // The way that products with the Fisher matrix go: kFaster where that is still open.
  FisherPath path() const { return fisher_.path(); }
  // Whether the constructor was given kFaster.
  bool leaves_path_open() const { return asked_path_ == FisherPath::kFaster; }
  // They go that way from now on; only where the constructor was given kFaster.
  void set_path(FisherPath path);
  // That way as part of a checkpoint, where the constructor was given kFaster. Loading throws a
  // checkpoint error for one that is none.
  void save_path(TensorFile& file) const;
  void load_path(const TensorFile& file);

  // Remembers the policy that acted at all samples, and the gradient of the
  // surrogate loss there. Returns the gradient's norm; throws an Error (non_finite) where it is not
  // finite.
  double prepare();
  // The same at the gradient that stands behind the policy's parameters, of whatever loss it is.
  double prepare_at_gradient();

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

  // The parts of a step that waits only for its end (algorithms/trpo.cpp). Those of `step`, between
  // settle_path and finish, do not wait; a device records them and repeats them as one.
  void run_step(const std::function<void()>& step) { backend_.run(step, recording_); }
  // Decides over kFaster. Waits where it was open.
  void settle_path();
  // Remembers the policy that acted, and finds the surrogate's gradient and what products with the
  // Fisher matrix read.
  void find_gradient();
  // The natural direction, by conjugate gradient on products with the Fisher matrix.
  void find_direction(const SolverOptions& options);
  // What asks for a line search from beta direction on, over measurements of the candidate.
  LineSearchRequest line_search(const SearchOptions& options);
  // Sums of the surrogate and of KL(old || new) for the policy as it is, unless the search has
  // ended.
  void measure_candidate(const LineSearchRequest& search);
  // How the search ended. Throws an Error (non_finite) where the gradient or the curvature is not
  // finite; the search has then left the policy as it was.
  LineSearchState finish_step();

 private:
  // Scalars in the memory of the device.
  struct State {
    ConjugateGradientState solve;
    LineSearchState search;
  };

  FisherRequest fisher_request() const;
  DivergenceRequest divergence_request() const;
  ConjugateGradientRequest solver_request(const SolverOptions& options) const;
  State download_state() const;
  double gradient_norm();

  Backend& backend_;
  PolicyModel& policy_;
  Samples samples_;
  const FisherPath asked_path_;
  long n_;
  ConjugateGradientState last_solve_ = {};
  DeviceArray<float> old_, direction_, sums_;
  DeviceArray<float> chunk_kl_;  // [chunks] where the greatest divergence is bounded
  // Of the conjugate gradient [n]: b = -gradient, residual, search direction, and its product.
  DeviceArray<float> negative_, residual_, conjugate_, product_;
  FisherProducts fisher_;
  DeviceArray<State> state_;
  std::unique_ptr<Recording> recording_;
};

// What algorithms that step along the natural gradient share: the order of an iteration, the value
// network that is refitted after the policy's step, and their state, of which the way of Fisher
// products is part where mode fast left it open: a resumed run goes on with the same bits.
class TrustRegionAlgorithm : public OnPolicyAlgorithm {
 public:
  // Whose region takes the way of Fisher products by the options, the rest as given.
  explicit TrustRegionAlgorithm(const AlgorithmContext& context,
                                const TrustRegionOptions& options = {});
  // The way of Fisher products by the options; throws a value error where they exclude each other.
  static FisherPath asked_path(const Options& options);

  Metrics iterate() override;
  void save(TensorFile& file) const override;

 protected:
  void load_state(const TensorFile& file) override;
  // Moves the policy and reports how.
  virtual void step_policy(Metrics& metrics) = 0;
  // The options damping, cg_iterations and cg_tolerance, and TrustRegion::natural_direction with
  // them.
  SolverOptions solver_options() const;
  // After a step: adds policy_loss, kl, entropy and gradient_norm to the metrics. Where the KL
  // divergence is not finite the policy is what it was before, and that is an Error (non_finite).
  void report_step(const TrustRegion::Candidate& after, double gradient_norm, Metrics& metrics);
  double natural_direction();

  TrustRegion region_;

 private:
  ValueFit value_fit_;
};

}  // namespace gallop
