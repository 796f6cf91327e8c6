#pragma once

#include "host/runtime/cuda_backend.h"

namespace gallop {

// Products with the Fisher matrix of a policy (kernels/gradients/fisher.h) as products of matrices
// over all samples, the other way of FisherPath. With rows X of units and T of tangents, [row,
// sample], where X has a row of ones, and V, W the layer's part of the vector and of the weights,
// [row of inputs and biases, output]:
//
//   T' = slope * (V^T X + W^T T),   D = weight M T at the outputs,
//   product = X D^T,                D' = slope * (W D)
//
// All arrays are read where they stand: the library takes rows for the transposes of its columns.
class MatrixFisher {
 public:
  // References outlive it.
  MatrixFisher(KernelDevice& device, MatrixProducts& products)
      : device_(device), products_(products) {}

  // Floats that stand after the units of the chunks, and that a product needs besides.
  static long unit_floats(const NetworkShape&, long count);
  static long scratch_floats(const PolicyShape&, long count);

  // Writes them, from the units of the chunks.
  void prepare(const FisherRequest&);
  // `scratch` of the request is filled in. Where `active` says that the product is not wanted, it
  // is computed all the same, for a library cannot be told, but `product` stays as it is.
  void product(const FisherRequest&, float* product);

 private:
  struct Layer;

  void forward(const FisherRequest&, const Layer&, const float* tangent, float* next);
  void backward(const FisherRequest&, const Layer&, const float* delta, float* gradient,
                float* next);
  Layer layer_of(const FisherRequest&, int layer) const;

  KernelDevice& device_;
  MatrixProducts& products_;
};

}  // namespace gallop
