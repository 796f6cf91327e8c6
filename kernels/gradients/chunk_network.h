// Forward and backward pass of a network over one chunk of samples, for the learner. Samples are
// rows, so that the three products (outputs, gradients of inputs, gradients of weights) are the
// row-major ones of network/multiply.h and every sum has one fixed order: over inputs, outputs or
// samples ascending. Outputs are columns (output_layer.h).
#pragma once

#include <gallop/kernels/gradients/output_layer.h>
#include <gallop/kernels/network/forward.h>
#include <gallop/kernels/network/multiply.h>
#include <gallop/kernels/policy/act.h>

namespace gallop::inline GALLOP_ISA {

// Floats of scratch that one thread needs for a network, and for `columns` that are summed beside
// the gradients of its outputs.
GALLOP_HD long chunk_network_scratch(const NetworkShape& shape, int columns = 0) {
  long floats = column_floats(outputs_of(shape) + columns);
  int wide = 0;
  for (int l = 0; l <= shape.n_layers; l++) {
    const int pad = padded(shape.kind == NetworkKind::kTabular && l == 0 ? 1 : shape.width[l]);
    wide = wide > pad ? wide : pad;
    floats += long(kChunkSamples) * pad;
    if (l < shape.n_layers && shape.kind == NetworkKind::kMlp) {
      const int next = padded(shape.width[l + 1]);
      floats += (long(shape.width[l]) + 1) * next + long(shape.width[l + 1]) * pad;
    }
  }
  return floats + 2L * kChunkSamples * wide + long(wide) * wide;
}

template <class F>
struct ChunkNetwork {
  NetworkShape shape;
  const float* parameters;
  // [kChunkSamples, padded width]: inputs, hidden units; then the outputs [outputs, kChunkSamples].
  float* unit[kMaxLayers + 1];
  float* weight[kMaxLayers];             // [inputs, padded outputs]
  float* bias[kMaxLayers];               // [padded outputs]
  float* weight_transposed[kMaxLayers];  // [outputs, padded inputs]
  float* d_output;                       // [outputs, kChunkSamples], and other columns after it
  float* delta[2];                       // [kChunkSamples, widest padded]
  float* product;                        // [widest, widest padded]

  GALLOP_HD int pad(int l) const { return padded(shape.width[l]); }

  // Lays out the scratch and copies the weights into padded rows; `s` is advanced.
  void begin(const NetworkShape& network, const float* p, float*& s, int columns = 0) {
    shape = network;
    parameters = p;
    const bool tabular = shape.kind == NetworkKind::kTabular;
    int wide = 0;
    for (int l = 0; l <= shape.n_layers; l++) {
      const int width = tabular && l == 0 ? padded(1) : pad(l);
      wide = wide > width ? wide : width;
      unit[l] = take(s, long(kChunkSamples) * width);
    }
    d_output = take(s, column_floats(outputs_of(shape) + columns));
    delta[0] = take(s, long(kChunkSamples) * wide);
    delta[1] = take(s, long(kChunkSamples) * wide);
    if (tabular) return;
    product = take(s, long(wide) * wide);
    for (int l = 0; l < shape.n_layers; l++) {
      const int n_in = shape.width[l], n_out = shape.width[l + 1];
      weight[l] = take(s, long(n_in) * pad(l + 1));
      bias[l] = take(s, pad(l + 1));
      weight_transposed[l] = take(s, long(n_out) * pad(l));
      copy_weights(l, p + layer_offset(shape, l));
    }
  }

  static GALLOP_HD float* take(float*& s, long floats) {
    float* taken = s;
    s += floats;
    return taken;
  }

  void copy_weights(int l, const float* p) {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    const int pad_in = pad(l), pad_out = pad(l + 1);
    transpose(p, n_out, n_in, n_out, weight_transposed[l], pad_in);
    for (int k = 0; k < n_in; k++) {
      float* const row = weight[l] + long(k) * pad_out;
      __builtin_memcpy(row, p + long(k) * n_out, sizeof(float) * std::size_t(n_out));
      for (int j = n_out; j < pad_out; j++) row[j] = 0.0f;
    }
    for (int j = 0; j < n_out; j++) {
      for (int k = n_in; k < pad_in; k++) weight_transposed[l][long(j) * pad_in + k] = 0.0f;
      bias[l][j] = p[long(n_in) * n_out + j];
    }
    for (int j = n_out; j < pad_out; j++) bias[l][j] = 0.0f;
  }

