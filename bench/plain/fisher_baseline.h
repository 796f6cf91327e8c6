// Fisher-vector products as one writes them with a library of matrix products: what the fisher
// suite measures Gallop against. Plain data only crosses to the units of one instruction set.
#pragma once

namespace gallop {

struct FisherBaselineRequest {
  int n_layers;
  const int* width;  // [n_layers + 1]; tanh between the layers
  bool categorical;  // softmax over the outputs; else normals whose log sigma stands behind the
                     // parameters of the network
  const float* parameters;
  const float* observation;  // [count, O]
  long count;
};

struct FisherBaseline {
  // Computes the units of all samples, which every product reads.
  void* (*create)(const FisherBaselineRequest&);
  void (*destroy)(void*);
  // product [D] = F vector, F the mean of J^T M J over the samples (kernels/gradients/fisher.h).
  void (*product)(void*, const float* vector, float* product);
};

constexpr int kFisherBaselineChunk = 512;  // samples that go through the network together

}  // namespace gallop
