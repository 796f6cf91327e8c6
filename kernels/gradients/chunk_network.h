// Forward and backward pass of a network over one chunk of samples, for the learner. Samples are
// rows, so that the three products (outputs, gradients of inputs, gradients of weights) are the
// row-major ones of network/multiply.h and every sum has one fixed order: over inputs, outputs or
// samples ascending.
#pragma once

#include "kernels/gradients/samples.h"
#include "kernels/network/forward.h"
#include "kernels/network/multiply.h"
#include "kernels/policy/act.h"

namespace gallop::inline GALLOP_ISA {

// Floats of scratch that one thread needs for a network.
GALLOP_HD long chunk_network_scratch(const NetworkShape& shape) {
  long floats = 0;
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
  float* unit[kMaxLayers + 1];           // [kChunkSamples, padded width]: inputs, hidden, outputs
  float* weight[kMaxLayers];             // [inputs, padded outputs]
  float* bias[kMaxLayers];               // [padded outputs]
  float* weight_transposed[kMaxLayers];  // [outputs, padded inputs]
  float* delta[2];                       // [kChunkSamples, widest padded]
  float* product;                        // [widest, widest padded]

  GALLOP_HD int pad(int l) const { return padded(shape.width[l]); }

  // Lays out the scratch and copies the weights into padded rows; `s` is advanced.
  void begin(const NetworkShape& network, const float* p, float*& s) {
    shape = network;
    parameters = p;
    const bool tabular = shape.kind == NetworkKind::kTabular;
    int wide = 0;
    for (int l = 0; l <= shape.n_layers; l++) {
      const int width = tabular && l == 0 ? padded(1) : pad(l);
      wide = wide > width ? wide : width;
      unit[l] = take(s, long(kChunkSamples) * width);
    }
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
    for (int k = 0; k < n_in; k++) {
      for (int j = 0; j < n_out; j++) {
        weight[l][long(k) * pad_out + j] = p[long(k) * n_out + j];
        weight_transposed[l][long(j) * pad_in + k] = p[long(k) * n_out + j];
      }
      for (int j = n_out; j < pad_out; j++) weight[l][long(k) * pad_out + j] = 0.0f;
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
    for (int s = 0; s < n; s++) {
      const long id = samples.order == nullptr ? first + s : long(samples.order[first + s]);
      const long t = id / samples.n_envs, i = id % samples.n_envs;
      const float* from = samples.observation + t * rows * samples.n_envs + i;
      float* to = unit[0] + long(s) * stride;
      for (int k = 0; k < rows; k++) {
        const float x = from[long(k) * samples.n_envs];
        to[k] = tabular ? x : normalize<float>(by, k, x);
      }
      for (int k = rows; k < stride; k++) to[k] = 0.0f;
    }
  }

  // Outputs of n samples: unit[n_layers] [n, padded outputs].
  void forward(int n) {
    if (shape.kind == NetworkKind::kTabular) {
      const int n_out = shape.width[1], stride = pad(1);
      for (int s = 0; s < n; s++) {
        const float* row = parameters + long(unit[0][long(s) * padded(1)]) * n_out;
        for (int j = 0; j < stride; j++) unit[1][long(s) * stride + j] = j < n_out ? row[j] : 0.0f;
      }
      return;
    }
    for (int l = 0; l < shape.n_layers; l++) {
      Product p = {n,          shape.width[l], shape.width[l + 1], unit[l],   pad(l), 1, weight[l],
                   pad(l + 1), bias[l],        unit[l + 1],        pad(l + 1)};
      p.epilogue = l + 1 < shape.n_layers ? Epilogue::kActivate : Epilogue::kNone;
      p.activation = shape.hidden;
      multiply<F>(p);
    }
  }

  // Given delta[0] = gradient by the outputs [n, padded outputs], writes the gradient by the
  // parameters in their flat layout.
  void backward(int n, float* gradient, Prefetch* ahead = nullptr) {
    if (shape.kind == NetworkKind::kTabular) {
      backward_table(n, gradient);
      return;
    }
    float* d = delta[0];
    float* other = delta[1];
    for (int l = shape.n_layers - 1; l >= 0; l--) {
      layer_gradient(l, n, d, gradient, ahead);
      if (l == 0) break;
      unit_gradient(l, n, d, other, ahead);
      float* swap = d;
      d = other;
      other = swap;
    }
  }

  // Gradient of a layer's weights and biases, in the flat layout, by d [n, padded outputs].
  void layer_gradient(int l, int n, const float* d, float* gradient, Prefetch* ahead) {
    const int n_out = shape.width[l + 1];
    float* const to = gradient + layer_offset(shape, l);
    weight_gradient(l, n, d, to, ahead);
    sum_rows(d, n, n_out, pad(l + 1), to + long(shape.width[l]) * n_out);
  }

  // to[s, k] = slope(x[s, k]) sum_j d[s, j] W[k, j]: derivatives by the weighted sums of layer l.
  void unit_gradient(int l, int n, const float* d, float* to, Prefetch* ahead = nullptr) {
    Product p = {n,     shape.width[l + 1],   shape.width[l], d,       pad(l + 1),
                 1,     weight_transposed[l], pad(l),         nullptr, to,
                 pad(l)};
    p.activation = shape.hidden;
    p.value = unit[l];
    p.next = ahead;
    multiply<F>(p);
  }

  // dW[k, j] = sum_s x[s, k] d[s, j] into rows of n_out.
  void weight_gradient(int l, int n, const float* d, float* to, Prefetch* ahead) {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    Product p = {n_in, n, n_out, unit[l], 1, pad(l), d, pad(l + 1), nullptr, product, pad(l + 1)};
    p.next = ahead;
    if (n_out == pad(l + 1)) {
      p.c = to;
      multiply<F>(p);
      return;
    }
    if (2 * n_out <= kLanesOf<F> && n_in > n_out) {
      // Few outputs would leave most lanes idle: lanes over the inputs instead.
      multiply<F>({n_out, n, n_in, d, 1, pad(l + 1), unit[l], pad(l), nullptr, product, pad(l)});
      for (int k = 0; k < n_in; k++) {
        for (int j = 0; j < n_out; j++) to[long(k) * n_out + j] = product[long(j) * pad(l) + k];
      }
      return;
    }
    multiply<F>(p);
    for (int k = 0; k < n_in; k++) {
      __builtin_memcpy(to + long(k) * n_out, product + long(k) * pad(l + 1), sizeof(float) * n_out);
    }
  }

  void backward_table(int n, float* gradient) {
    const int n_out = shape.width[1], stride = pad(1);
    for (long i = 0; i < long(shape.width[0]) * n_out; i++) gradient[i] = 0.0f;
    for (int s = 0; s < n; s++) {
      float* row = gradient + long(unit[0][long(s) * padded(1)]) * n_out;
      for (int j = 0; j < n_out; j++) row[j] = row[j] + delta[0][long(s) * stride + j];
    }
  }

  // sum[j] = sum_s x[s, j], s ascending; several registers of columns hide the additions' latency.
  static void sum_rows(const float* x, int n, int columns, int stride, float* sum) {
    constexpr int kW = kLanesOf<F>, kTogether = 4;
    int j = 0;
    for (; j + kTogether * kW <= columns; j += kTogether * kW) {
      sum_columns<kTogether>(x + j, n, kTogether * kW, stride, sum + j);
    }
    for (; j < columns; j += kW) sum_columns<1>(x + j, n, columns - j, stride, sum + j);
  }
  template <int V>
  static void sum_columns(const float* x, int n, int columns, int stride, float* sum) {
    constexpr int kW = kLanesOf<F>;
    F total[V];
    for (int v = 0; v < V; v++) total[v] = F(0.0f);
    for (int s = 0; s < n; s++, x += stride) {
      GALLOP_UNROLL(4)
      for (int v = 0; v < V; v++) total[v] = total[v] + load_lanes(x + v * kW, kW, F());
    }
    for (int v = 0; v < V; v++) store_lanes(sum + v * kW, total[v], columns - v * kW);
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
