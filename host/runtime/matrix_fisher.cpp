#include <gallop/host/runtime/matrix_fisher.h>

#include <utility>

namespace gallop {
namespace {

long row_floats(long count) { return long(chunk_count(count)) * kChunkSamples; }

// Rows of the widest layer after the inputs.
int tangent_rows(const NetworkShape& shape) {
  int rows = 0;
  for (int l = 1; l <= shape.n_layers; l++) rows = shape.width[l] > rows ? shape.width[l] : rows;
  return rows;
}

// One layer of the policy, with the samples rounded up to whole chunks.
struct Layer {
  int n, n_in, n_out;
  const float* unit;    // [n_in + 1, n] what it reads, and ones
  const float* next;    // [n_out, n] what it gives, of a hidden layer
  const float* vector;  // [n_in + 1, n_out]
  const float* weight;  // [n_in, n_out]
  long offset;          // of its parameters
  bool is_first, is_last;
};

Layer layer_of(const FisherRequest& r, int layer) {
  const NetworkShape& shape = r.policy.shape.network;
  const int n_chunks = chunk_count(r.samples.count);
  const long n = row_floats(r.samples.count), offset = layer_offset(shape, layer);
  const float* unit = r.units + n_chunks * r.unit_stride;
  for (int l = 0; l < layer; l++) unit += (shape.width[l] + 1) * n;
  return {int(n),
          shape.width[layer],
          shape.width[layer + 1],
          unit,
          unit + (shape.width[layer] + 1) * n,
          r.vector + offset,
          r.policy.parameters + offset,
          offset,
          layer == 0,
          layer + 1 == shape.n_layers};
}

void forward(Backend& backend, const FisherRequest& r, const Layer& at, const float* tangent,
             float* next) {
  backend.multiply({at.n, at.n_out, at.n_in + 1, at.unit, at.n, false, at.vector, at.n_out, true,
                    next, at.n, false});
  if (!at.is_first) {
    backend.multiply({at.n, at.n_out, at.n_in, tangent, at.n, false, at.weight, at.n_out, true,
                      next, at.n, true});
  }
  if (at.is_last) return;
  backend.scale_by_slope({r.policy.shape.network.hidden, at.next, next, long(at.n) * at.n_out / 4});
}

void backward(Backend& backend, const FisherRequest& r, const Layer& at, const float* delta,
              float* gradient, float* next) {
  backend.multiply({at.n_out, at.n_in + 1, at.n, delta, at.n, true, at.unit, at.n, false,
                    gradient + at.offset, at.n_out, false});
  if (at.is_first) return;
  backend.multiply(
      {at.n, at.n_in, at.n_out, delta, at.n, false, at.weight, at.n_out, false, next, at.n, false});
  backend.scale_by_slope({r.policy.shape.network.hidden, at.unit, next, long(at.n) * at.n_in / 4});
}

}  // namespace

long matrix_unit_floats(const PolicyShape& shape, long count) {
  long rows = 0;
  for (int l = 0; l < shape.network.n_layers; l++) rows += shape.network.width[l] + 1;
  return rows * row_floats(count);
}

long matrix_work_floats(const PolicyShape& shape, long count) {
  return 2 * tangent_rows(shape.network) * row_floats(count) +
         layer_offset(shape.network, shape.network.n_layers);
}

void prepare_matrix_units(Backend& backend, const FisherRequest& r) {
  const NetworkShape& shape = r.policy.shape.network;
  const long n = row_floats(r.samples.count);
  float* to = r.units + chunk_count(r.samples.count) * r.unit_stride;
  for (int l = 0; l < shape.n_layers; l++) {
    backend.matrix_units({r, l, to});
    to += (shape.width[l] + 1) * n;
  }
}

void matrix_fisher_product(Backend& backend, const FisherRequest& r, float* work) {
  const NetworkShape& shape = r.policy.shape.network;
  float* here = work;
  float* other = here + tangent_rows(shape) * row_floats(r.samples.count);
  float* const gradient = other + tangent_rows(shape) * row_floats(r.samples.count);
  for (int l = 0; l < shape.n_layers; l++) {
    forward(backend, r, layer_of(r, l), here, other);
    std::swap(here, other);
  }
  backend.matrix_metric({r, here});
  for (int l = shape.n_layers - 1; l >= 0; l--) {
    backward(backend, r, layer_of(r, l), here, gradient, other);
    std::swap(here, other);
  }
  backend.matrix_product({r, gradient});
}

}  // namespace gallop
