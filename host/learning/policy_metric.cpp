#include <gallop/host/learning/policy_metric.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/learning/black_box.h>
#include <gallop/host/learning/rollout_buffer.h>
#include <gallop/host/runtime/fisher_products.h>

namespace gallop {
namespace {

constexpr int kInstances = 32, kSteps = 64;
constexpr int kIterations = 20;
constexpr double kTolerance = 1e-10;  // of |residual|^2, as a part of |gradient|^2
// Behind the ids of members and before those of evaluations (kEvaluationIds).
constexpr std::uint32_t kMetricIds = std::uint32_t(1) << 30;
constexpr std::uint64_t kGenerations = std::uint64_t(1) << 24;

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); k++) sum += a[k] * b[k];
  return sum;
}

// F v as floats have it, of a v of any length.
std::vector<double> product(FisherProducts& fisher, FisherRequest request,
                            DeviceArray<float>& vector, const DeviceArray<float>& result,
                            const std::vector<double>& v) {
  const double unit = std::sqrt(dot(v, v));
  std::vector<float> scaled;
  for (const double x : v) scaled.push_back(float(x / unit));
  vector.upload(scaled);
  request.vector = vector.data();
  request.product = result.data();
  fisher.product(request);
  const std::vector<float> found = result.download();
  std::vector<double> all(found.begin(), found.end());
  for (double& x : all) x *= unit;
  return all;
}

}  // namespace

PolicyMetric::PolicyMetric(const AlgorithmContext& context, const PolicyShape& shape,
                           double damping)
    : context_(context), damping_(damping) {
  context_.checkpoint = nullptr;
  if (shape.head != Head::kDeterministic) return;
  throw value_error(
      "natural is true, but a policy without noise has no density, and so no metric; expected "
      "action_noise above 0");
}

std::vector<double> PolicyMetric::solve(const PolicyView& policy, std::uint64_t generation,
                                        std::span<const double> gradient) const {
  EnvironmentOptions options;
  options.n_envs = kInstances;
  options.seed = context_.seed;
  options.id_offset = kMetricIds + std::uint32_t(generation % kGenerations) * kInstances;
  Environments environments(context_.backend, context_.environment, options);
  context_.configure(environments);
  environments.reset();
  RolloutBuffer rollout(context_.backend, environments, kSteps, false);
  rollout.collect(environments, policy);

  FisherRequest request = {};
  request.policy = policy;
  const Trajectory& t = rollout.trajectory();
  request.samples = {t.n_envs,
                     environments.observation_rows(),
                     environments.action_rows(),
                     t.observation,
                     t.action,
                     t.log_prob,
                     nullptr,
                     nullptr,
                     nullptr,
                     rollout.n_samples()};
  request.weight = 1.0f / float(rollout.n_samples());
  FisherProducts fisher(context_.backend, policy.shape, rollout.n_samples(), FisherPath::kFused);
  fisher.prepare(request);

  DeviceArray<float> vector(context_.backend, gradient.size());
  const DeviceArray<float> result(context_.backend, gradient.size());
  std::vector<double> x(gradient.size(), 0.0), residual(gradient.begin(), gradient.end());
  std::vector<double> direction = residual;
  double squares = dot(residual, residual);
  const double enough = kTolerance * squares;
  for (int i = 0; i < kIterations && squares > enough; i++) {
    const std::vector<double> f = product(fisher, request, vector, result, direction);
    const double curvature = dot(direction, f) + damping_ * dot(direction, direction);
    const double step = squares / curvature;
    for (std::size_t k = 0; k < x.size(); k++) {
      x[k] += step * direction[k];
      residual[k] -= step * (f[k] + damping_ * direction[k]);
    }
    const double before = squares;
    squares = dot(residual, residual);
    for (std::size_t k = 0; k < x.size(); k++) {
      direction[k] = residual[k] + squares / before * direction[k];
    }
  }
  require_finite(std::span<const double>(x), "the natural gradient");
  return x;
}

}  // namespace gallop
