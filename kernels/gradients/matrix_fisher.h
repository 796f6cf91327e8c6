// What a product with the Fisher matrix as products of matrices (host/runtime/matrix_fisher.h)
// computes element by element, on a device that has a library for those. Arrays are [row, sample]
// with n samples in a row: the count rounded up to whole chunks, so that rows are aligned.
#pragma once

#include <gallop/kernels/gradients/fisher.h>

namespace gallop {

// The units that layer `layer` reads and a row of ones, 0 beyond the count: from the units of
// chunks, [chunk, row, sample of the chunk]. The row of ones multiplies the biases, which stand
// after the weights as one more row of them.
struct MatrixUnitsRequest {
  FisherRequest fisher;
  int layer;
  float* to;  // [width + 1, n]
};

// x *= slope of the activation where it gave `unit`.
struct SlopeRequest {
  Activation activation;
  const float* unit;  // [4 quads], aligned to 16 bytes
  float* x;           // likewise
  long quads;
};

// Tangents of the outputs are replaced by weight M tangent, 0 beyond the count.
struct MatrixMetricRequest {
  FisherRequest fisher;
  float* tangent;  // [outputs, n]
};

// The product of the request: the network's part, and the block of log sigma where there is one.
struct MatrixSumRequest {
  FisherRequest fisher;
  const float* network;
};

}  // namespace gallop
