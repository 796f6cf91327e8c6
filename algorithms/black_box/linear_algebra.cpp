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

// Columns that are added at once, and rows of them that stay in the first cache.
constexpr long kColumns = 8, kRows = 256;

double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }

// Adds kColumns columns, `n` apart, to `rows` elements of two members.
void add_columns(long n, const double* __restrict__ column, const double* __restrict__ a,
                 const double* __restrict__ b, long rows, double* __restrict__ to_a,
                 double* __restrict__ to_b) {
  for (long r = 0; r < rows; r++) {
    double sum_a = to_a[r], sum_b = to_b[r];
    for (long c = 0; c < kColumns; c++) {
      const double element = column[c * n + r];
      sum_a = fused(element, a[c], sum_a);
      sum_b = fused(element, b[c], sum_b);
    }
    to_a[r] = sum_a;
    to_b[r] = sum_b;
  }
}

void add_column(const double* __restrict__ column, double factor, long rows,
                double* __restrict__ to) {
  for (long r = 0; r < rows; r++) to[r] = fused(column[r], factor, to[r]);
}

}  // namespace

void multiply_members(long n, const double* matrix, const double* x, long members, double* y) {
  for (long i = 0; i < n; i += kRows) {
    const long rows = n - i < kRows ? n - i : kRows;
    for (long m = 0; m < members; m++) {
      for (long r = 0; r < rows; r++) y[m * n + i + r] = 0;
    }
    for (long k = 0; k < n; k += kColumns) {
      const long columns = n - k < kColumns ? n - k : kColumns;
      const double* const block = matrix + k * n + i;
      long m = 0;
      for (; columns == kColumns && m + 2 <= members; m += 2) {
        const double* const factors = x + m * n + k;
        double* const to = y + m * n + i;
        add_columns(n, block, factors, factors + n, rows, to, to + n);
      }
      for (; m < members; m++) {
        for (long c = 0; c < columns; c++) {
          add_column(block + c * n, x[m * n + k + c], rows, y + m * n + i);
        }
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
