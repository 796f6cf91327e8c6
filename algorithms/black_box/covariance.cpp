#include <gallop/algorithms/black_box/covariance.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/algorithms/black_box/linear_algebra.h>
#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>

namespace gallop {
namespace {

constexpr double kLargest = 1e300;

std::vector<double> identity(long n, bool is_diagonal) {
  if (is_diagonal) return std::vector<double>(std::size_t(n), 1.0);
  std::vector<double> matrix(std::size_t(n) * std::size_t(n), 0.0);
  for (long k = 0; k < n; k++) matrix[std::size_t(k * n + k)] = 1;
  return matrix;
}

}  // namespace

Covariance::Covariance(long n, bool is_diagonal)
    : n_(n),
      is_diagonal_(is_diagonal),
      matrix_(identity(n, is_diagonal)),
      vectors_(is_diagonal ? std::vector<double>() : matrix_),
      axis_(std::size_t(n), 1.0) {}

void Covariance::color(std::span<const double> z, std::span<double> y) const {
  const std::size_t n = std::size_t(n_);
  std::vector<double> scaled(is_diagonal_ ? 0 : z.size());
  double* const out = is_diagonal_ ? y.data() : scaled.data();
  for (std::size_t i = 0; i < z.size(); i++) out[i] = axis_[i % n] * z[i];
  if (is_diagonal_) return;
  multiply_members(n_, vectors_.data(), scaled.data(), long(z.size() / n), y.data());
}

std::vector<double> Covariance::whiten(std::span<const double> y) const {
  std::vector<double> out(y.begin(), y.end());
  if (!is_diagonal_) multiply_transposed(n_, vectors_.data(), y.data(), out.data());
  for (std::size_t k = 0; k < out.size(); k++) out[k] /= axis_[k];
  if (is_diagonal_) return out;
  std::vector<double> rotated(out.size());
  multiply_members(n_, vectors_.data(), out.data(), 1, rotated.data());
  return rotated;
}

void Covariance::update(double keep, std::span<const double> weight, std::span<const double> x,
                        bool decomposes, double least_axis) {
  const std::vector<double> before = decomposes || is_diagonal_ ? matrix_ : std::vector<double>();
  if (is_diagonal_) {
    for (std::size_t k = 0; k < matrix_.size(); k++) {
      double sum = keep * matrix_[k];
      for (std::size_t m = 0; m < weight.size(); m++) {
        const double component = x[m * matrix_.size() + k];
        sum += weight[m] * component * component;
      }
      matrix_[k] = sum;
    }
  } else {
    std::vector<double> scaled(weight.size());
    add_outer_products(n_, keep, weight.data(), x.data(), long(weight.size()), scaled.data(),
                       matrix_.data());
  }
  if (!decomposes && !is_diagonal_) return;
  try {
    decompose(least_axis);
  } catch (...) {
    matrix_ = before;
    throw;
  }
}

void Covariance::decompose(double least_axis) {
  std::vector<double> values(axis_.size()), vectors(vectors_.size());
  for (long k = 0; k < n_; k++) {
    if (std::isfinite(variance(k))) continue;
    throw Error(ExitCode::non_finite,
                fmt::format("the variance of component {} is {}; the step is refused and the "
                            "search stays where it was",
                            k, variance(k)));
  }
  bool has_ended = true;
  if (is_diagonal_) {
    values = matrix_;
  } else {
    has_ended = symmetric_eigen(n_, matrix_.data(), values.data(), vectors.data());
  }
  if (has_ended && least_axis > 0) raise(values, vectors, least_axis * least_axis);
  const double least = *std::min_element(values.begin(), values.end());
  if (!has_ended || !(least > 0)) {
    throw value_error(fmt::format(
        "the covariance is no longer positive definite: {}. The step is refused and the search "
        "stays where it was; without weights below 0 (active = false) it loses definiteness later",
        has_ended ? fmt::format("its least eigenvalue is {:g}", least)
                  : "its eigenvalues were not found"));
  }
  for (std::size_t k = 0; k < values.size(); k++) axis_[k] = std::sqrt(values[k]);
  vectors_ = std::move(vectors);
}

// C + sum_k (raised_k - value_k) b_k b_k^T of the eigenvectors whose values are raised.
void Covariance::raise(std::vector<double>& values, const std::vector<double>& vectors,
                       double least) {
  if (is_diagonal_) {
    for (double& value : values) value = std::max(value, least);
    matrix_ = values;
    return;
  }
  std::vector<double> weight(values.size(), 0.0), scaled(values.size());
  for (std::size_t k = 0; k < values.size(); k++) {
    if (values[k] >= least) continue;
    weight[k] = least - values[k];
    values[k] = least;
  }
  if (std::all_of(weight.begin(), weight.end(), [](double w) { return w == 0; })) return;
  add_outer_products(n_, 1, weight.data(), vectors.data(), n_, scaled.data(), matrix_.data());
}

double Covariance::variance(long k) const {
  return matrix_[std::size_t(is_diagonal_ ? k : k * n_ + k)];
}

double Covariance::condition() const {
  const auto [least, greatest] = std::minmax_element(axis_.begin(), axis_.end());
  return (*greatest / *least) * (*greatest / *least);
}

double Covariance::longest_axis() const { return *std::max_element(axis_.begin(), axis_.end()); }

void Covariance::save(TensorFile& file, const std::string& prefix) const {
  file.put<double>(prefix + "/covariance", {matrix_.size()}, matrix_);
  file.put<double>(prefix + "/axes", {axis_.size()}, axis_);
  if (!is_diagonal_) file.put<double>(prefix + "/eigenvectors", {vectors_.size()}, vectors_);
}

void Covariance::load(const TensorFile& file, const std::string& prefix) {
  const double least = is_diagonal_ ? 0 : -kLargest;
  const std::string name = prefix + "/covariance";
  matrix_ = finite_doubles(file, name, matrix_.size(), least, kLargest);
  for (long k = 0; k < n_; k++) {
    if (variance(k) >= 0) continue;
    throw checkpoint_error(
        fmt::format("tensor '{}': the variance of component {} is {}; expected "
                    "one that is not negative",
                    name, k, variance(k)));
  }
  axis_ = finite_doubles(file, prefix + "/axes", axis_.size(), 1e-300, kLargest);
  if (is_diagonal_) return;
  vectors_ = finite_doubles(file, prefix + "/eigenvectors", vectors_.size(), -1.1, 1.1);
}

}  // namespace gallop
