#include <gallop/host/learning/observation_normalizer.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>

namespace gallop {
namespace {

constexpr double kMostObservations = double(std::uint64_t(1) << 53);

}  // namespace

ObservationNormalizer::ObservationNormalizer(Backend& backend, int n_components, bool enabled)
    : backend_(&backend),
      enabled_(enabled),
      mean_(n_components, 0.0),
      sum_of_squares_(n_components, 0.0),
      device_mean_(backend, n_components),
      device_inverse_std_(backend, n_components) {
  upload();
}

void ObservationNormalizer::update(const float* observation, int n_steps, int n_envs) {
  if (!enabled_) return;
  const long rows = long(mean_.size());
  const std::vector<Moments> moments =
      grouped_moments(*backend_, observation, int(rows), n_envs, n_steps, n_envs, rows * n_envs);
  for (long o = 0; o < rows; o++) {
    const Moments& batch = moments[o];
    merge(std::size_t(o), double(batch.count), batch.mean, batch.sum_of_squares);
  }
  count_ += double(n_steps) * n_envs;
  upload();
}

void ObservationNormalizer::update(const ObservationSums& sums) {
  if (!enabled_ || sums.count == 0) return;
  for (std::size_t o = 0; o < mean_.size(); o++) {
    // The policy, and so the sums, had the mean in single precision.
    const double shift = sums.deviation[o] / sums.count;
    const double squares = std::max(0.0, sums.squares[o] - shift * sums.deviation[o]);
    merge(o, sums.count, double(float(mean_[o])) + shift, squares);
  }
  count_ += sums.count;
  upload();
}

// Takes in a batch of one component, before count_ does.
void ObservationNormalizer::merge(std::size_t component, double count, double mean,
                                  double sum_of_squares) {
  const double total = count_ + count, shift = mean - mean_[component];
  mean_[component] += shift * (count / total);
  sum_of_squares_[component] += sum_of_squares + shift * shift * (count_ * count / total);
}

Normalization ObservationNormalizer::view() const {
  if (!enabled_) return {nullptr, nullptr, 0.0f};
  return {device_mean_.data(), device_inverse_std_.data(), kLimit};
}

void ObservationNormalizer::upload() {
  std::vector<float> mean, inverse_std;
  for (std::size_t o = 0; o < mean_.size(); o++) {
    const double variance = count_ > 0 ? sum_of_squares_[o] / count_ : 1.0;
    mean.push_back(float(mean_[o]));
    inverse_std.push_back(float(1.0 / std::sqrt(variance + 1e-8)));
  }
  device_mean_.upload(mean);
  device_inverse_std_.upload(inverse_std);
}

void ObservationNormalizer::save(TensorFile& file, const std::string& prefix) const {
  file.put<double>(prefix + "/mean", {mean_.size()}, mean_);
  file.put<double>(prefix + "/sum_of_squares", {mean_.size()}, sum_of_squares_);
  file.put_scalar<double>(prefix + "/count", count_);
  if (first_count_ > 0) file.put_scalar<double>(prefix + "/first_count", first_count_);
}

void ObservationNormalizer::begin_with(const TensorFile& file, const std::string& prefix) {
  const double count = finite_number(file, prefix + "/count", 0, kMostObservations);
  if (!enabled_) {
    if (count == 0) return;
    throw value_error(
        "the policy that the run begins with normalises its observations, this one's does not; "
        "expected normalize_observations=true");
  }
  load_statistics(file, prefix, kMostObservations);
  first_count_ = count_;
}

void ObservationNormalizer::load(const TensorFile& file, const std::string& prefix,
                                 std::uint64_t most) {
  const std::string first = prefix + "/first_count";
  const double began = file.has(first) ? finite_number(file, first, 0, kMostObservations) : 0;
  load_statistics(file, prefix, enabled_ ? double(most) + began : 0);
  first_count_ = began;
}

void ObservationNormalizer::load_statistics(const TensorFile& file, const std::string& prefix,
                                            double most) {
  // Means go to the device in single precision.
  constexpr double kGreatest = std::numeric_limits<float>::max();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::size_t n = mean_.size();
  mean_ = finite_doubles(file, prefix + "/mean", n, -kGreatest, kGreatest);
  sum_of_squares_ = finite_doubles(file, prefix + "/sum_of_squares", n, 0, kInfinity);
  count_ = finite_number(file, prefix + "/count", 0, most);
  if (count_ != std::floor(count_)) {
    throw checkpoint_error(
        fmt::format("tensor '{}/count' is {}; expected a whole number", prefix, count_));
  }
  upload();
}

}  // namespace gallop