  // Copies the (normalised) observations of samples [first, first + n) into unit[0].
  void load(const Samples& samples, const Normalization& by, long first, int n) {
    const bool tabular = shape.kind == NetworkKind::kTabular;
    const int rows = tabular ? 1 : shape.width[0], stride = tabular ? padded(1) : pad(0);
    long at[kChunkSamples];
    SamplePlaces(samples).elements(first, n, rows, at);
    for (int k = 0; k < rows; k++) {
      const float* const from = samples.observation + long(k) * samples.n_envs;
      float* const to = unit[0] + k;
      for (int s = 0; s < n; s++) to[long(s) * stride] = from[at[s]];
    }
    if (!tabular && by.mean != nullptr) normalize_rows(by, n);
  }

  void normalize_rows(const Normalization& by, int n) {
    constexpr int kW = kLanesOf<F>;
    const int rows = shape.width[0], stride = pad(0);
    for (int k = 0; k < rows; k += kW) {
      const F mean = load_lanes(by.mean + k, rows - k, F());
      const F inverse_std = load_lanes(by.inverse_std + k, rows - k, F());
      float* x = unit[0] + k;
      for (int s = 0; s < n; s++, x += stride) {
        store_lanes(x, normalized(load_lanes(x, kW, F()), mean, inverse_std, by.limit), kW);
      }
    }
  }

  // Outputs of n samples: unit[n_layers].
  void forward(int n) {
    const int last = shape.n_layers - 1, n_out = outputs_of(shape);
    if (shape.kind == NetworkKind::kTabular) {
      for (int s = 0; s < n; s++) {
        const float* row = parameters + long(unit[0][long(s) * padded(1)]) * n_out;
        for (int j = 0; j < n_out; j++) unit[1][j * kChunkSamples + s] = row[j];
      }
      return;
    }
    for (int l = 0; l < last; l++) {
      Product p = {n,          shape.width[l], shape.width[l + 1], unit[l],   pad(l), 1, weight[l],
                   pad(l + 1), bias[l],        unit[l + 1],        pad(l + 1)};
      p.epilogue = Epilogue::kActivate;
      p.activation = shape.hidden;
      multiply<F>(p);
    }
    output_layer<F>(unit[last], pad(last), shape.width[last],
                    parameters + layer_offset(shape, last), n_out, n, delta[0], unit[last + 1]);
  }

  // Given d_output, the gradient by the outputs, writes the gradient by the parameters in their
  // flat layout, and after it the sums of `columns` columns that follow d_output.
  void backward(int n, int columns, float* gradient, Prefetch* ahead = nullptr) {
    if (shape.kind == NetworkKind::kTabular) {
      backward_table(n, gradient);
      sum_columns(d_output + long(outputs_of(shape)) * kChunkSamples, n, columns,
                  gradient + layer_offset(shape, 1));
      return;
    }
    backward_outputs(n, columns, gradient, ahead);
    float* d = delta[0];
    float* other = delta[1];
    for (int l = shape.n_layers - 2; l >= 0; l--) {
      weight_gradient(l, n, d, gradient + layer_offset(shape, l), ahead);
      if (l == 0) break;
      unit_gradient(l, n, d, pad(l + 1), 1, other, ahead, bias_gradient(gradient, l - 1));
      float* swap = d;
      d = other;
      other = swap;
    }
  }

  // Gradient of the biases of layer l in the flat layout.
  float* bias_gradient(float* gradient, int l) const {
    return gradient + layer_offset(shape, l) + long(shape.width[l]) * shape.width[l + 1];
  }

  // The output layer's part, and delta[0] for the layers before it with the sums of its rows.
  void backward_outputs(int n, int columns, float* gradient, Prefetch* ahead) {
    const int last = shape.n_layers - 1, n_out = outputs_of(shape);
    float* const to = gradient + layer_offset(shape, last);
    sum_columns(d_output, n, n_out + columns, bias_gradient(gradient, last));
    if (last == 0 || n_out > kFewOutputs) {
      output_weight_gradient(n, to, ahead);
      if (last == 0) return;
      unit_gradient(last, n, rows_of_outputs(n), pad(last + 1), 1, delta[0], ahead,
                    bias_gradient(gradient, last - 1));
      return;
    }
    backward_few_outputs<F>(
        {n, shape.width[last], d_output, unit[last], weight_transposed[last], pad(last), product,
         delta[0], bias_gradient(gradient, last - 1), ahead},
        n_out, shape.hidden);
    copy_columns(product, last, to);
  }

