// The covariance of CMA-ES with the factors that its samples need: a full matrix C = B D^2 B^T,
// decomposed now and then, or a diagonal one.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <gallop/host/files/tensor_file.h>

namespace gallop {

class Covariance {
 public:
  // The identity.
  Covariance(long n, bool is_diagonal);

  // y = B D z for each member. z, y [members, n]
  void color(std::span<const double> z, std::span<double> y) const;
  // B D^-1 B^T y, by the factors of the last decomposition. [n]
  std::vector<double> whiten(std::span<const double> y) const;

  // C = keep C + sum_m weight[m] x[m] x[m]^T, and where `decomposes`, factors of that. weight
  // [members], x [members, n]. Throws an Error (value) where C is no longer positive definite,
  // non_finite where it is not finite; then all is as it was.
  // Eigenvalues below least_axis^2 are raised to that before they are looked at.
  void update(double keep, std::span<const double> weight, std::span<const double> x,
              bool decomposes, double least_axis = 0);

  bool is_diagonal() const { return is_diagonal_; }
  double variance(long k) const;  // C[k, k]
  // Of the last decomposition: greatest over least eigenvalue, and the root of the greatest.
  double condition() const;
  double longest_axis() const;
  std::vector<double> axes() const { return axis_; }  // D [n]

  void save(TensorFile& file, const std::string& prefix) const;
  void load(const TensorFile& file, const std::string& prefix);

 private:
  void decompose(double least_axis);
  void raise(std::vector<double>& values, const std::vector<double>& vectors, double least);

  long n_;
  bool is_diagonal_;
  std::vector<double> matrix_;   // C [n, n] by columns, its lower triangle; diagonal: [n]
  std::vector<double> vectors_;  // B [n, n] by columns; none where diagonal
  std::vector<double> axis_;     // D [n]
};

}  // namespace gallop
