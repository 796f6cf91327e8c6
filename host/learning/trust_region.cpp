#include <gallop/host/learning/trust_region.h>

#include <fmt/format.h>

#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/files/tensor_file.h>

namespace gallop {
namespace {

const char kGradientNorm[] = "the norm of the policy's gradient";
const char kCurvature[] = "the curvature along the natural gradient";

struct PathName {
  FisherPath path;
  const char* name;
};
constexpr PathName kPathNames[] = {{FisherPath::kFaster, "auto"},
                                   {FisherPath::kFused, "fused"},
                                   {FisherPath::kMatrices, "cublas"}};

std::string path_name(FisherPath path) {
  for (const PathName& known : kPathNames) {
    if (known.path == path) return known.name;
  }
  throw internal_error(fmt::format("a way of Fisher products is {}", int(path)));
}

std::optional<FisherPath> path_named(const std::string& name) {
  for (const PathName& known : kPathNames) {
    if (known.name == name) return known.path;
  }
  return std::nullopt;
}

}  // namespace

TrustRegion::TrustRegion(Backend& backend, OnPolicyLearner& learner,
                         const TrustRegionOptions& options)
    : backend_(backend),
      policy_(learner.policy()),
      samples_(learner.all_samples()),
      asked_path_(options.matrix == FisherMatrix::kEmpirical && options.path == FisherPath::kFaster
                      ? FisherPath::kFused
                      : options.path),
      n_(policy_.parameters().size()),
      old_(backend, n_),
      direction_(backend, n_),
      sums_(backend, kDivergenceSums),
      negative_(backend, n_),
      residual_(backend, n_),
      conjugate_(backend, n_),
      product_(backend, n_),
      fisher_(backend, policy_.shape(), options.n_samples > 0 ? options.n_samples : samples_.count,
              policy_.view().fixed != nullptr ? FisherPath::kFused : asked_path_, options.matrix),
      state_(DeviceArray<State>::zeroed(backend, 1)) {
  if (options.n_samples > 0) samples_.count = options.n_samples;
  if (options.bound == KlBound::kGreatest) {
    chunk_kl_ = DeviceArray<float>(backend, chunk_count(samples_.count));
  }
}

void TrustRegion::use(const Samples& samples) {
  if (samples.count != samples_.count) {
    throw internal_error(
        fmt::format("a trust region of {} samples is given {}", samples_.count, samples.count));
  }
  samples_ = samples;
}

void TrustRegion::set_path(FisherPath path) {
  if (asked_path_ != FisherPath::kFaster) {
    throw internal_error("the way of Fisher products was not left open, and is set");
  }
  fisher_.set_path(path);
}

FisherRequest TrustRegion::fisher_request() const {
  FisherRequest r = {};
  r.policy = policy_.view();
  r.policy.parameters = old_.data();
  r.samples = samples_;
  r.weight = 1.0f / float(samples_.count);
  return r;
}

DivergenceRequest TrustRegion::divergence_request() const {
  DivergenceRequest r = {};
  r.candidate = policy_.view();
  r.samples = samples_;
  r.old_units = fisher_.units();
  r.unit_stride = fisher_.unit_stride();
  const NetworkShape& network = policy_.shape().network;
  r.old_log_std = old_.data() + layer_offset(network, network.n_layers);
  r.sums = sums_.data();
  r.chunk_kl = chunk_kl_.data();
  return r;
}

void TrustRegion::find_gradient() {
  backend_.copy({old_.data(), policy_.parameters().data(), n_});
  PolicyGradientRequest r = policy_.gradient_request(samples_);
  r.loss = PolicyLoss::kSurrogate;
  backend_.policy_gradient(r);
  fisher_.prepare(fisher_request());
}

// Not among recorded operations: it waits.
void TrustRegion::settle_path() {
  if (path() != FisherPath::kFaster) return;
  backend_.copy({old_.data(), policy_.parameters().data(), n_});
  FisherRequest r = fisher_request();
  r.vector = old_.data();
  fisher_.prepare(r);
  fisher_.settle(r);
}

ConjugateGradientRequest TrustRegion::solver_request(const SolverOptions& options) const {
  ConjugateGradientRequest r = {};
  r.n = n_;
  r.gradient = policy_.parameters().gradient();
  r.b = negative_.data();
  r.x = direction_.data();
  r.residual = residual_.data();
  r.direction = conjugate_.data();
  r.product = product_.data();
  r.damping = options.damping;
  r.max_iterations = options.iterations;
  r.tolerance = options.tolerance;
  r.state = &state_.data()->solve;
  return r;
}

// All iterations are asked for; those after the last do nothing.
void TrustRegion::find_direction(const SolverOptions& options) {
  const ConjugateGradientRequest solver = solver_request(options);
  FisherRequest fisher = fisher_request();
  fisher.vector = solver.direction;
  fisher.product = solver.product;
  fisher.active = &solver.state->running;
  backend_.conjugate_gradient_begin(solver);
  for (int k = 0; k < options.iterations; k++) {
    fisher_.product(fisher);
    backend_.conjugate_gradient_step(solver);
  }
  fisher.vector = solver.x;
  fisher.active = nullptr;
  fisher_.product(fisher);
  backend_.conjugate_gradient_end(solver);
}

LineSearchRequest TrustRegion::line_search(const SearchOptions& options) {
  LineSearchRequest r = {};
  r.n = n_;
  r.old = old_.data();
  r.direction = direction_.data();
  r.parameters = policy_.parameters().mutable_data();
  r.statistics = policy_.parameters().gradient() + n_;
  r.sums = sums_.data();
  r.solved = &state_.data()->solve;
  r.count = samples_.count;
  r.delta = options.delta;
  r.factor = options.factor;
  r.max_tries = options.tries;
  r.state = &state_.data()->search;
  r.chunk_kl = chunk_kl_.data();
  r.n_chunks = int(chunk_kl_.size());
  return r;
}

void TrustRegion::measure_candidate(const LineSearchRequest& search) {
  DivergenceRequest divergence = divergence_request();
  divergence.active = &search.state->searching;
  backend_.policy_divergence(divergence);
}

TrustRegion::State TrustRegion::download_state() const {
  State state;
  state_.download(&state, 1);
  return state;
}

double TrustRegion::prepare() {
  find_gradient();
  return gradient_norm();
}

double TrustRegion::prepare_at_gradient() {
  backend_.copy({old_.data(), policy_.parameters().data(), n_});
  fisher_.prepare(fisher_request());
  return gradient_norm();
}

double TrustRegion::gradient_norm() {
  backend_.conjugate_gradient_begin(solver_request({}));  // measures the gradient
  const double norm = std::sqrt(download_state().solve.start);
  require_finite(norm, kGradientNorm);
  return norm;
}

double TrustRegion::natural_direction(double damping, int iterations, double tolerance) {
  find_direction({damping, iterations, tolerance});
  last_solve_ = download_state().solve;
  require_finite(last_solve_.curvature, kCurvature);
  return last_solve_.curvature;
}

TrustRegion::Candidate TrustRegion::try_step(double scale) {
  float* parameters = policy_.parameters().mutable_data();
  backend_.copy({parameters, old_.data(), n_});
  backend_.add_scaled({parameters, float(scale), direction_.data(), n_});
  return measure();
}

TrustRegion::Candidate TrustRegion::measure() const {
  backend_.policy_divergence(divergence_request());
  const std::vector<float> sums = sums_.download();
  const double count = double(samples_.count);
  return {double(sums[kSumSurrogate]) / count, double(sums[kSumKl]) / count,
          double(sums[kSumEntropy]) / count};
}

void TrustRegion::restore() {
  backend_.copy({policy_.parameters().mutable_data(), old_.data(), n_});
}

LineSearchState TrustRegion::finish_step() {
  const State state = download_state();
  last_solve_ = state.solve;
  require_finite(state.solve.start, kGradientNorm);
  require_finite(state.solve.curvature, kCurvature);
  return state.search;
}

TrustRegionAlgorithm::TrustRegionAlgorithm(const AlgorithmContext& context,
                                           const TrustRegionOptions& options)
    : OnPolicyAlgorithm(context),
      region_(context.backend, learner_,
              {asked_path(context.options), options.matrix, options.bound, options.n_samples}),
      value_fit_(context, learner_) {}

FisherPath TrustRegionAlgorithm::asked_path(const Options& options) {
  if (!options.has("fisher")) return FisherPath::kFused;
  const FisherPath asked = path_named(options.text("fisher")).value();
  if (options.text("mode") == "fast" && options.text("policy") == "own" &&
      asked == FisherPath::kMatrices) {
    throw value_error(
        "fisher is cublas, which knows nothing of fixed weights, and policy is own; expected auto "
        "or "
        "fused");
  }
  if (options.text("mode") == "fast") return asked;
  if (asked == FisherPath::kMatrices) {
    throw value_error("fisher is cublas, whose bits mode = strict excludes; use --mode fast");
  }
  return FisherPath::kFused;
}

Metrics TrustRegionAlgorithm::iterate() {
  const UpdateGuard guard(learner_);
  learner_.collect();
  learner_.estimate_advantages();
  Metrics metrics = learner_.rollout().episode_metrics();
  step_policy(metrics);
  metrics.emplace_back("value_loss", value_fit_.run());
  learner_.update_normalizer();
  return metrics;
}

SolverOptions TrustRegionAlgorithm::solver_options() const {
  const Options& options = context_.options;
  return {options.real("damping"), int(options.integer("cg_iterations")),
          options.real("cg_tolerance")};
}

void TrustRegionAlgorithm::report_step(const TrustRegion::Candidate& after, double gradient_norm,
                                       Metrics& metrics) {
  if (!std::isfinite(after.kl)) region_.restore();
  require_finite(after.kl, "the KL divergence of the step");
  metrics.emplace_back("policy_loss", after.surrogate);
  metrics.emplace_back("kl", after.kl);
  metrics.emplace_back("entropy", after.entropy);
  metrics.emplace_back("gradient_norm", gradient_norm);
}

double TrustRegionAlgorithm::natural_direction() {
  const SolverOptions options = solver_options();
  return region_.natural_direction(options.damping, options.iterations, options.tolerance);
}

void TrustRegionAlgorithm::save(TensorFile& file) const {
  OnPolicyAlgorithm::save(file);
  value_fit_.save(file);
  region_.save_path(file);
}

void TrustRegionAlgorithm::load_state(const TensorFile& file) {
  OnPolicyAlgorithm::load_state(file);
  value_fit_.load(file);
  region_.load_path(file);
}

void TrustRegion::save_path(TensorFile& file) const {
  if (leaves_path_open()) file.set_text("fisher", path_name(path()));
}

void TrustRegion::load_path(const TensorFile& file) {
  if (!leaves_path_open()) return;
  const std::optional<FisherPath> path = path_named(file.text("fisher"));
  if (!path) {
    throw checkpoint_error(
        fmt::format("the checkpoint's way of Fisher products is '{}'; expected "
                    "auto, fused or cublas",
                    file.text("fisher").substr(0, 40)));
  }
  set_path(*path);
}

}  // namespace gallop