  // Gradient of the output layer's weights, in the flat layout.
  void output_weight_gradient(int n, float* to, Prefetch* ahead) {
    const int last = shape.n_layers - 1, n_in = shape.width[last], n_out = outputs_of(shape);
    if (2 * n_out <= kLanesOf<F> && n_in > n_out) {
      // Few outputs would leave most lanes idle: lanes over the inputs instead.
      Product p = {n_out,      n,         n_in,    d_output, kChunkSamples, 1,
                   unit[last], pad(last), nullptr, product,  pad(last)};
      p.next = ahead;
      multiply<F>(p);
      copy_columns(product, last, to);
      return;
    }
    weight_gradient(last, n, rows_of_outputs(n), to, ahead);
  }

  // Weights of layer l in the flat layout, of which x [outputs, padded inputs] has the columns.
  void copy_columns(const float* x, int l, float* to) const {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    for (int k = 0; k < n_in; k++) {
      for (int j = 0; j < n_out; j++) to[long(k) * n_out + j] = x[long(j) * pad(l) + k];
    }
  }

  // d_output as rows [n, padded outputs], in delta[1].
  const float* rows_of_outputs(int n) {
    const int stride = pad(shape.n_layers);
    const int columns = (outputs_of(shape) + kTransposed - 1) / kTransposed * kTransposed;
    const int samples = (n + kTransposed - 1) / kTransposed * kTransposed;
    transpose(d_output, kChunkSamples, columns, samples, delta[1], stride);
    return delta[1];
  }

  // to[s, k] = slope(x[s, k]) sum_j d[s, j] W[k, j]: derivatives by the weighted sums of layer l. d
  // [s, j] stands at d[s * row + j * inner]. Where asked for, row_sum [width] are the sums of its
  // rows.
  void unit_gradient(int l, int n, const float* d, long row, long inner, float* to,
                     Prefetch* ahead = nullptr, float* row_sum = nullptr) {
    Product p = {n,     shape.width[l + 1],   shape.width[l], d,       row,
                 inner, weight_transposed[l], pad(l),         nullptr, to,
                 pad(l)};
    p.activation = shape.hidden;
    p.value = unit[l];
    p.next = ahead;
    p.column_sum = row_sum == nullptr ? nullptr : product;
    for (int k = 0; row_sum != nullptr && k < pad(l); k++) product[k] = 0.0f;
    multiply<F>(p);
    for (int k = 0; row_sum != nullptr && k < shape.width[l]; k++) row_sum[k] = product[k];
  }

  // dW[k, j] = sum_s x[s, k] d[s, j] into rows of n_out, of d [n, padded outputs].
  void weight_gradient(int l, int n, const float* d, float* to, Prefetch* ahead) {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    Product p = {n_in, n, n_out, unit[l], 1, pad(l), d, pad(l + 1), nullptr, product, pad(l + 1)};
    p.next = ahead;
    if (n_out == pad(l + 1)) {
      p.c = to;
      multiply<F>(p);
      return;
    }
    multiply<F>(p);
    for (int k = 0; k < n_in; k++) {
      __builtin_memcpy(to + long(k) * n_out, product + long(k) * pad(l + 1), sizeof(float) * n_out);
    }
  }

  void backward_table(int n, float* gradient) {
    const int n_out = shape.width[1];
    for (long i = 0; i < long(shape.width[0]) * n_out; i++) gradient[i] = 0.0f;
    for (int s = 0; s < n; s++) {
      float* row = gradient + long(unit[0][long(s) * padded(1)]) * n_out;
      for (int j = 0; j < n_out; j++) row[j] = row[j] + d_output[j * kChunkSamples + s];
    }
  }
};

// Segments of a network's parameters that are scaled together: each weight matrix, each bias
// vector.
GALLOP_HD void append_segments(const NetworkShape& shape, int& count, int* begin, int& at) {
  if (shape.kind == NetworkKind::kTabular) {
    begin[count++] = at;
    at += int(layer_offset(shape, shape.n_layers));
    return;
  }
  for (int l = 0; l < shape.n_layers; l++) {
    begin[count++] = at;
    at += shape.width[l] * shape.width[l + 1];
    begin[count++] = at;
    at += shape.width[l + 1];
  }
}

}  // namespace gallop::inline GALLOP_ISA
