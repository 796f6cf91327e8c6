// Eigen under a name of its own: this unit has flags of its own, and shares no inline function with
// others. Without the processor's sizes of caches, which decide the order of Eigen's sums.
#define Eigen GallopBlackBoxEigen
#define EIGEN_NO_CPUID
#define EIGEN_NO_DEBUG
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include <gallop/algorithms/black_box/linear_algebra.h>

namespace gallop {
namespace {

constexpr long kRows = 8, kMembers = 4;  // of a tile: eight registers of four doubles

double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }

// Rows [i, i + rows) of `count` members.
template <bool kWhole>
void multiply_tile(long n, const double* matrix, const double* x, long i, long rows, long count,
                   double* y) {
  const long n_rows = kWhole ? kRows : rows, n_members = kWhole ? kMembers : count;
  double sum[kMembers][kRows] = {};
  for (long k = 0; k < n; k++) {
    const double* const column = matrix + k * n + i;
    for (long m = 0; m < n_members; m++) {
      const double factor = x[m * n + k];
      for (long r = 0; r < n_rows; r++) sum[m][r] = fused(column[r], factor, sum[m][r]);
    }
  }
  for (long m = 0; m < n_members; m++) {
    for (long r = 0; r < n_rows; r++) y[m * n + i + r] = sum[m][r];
  }
}

}  // namespace

void multiply_members(long n, const double* matrix, const double* x, long members, double* y) {
  for (long i = 0; i < n; i += kRows) {
    const long rows = n - i < kRows ? n - i : kRows;
    for (long m = 0; m < members; m += kMembers) {
      const long count = members - m < kMembers ? members - m : kMembers;
      if (rows == kRows && count == kMembers) {
        multiply_tile<true>(n, matrix, x + m * n, i, rows, count, y + m * n);
      } else {
        multiply_tile<false>(n, matrix, x + m * n, i, rows, count, y + m * n);
      }
    }
  }
}

void multiply_transposed(long n, const double* matrix, const double* x, double* y) {
  for (long k = 0; k < n; k++) {
    const double* const column = matrix + k * n;
    double sum[8] = {};
    long i = 0;
    for (; i + 8 <= n; i += 8) {
      for (int r = 0; r < 8; r++) sum[r] = fused(column[i + r], x[i + r], sum[r]);
    }
    for (int r = 0; i < n; i++, r++) sum[r] = fused(column[i], x[i], sum[r]);
    y[k] = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
  }
}

void add_outer_products(long n, double keep, const double* weight, const double* x, long members,
                        double* scaled, double* matrix) {
  constexpr long kBlock = 16;
  for (long j = 0; j < n; j++) {
    double* const column = matrix + j * n;
    for (long m = 0; m < members; m++) scaled[m] = weight[m] * x[m * n + j];
    long i = j;
    for (; i + kBlock <= n; i += kBlock) {
      double sum[kBlock];
      for (long r = 0; r < kBlock; r++) sum[r] = keep * column[i + r];
      for (long m = 0; m < members; m++) {
        const double* const row = x + m * n + i;
        for (long r = 0; r < kBlock; r++) sum[r] = fused(row[r], scaled[m], sum[r]);
      }
      for (long r = 0; r < kBlock; r++) column[i + r] = sum[r];
    }
    for (; i < n; i++) {
      double sum = keep * column[i];
      for (long m = 0; m < members; m++) sum = fused(x[m * n + i], scaled[m], sum);
      column[i] = sum;
    }
  }
}

bool symmetric_eigen(long n, const double* matrix, double* values, double* vectors) {
  using Matrix = Eigen::MatrixXd;
  Eigen::SelfAdjointEigenSolver<Matrix> solver(n);
  solver.compute(Eigen::Map<const Matrix>(matrix, n, n));
  if (solver.info() != Eigen::Success) return false;
  Eigen::Map<Eigen::VectorXd>(values, n) = solver.eigenvalues();
  Eigen::Map<Matrix>(vectors, n, n) = solver.eigenvectors();
  return true;
}

void solve_least_squares(long rows, long columns, const double* matrix, const double* y,
                         double* solution) {
  using Matrix = Eigen::MatrixXd;
  using Vector = Eigen::VectorXd;
  const Eigen::ColPivHouseholderQR<Matrix> decomposition(
      Eigen::Map<const Matrix>(matrix, rows, columns));
  Eigen::Map<Vector>(solution, columns) = decomposition.solve(Eigen::Map<const Vector>(y, rows));
}

}  // namespace gallop
