#include <gallop/host/learning/linear_baseline.h>

#include <fmt/format.h>

#include <Eigen/Cholesky>

#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>

namespace gallop {
namespace {

constexpr double kRidge = 1e-5;
constexpr int kTries = 6;

}  // namespace

LinearBaseline::LinearBaseline(const AlgorithmContext& context, OnPolicyLearner& learner)
    : backend_(context.backend),
      learner_(learner),
      proximal_(context.options.real("value_proximal")),
      n_features_(feature_count(learner.environments().observation_size(),
                                learner.environments().has_index_observations())),
      host_weight_(n_features_, 0.0f),
      weight_(DeviceArray<float>::zeroed(backend_, n_features_)),
      feature_(backend_,
               std::size_t(learner.n_samples() + context.options.integer("n_envs")) * n_features_),
      product_(backend_, gram_count(n_features_)) {
  learner.track_ages();
}

void LinearBaseline::evaluate_at(const float* observation, int interval, float added_age,
                                 long count, float* value) {
  const RolloutArrays& a = learner_.arrays();
  FeaturesRequest r = {};
  r.observation_size = learner_.environments().observation_size();
  r.index = learner_.environments().has_index_observations() ? 1 : 0;
  r.n_envs = a.n_envs;
  r.count = count;
  r.normalization = learner_.policy().view().normalization;
  r.observation = observation;
  r.interval = interval;
  r.age = a.age;
  r.added_age = added_age;
  r.feature = feature_.data();
  backend_.features(r);
  if (value == nullptr) return;
  backend_.linear_values({n_features_, count, feature_.data(), weight_.data(), value});
}

void LinearBaseline::evaluate() {
  const RolloutArrays& a = learner_.arrays();
  const long n = learner_.n_samples();
  evaluate_at(a.final_observation, a.final_interval, 1.0f, n, a.final_value);
  evaluate_at(a.observation, 1, 0.0f, n + a.n_envs, a.value);
}

double LinearBaseline::fit() {
  const long n = learner_.n_samples(), k = n_features_;
  evaluate_at(learner_.arrays().observation, 1, 0.0f, n, nullptr);
  const float* target = learner_.arrays().target;
  backend_.gram({n_features_, n, feature_.data(), target, product_.data()});
  const std::vector<double> product = product_.download();
  Eigen::MatrixXd gram(k, k);
  Eigen::VectorXd right(k), last(k);
  long p = 0;
  for (long i = 0; i < k; i++) {
    for (long j = 0; j <= i; j++) gram(i, j) = gram(j, i) = product[p++];
  }
  for (long i = 0; i < k; i++) {
    right[i] = product[p++];
    last[i] = host_weight_[i];
  }
  require_finite(gram.sum() + right.sum(), "the sum of the linear baseline's normal equations");
  double lambda = proximal_ > 0 ? proximal_ : kRidge;
  for (int tried = 0; tried < kTries; tried++, lambda *= 10) {
    const Eigen::MatrixXd matrix = gram + lambda * Eigen::MatrixXd::Identity(k, k);
    const Eigen::LLT<Eigen::MatrixXd> factors(matrix);
    if (factors.info() != Eigen::Success) continue;
    const Eigen::VectorXd w = factors.solve(proximal_ > 0 ? right + lambda * last : right);
    if (!w.allFinite()) continue;
    for (long i = 0; i < k; i++) host_weight_[i] = float(w[i]);
    weight_.upload(host_weight_);
    const Moments m = moments(backend_, target, 1, n, n);
    const double squares = m.sum_of_squares + m.mean * m.mean * double(n);
    return (squares - 2 * w.dot(right) + w.dot(gram * w)) / double(n) / 2;
  }
  throw Error(ExitCode::non_finite,
              fmt::format("the normal equations of the linear baseline ({} features, {} samples) "
                          "could not be factorised with a ridge of up to {}; the step is refused",
                          k, n, lambda / 10));
}

void LinearBaseline::save(TensorFile& file) const {
  file.put<float>("baseline/weights", {std::uint64_t(n_features_)}, host_weight_);
}

void LinearBaseline::load(const TensorFile& file) {
  host_weight_ = finite_floats(file, "baseline/weights", std::size_t(n_features_));
  weight_.upload(host_weight_);
}

}  // namespace gallop
