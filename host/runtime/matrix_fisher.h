#pragma once

#include <gallop/host/runtime/backend.h>

namespace gallop {

// Products with the Fisher matrix of a policy (kernels/gradients/fisher.h) as products of matrices
// over all samples, on a backend that has a library for those (Backend::matrix_library). With rows
// X of units and T of tangents, [row, sample], where X has a row of ones, and V, W the layer's part
// of the vector and of the weights, [row of inputs and biases, output]:
//
//   T' = slope * (V^T X + W^T T),   D = weight M T at the outputs,
//   product = X D^T,                D' = slope * (W D)
//
// All arrays are read where they stand: the library takes rows for the transposes of its columns.

// Floats that stand after the units of the chunks, and that a product works in.
long matrix_unit_floats(const PolicyShape& shape, long count);
long matrix_work_floats(const PolicyShape& shape, long count);

// Writes those units, from the units of the chunks.
void prepare_matrix_units(Backend& backend, const FisherRequest& request);
// Where `active` says that the product is not wanted, it is computed all the same, for a library
// cannot be told, but `product` of the request stays as it is.
void matrix_fisher_product(Backend& backend, const FisherRequest& request, float* work);

}  // namespace gallop
