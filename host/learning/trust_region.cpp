#include "host/learning/trust_region.h"

#include <fmt/format.h>

#include <cmath>

#include "host/checkpoint/tensor_file.h"
#include "host/error.h"
#include "kernels/gradients/fisher.h"

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

TrustRegion::TrustRegion(Backend& backend, OnPolicyLearner& learner, FisherPath path)
    : backend_(backend),
      learner_(learner),
      asked_path_(path),
      path_(path),
      n_(learner.policy_parameters().size()),
      solver_(backend, n_),
      old_(backend, n_),
      direction_(backend, n_),
      units_(backend, backend.fisher_units(learner.policy_shape(), learner.n_samples(), path)),
      sums_(backend, kDivergenceSums),
      state_(DeviceArray<State>::zeroed(backend, 1)) {}

FisherPath TrustRegion::path() const {
  if (path_ != FisherPath::kFaster) return path_;
  const std::optional<FisherChoice> choice = backend_.fisher_choice(fisher_request());
  return choice ? choice->path : path_;
}

void TrustRegion::set_path(FisherPath path) {
  if (asked_path_ != FisherPath::kFaster) {
    throw internal_error("the way of Fisher products was not left open, and is set");
  }
  path_ = path;
}

FisherRequest TrustRegion::fisher_request() const {
  FisherRequest r = {};
  r.policy = learner_.policy();
  r.policy.parameters = old_.data();
  r.samples = learner_.samples(nullptr, learner_.n_samples());
  r.weight = 1.0f / float(learner_.n_samples());
  r.units = units_.data();
  r.path = path_;
  return r;
}

DivergenceRequest TrustRegion::divergence_request() const {
  DivergenceRequest r = {};
  r.candidate = learner_.policy();
  r.samples = learner_.samples(nullptr, learner_.n_samples());
  r.old_units = units_.data();
  const NetworkShape& network = learner_.policy_shape().network;
  r.old_log_std = old_.data() + layer_offset(network, network.n_layers);
  return r;
}

void TrustRegion::find_gradient() {
  backend_.copy(old_.data(), learner_.policy_parameters().data(), n_);
  PolicyGradientRequest r =
      learner_.policy_request(learner_.samples(nullptr, learner_.n_samples()));
  r.loss = PolicyLoss::kSurrogate;
  backend_.policy_gradient(r, learner_.policy_parameters().gradient());
  backend_.fisher_prepare(fisher_request(), units_.data());
}

void TrustRegion::find_direction(const SolverOptions& options) {
  FisherRequest r = fisher_request();
  const auto multiply = [&](const float* vector, float* product, const std::int32_t* active) {
    r.vector = vector;
    r.active = active;
    backend_.fisher_product(r, product);
  };
  solver_.solve(multiply, learner_.policy_parameters().gradient(), direction_.data(),
                options.damping, options.iterations, options.tolerance, &state_.data()->solve);
}

void TrustRegion::search_line(const SearchOptions& options) {
  LineSearchRequest r = {};
  r.n = n_;
  r.old = old_.data();
  r.direction = direction_.data();
  r.parameters = learner_.policy_parameters().mutable_data();
  r.statistics = learner_.policy_parameters().gradient() + n_;
  r.sums = sums_.data();
  r.solved = &state_.data()->solve;
  r.count = learner_.n_samples();
  r.delta = options.delta;
  r.factor = options.factor;
  r.max_tries = options.tries;
  r.state = &state_.data()->search;
  DivergenceRequest divergence = divergence_request();
  divergence.active = &r.state->searching;
  backend_.line_search_begin(r);
  for (int k = 0; k < options.tries; k++) {
    backend_.policy_divergence(divergence, sums_.data());
    backend_.line_search_step(r);
  }
}

TrustRegion::State TrustRegion::download_state() const {
  State state;
  state_.download(&state, 1);
  return state;
}

double TrustRegion::prepare() {
  find_gradient();
  solver_.measure(learner_.policy_parameters().gradient(), direction_.data(),
                  &state_.data()->solve);
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
  float* parameters = learner_.policy_parameters().mutable_data();
  backend_.copy(parameters, old_.data(), n_);
  backend_.add_scaled(parameters, float(scale), direction_.data(), n_);
  return measure();
}

TrustRegion::Candidate TrustRegion::measure() const {
  backend_.policy_divergence(divergence_request(), sums_.data());
  const std::vector<float> sums = sums_.download();
  const double count = double(learner_.n_samples());
  return {double(sums[kSumSurrogate]) / count, double(sums[kSumKl]) / count,
          double(sums[kSumEntropy]) / count};
}

void TrustRegion::restore() {
  backend_.copy(learner_.policy_parameters().mutable_data(), old_.data(), n_);
}

LineSearchState TrustRegion::constrained_step(const SolverOptions& solver,
                                              const SearchOptions& search) {
  backend_.run(
      recording_key(solver, search),
      [&] {
        find_gradient();
        find_direction(solver);
        search_line(search);
      },
      recording_);
  const State state = download_state();
  last_solve_ = state.solve;
  require_finite(state.solve.start, kGradientNorm);
  require_finite(state.solve.curvature, kCurvature);
  return state.search;
}

// All else that the requests hold is this object's own and stays where it is.
std::string TrustRegion::recording_key(const SolverOptions& solver,
                                       const SearchOptions& search) const {
  const PolicyView policy = learner_.policy();
  const Samples samples = learner_.samples(nullptr, learner_.n_samples());
  const void* const pointers[] = {policy.parameters,
                                  policy.normalization.mean,
                                  policy.normalization.inverse_std,
                                  samples.observation,
                                  samples.action,
                                  samples.log_prob,
                                  samples.advantage};
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {} {}", fmt::join(pointers, " "), samples.count,
                     samples.n_envs, policy.normalization.limit, solver.damping, solver.iterations,
                     solver.tolerance, search.delta, search.factor, search.tries, n_, int(path_));
}

TrustRegionAlgorithm::TrustRegionAlgorithm(const AlgorithmContext& context)
    : OnPolicyAlgorithm(context),
      region_(context.backend, learner_, asked_path(context.options)),
      value_fit_(context, learner_) {}

FisherPath TrustRegionAlgorithm::asked_path(const Options& options) {
  if (!options.has("fisher")) return FisherPath::kFused;
  const FisherPath asked = path_named(options.text("fisher")).value();
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
  Metrics metrics = learner_.episode_metrics();
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

double TrustRegionAlgorithm::natural_direction() {
  const SolverOptions options = solver_options();
  return region_.natural_direction(options.damping, options.iterations, options.tolerance);
}

void TrustRegionAlgorithm::save(TensorFile& file) const {
  OnPolicyAlgorithm::save(file);
  value_fit_.save(file);
  if (asked_path(context_.options) == FisherPath::kFaster) {
    file.set_text("fisher", path_name(region_.path()));
  }
}

void TrustRegionAlgorithm::load(const TensorFile& file) {
  OnPolicyAlgorithm::load(file);
  value_fit_.load(file);
  if (asked_path(context_.options) != FisherPath::kFaster) return;
  const std::optional<FisherPath> path = path_named(file.text("fisher"));
  if (!path) {
    throw checkpoint_error(
        fmt::format("the checkpoint's way of Fisher products is '{}'; expected "
                    "auto, fused or cublas",
                    file.text("fisher").substr(0, 40)));
  }
  region_.set_path(*path);
}

}  // namespace gallop
