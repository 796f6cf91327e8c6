// The products that CMA-ES spends its time with, eigendecomposition and least squares. Compiled for
// the least processor that Gallop runs on, with every sum in a fixed order: the same bits on all of
// them. Matrices are [n, n] by columns; of symmetric ones the lower triangle is read and written.
#pragma once

namespace gallop {

// y[m] = sum_k column_k x[m, k], k ascending, one chain of fused multiply-adds for each element.
// matrix [n, n], x [members, n], y [members, n].
void multiply_members(long n, const double* matrix, const double* x, long members, double* y);

// y[k] = column_k . x, in eight interleaved chains that are added in a fixed order. x [n], y [n].
void multiply_transposed(long n, const double* matrix, const double* x, double* y);

// matrix = keep * matrix + sum_m weight[m] x[m] x[m]^T, m ascending. weight [members],
// x [members, n]; `scaled` [members] is scratch.
void add_outer_products(long n, double keep, const double* weight, const double* x, long members,
                        double* scaled, double* matrix);

// Eigenvalues [n], ascending, and orthonormal eigenvectors [n, n] as columns. False where the
// iteration does not end. Throws std::bad_alloc.
bool symmetric_eigen(long n, const double* matrix, double* values, double* vectors);

// The solution [columns] of least |matrix x - y|, matrix [rows, columns] by columns, y [rows], of
// full rank. Throws std::bad_alloc.
void solve_least_squares(long rows, long columns, const double* matrix, const double* y,
                         double* solution);

}  // namespace gallop
