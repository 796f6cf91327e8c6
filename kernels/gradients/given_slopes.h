// Backward passes of any network from slopes that the caller gives: derivatives of a loss by the
// outputs of the network for each sample, of whatever the loss is. With them, losses of a user's,
// deterministic policy gradients and derivatives through a simulator have the order-free sums over
// chunks of kernels/gradients/gradient.h: slopes that are a loss's own give its own gradient, bit
// for bit.
#pragma once

#include <gallop/kernels/gradients/gradient.h>

namespace gallop {

// Gradient by the parameters: the sum over samples of weight * slope dOutput/dParameter.
//
// An MLP of any depth, or a table, whose states are its inputs. Of the samples observation, order
// and count are read; none give zeros. Slopes that are not finite make the sums that they reach
// NaN. A value error where n_own and own_slope do not fit each other; on CUDA an Error (cuda) for
// more samples than 32 bits count. Returns before it is done. Strict: the same bits on every
// backend and for any number of threads. No random numbers.
struct NetworkGradientRequest {
  NetworkShape shape;
  const float* parameters;  // [D]
  Normalization normalization;
  Samples samples;
  const float* output_slope;  // [T, outputs, N], at the places of the samples
  // Slopes of what stands behind the network's parameters and is the same for all samples, such as
  // a head's log sigma; null and 0 for none.
  const float* own_slope;  // [T, n_own, N]
  int n_own;
  float weight;           // of each sample
  Arithmetic arithmetic;  // of the network's products
  float* gradient;        // [D + n_own]
  // [D + n_own], or null for none: 1 for a parameter that is not learnt, whose derivative is 0.
  const std::uint8_t* fixed = nullptr;
};

// Slopes by the inputs, for each sample: slope dOutput/dObservation. They are those by the
// observation as it was recorded: through the normalisation, which gives its inverse deviation, or
// 0 where the normalised component is at its limit. Without a normalisation in the request, those
// by the inputs of the network.
//
// Of the samples observation, order and count are read; the order must not name a sample twice.
// Places of samples that are not among them keep what they hold. A value error for a table, which
// has no derivative by its state; on CUDA an Error (cuda) for more samples than 32 bits count.
// Returns before it is done. The arithmetic is strict: the same bits on every backend and for any
// number of threads. No random numbers.
struct InputGradientRequest {
  NetworkShape shape;
  const float* parameters;  // [D]
  Normalization normalization;
  Samples samples;
  const float* output_slope;  // [T, outputs, N]
  float* input_slope;         // [T, O, N]
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Why a request is refused, or null.
GALLOP_HD const char* refusal(const NetworkGradientRequest& r) {
  if (r.n_own >= 0 && (r.n_own > 0) == (r.own_slope != nullptr)) return nullptr;
  return "network_gradient: n_own and own_slope do not fit each other; expected slopes [T, n_own, "
         "N], or 0 and null where nothing stands behind the network's parameters";
}
GALLOP_HD const char* refusal(const InputGradientRequest& r) {
  if (r.shape.kind != NetworkKind::kTabular) return nullptr;
  return "input_gradient: the network is a table, which has no derivative by its state; expected "
         "an MLP";
}

// Segments of the sum: those of the network, then what stands behind it.
GALLOP_HD void network_segments(const NetworkGradientRequest& r, Segments& to) {
  to.count = 0;
  int at = 0;
  append_segments(r.shape, to.count, to.begin, at);
  if (r.n_own > 0) to.begin[to.count++] = at;
  to.begin[to.count] = at + r.n_own;
}

// The slope by an observation that is normalised to x, of what has slope d by x.
template <class F>
GALLOP_HD F through_normalization(F d, F x, F inverse_std, float limit) {
  return select(abs(x) >= F(limit), F(0.0f), d * inverse_std);  // NaN is at no limit
}

// weight * slope [T, rows, N] of n samples as columns [rows, kChunkSamples], 0 behind them.
GALLOP_HD void load_slopes(const Samples& samples, const float* slope, int rows, float weight,
                           long first, int n, float* column) {
  long at[kChunkSamples];
  SamplePlaces(samples).elements(first, n, rows, at);
  for (int k = 0; k < rows; k++, slope += samples.n_envs, column += kChunkSamples) {
    for (int s = 0; s < n; s++) column[s] = slope[at[s]] * weight;
    for (int s = n; s < kChunkSamples; s++) column[s] = 0.0f;
  }
}

template <class F>
void network_gradient_chunks(const OverChunks<NetworkGradientRequest>& r) {
  ChunkNetwork<F> network;
  float* s = r.scratch;
  network.begin(r.shape, r.parameters, s, r.n_own);
  const int n_out = outputs_of(r.shape);
  float* const own = network.d_output + long(n_out) * kChunkSamples;  // sums behind the gradient
  Segments segments;
  network_segments(r, segments);
  for (int c = r.begin; c < r.end; c++) {
    const long first = long(c) * kChunkSamples;
    const int n = chunk_size(r.samples, c);
    network.load(r.samples, r.normalization, first, n);
    network.forward(n);
    load_slopes(r.samples, r.output_slope, n_out, r.weight, first, n, network.d_output);
    load_slopes(r.samples, r.own_slope, r.n_own, r.weight, first, n, own);
    float* const to = r.partial + long(c) * r.stride;
    network.backward(n, r.n_own, to);
    note_greatest<F>(segments, to, r.greatest + long(c) * kMaxSegments);
  }
}
template <class F>
void network_gradient(const NetworkGradientRequest& r, const CpuWork& on) {
  Segments segments;
  network_segments(r, segments);
  sum_over_chunks<F>(r, segments, r.gradient, chunk_network_scratch(r.shape, r.n_own), on,
                     network_gradient_chunks<F>);
}

// Given d_output of n samples: derivatives [n, padded inputs] by the inputs of the network.
template <class F>
float* backward_to_inputs(ChunkNetwork<F>& network, int n) {
  const NetworkShape& shape = network.shape;
  const float* d = network.rows_of_outputs(n);  // in delta[1]
  float *to = network.delta[0], *other = network.delta[1];
  for (int l = shape.n_layers - 1; l > 0; l--) {
    network.unit_gradient(l, n, d, network.pad(l + 1), 1, to);
    float* const swap = to;
    d = to;
    to = other;
    other = swap;
  }
  const Product p = {n,
                     shape.width[1],
                     shape.width[0],
                     d,
                     network.pad(1),
                     1,
                     network.weight_transposed[0],
                     network.pad(0),
                     nullptr,
                     to,
                     network.pad(0)};
  multiply<F>(p);
  return to;
}

// Takes derivatives d [n, padded inputs] by normalised observations x to those by observations.
template <class F>
void through_normalization_rows(const Normalization& by, const float* x, int rows, long stride,
                                int n, float* d) {
  constexpr int kW = kLanesOf<F>;
  for (int k = 0; k < rows; k += kW) {
    const F inverse_std = load_lanes(by.inverse_std + k, rows - k, F());
    for (int s = 0; s < n; s++) {
      float* const at = d + s * stride + k;
      const F of_x = load_lanes(x + s * stride + k, kW, F());
      store_lanes(at, through_normalization(load_lanes(at, kW, F()), of_x, inverse_std, by.limit),
                  kW);
    }
  }
}

// Writes derivatives d [n, padded inputs] by the inputs of samples from `first` on as those by
// their observations.
template <class F>
void store_input_slopes(const ChunkNetwork<F>& network, const Samples& samples,
                        const Normalization& by, long first, int n, float* d, float* input_slope) {
  const int rows = network.shape.width[0], stride = network.pad(0);
  if (by.mean != nullptr) {
    through_normalization_rows<F>(by, network.unit[0], rows, stride, n, d);
  }
  long at[kChunkSamples];
  SamplePlaces(samples).elements(first, n, rows, at);
  for (int k = 0; k < rows; k++) {
    float* const to = input_slope + long(k) * samples.n_envs;
    for (int s = 0; s < n; s++) to[at[s]] = d[s * stride + k];
  }
}

template <class F>
void input_gradient_chunks(const OverChunks<InputGradientRequest>& r) {
  ChunkNetwork<F> network;
  float* scratch = r.scratch;
  network.begin(r.shape, r.parameters, scratch);
  for (int c = r.begin; c < r.end; c++) {
    const long first = long(c) * kChunkSamples;
    const int n = chunk_size(r.samples, c);
    network.load(r.samples, r.normalization, first, n);
    network.forward(n);
    load_slopes(r.samples, r.output_slope, outputs_of(r.shape), 1.0f, first, n, network.d_output);
    store_input_slopes(network, r.samples, r.normalization, first, n,
                       backward_to_inputs(network, n), r.input_slope);
  }
}
template <class F>
void input_gradient(const InputGradientRequest& r, const CpuWork& on) {
  over_chunks(r, chunk_network_scratch(r.shape), on, input_gradient_chunks<F>);
}

}  // namespace gallop::inline GALLOP_ISA
