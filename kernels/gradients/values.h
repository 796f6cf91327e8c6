// Outputs of a network for recorded observations.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/numerics/arithmetic.h>
#include <gallop/kernels/policy/act.h>

namespace gallop {

struct ValuesRequest {
  NetworkShape shape;
  const float* parameters;
  Normalization normalization;
  int n_rows, n_envs;
  const float* observation;  // [rows, O, N]
  float* output;             // [rows, outputs, N]
  // [rows, N], or null for all. Given, outputs are written only where an instance was truncated and
  // not terminated: values of the last observations of episodes that were cut off.
  const std::uint8_t* terminated = nullptr;
  const std::uint8_t* truncated = nullptr;
  int interval = 1;  // with flags: rows of them and of outputs that share a row of observations
  Arithmetic arithmetic = Arithmetic::kStrict;  // kFast without flags only
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// What a thread has of the network's layers: tiles of instances.
template <class F>
struct ValuesWork {
  using Tile = TileShape<F>;
  const ValuesRequest& r;
  const int n_in, n_out;
  float *a, *b;  // [widest, instances of a tile]

  ValuesWork(const ValuesRequest& request, float* memory)
      : r(request),
        n_in(request.shape.kind == NetworkKind::kTabular ? 1 : request.shape.width[0]),
        n_out(outputs_of(request.shape)),
        a(memory),
        b(memory + floats(request.shape) / 2) {}

  static long floats(const NetworkShape& shape) { return 2L * widest(shape) * Tile::kInstances; }

  // Instances [begin, end) of a row.
  void of_row(long row, int begin, int end) {
    const float* const from = r.observation + row * n_in * r.n_envs;
    float* const to = r.output + row * n_out * r.n_envs;
    for (int i = begin; i < end; i += Tile::kInstances) {
      load_tile<F>(r.shape, r.normalization, from, r.n_envs, i, end, a);
      const float* const out = forward_tile<F>(r.shape, r.parameters, a, b);
      for (int j = 0; j < n_out; j++) {
        for (int e = 0; e < Tile::kE && i + e * kLanesOf<F> < end; e++) {
          const int at = i + e * kLanesOf<F>;
          const F x = load_lanes(out + (j * Tile::kE + e) * kLanesOf<F>, kLanesOf<F>, F());
          store_lanes(to + long(j) * r.n_envs + at, x, end - at);
        }
      }
    }
  }

  // Elements [begin, end) of all rows where an episode was cut off: few, gathered into tiles.
  void of_cut_episodes(long begin, long end) {
    long at[Tile::kInstances];
    int n = 0;
    for (long k = begin; k < end; k++) {
      const bool cut = r.truncated[k] != 0 && (r.terminated == nullptr || r.terminated[k] == 0);
      if (cut) at[n++] = k;
      if (n == Tile::kInstances || (n > 0 && k + 1 == end)) {
        of_elements(at, n);
        n = 0;
      }
    }
  }

  // Elements [begin, end) of all rows, where a row does not fill its tiles.
  void of_all_elements(long begin, long end) {
    long at[Tile::kInstances];
    for (; begin < end; begin += Tile::kInstances) {
      const int n = end - begin < Tile::kInstances ? int(end - begin) : Tile::kInstances;
      for (int k = 0; k < n; k++) at[k] = begin + k;
      of_elements(at, n);
    }
  }

  void of_elements(const long* at, int n) {
    const bool tabular = r.shape.kind == NetworkKind::kTabular;
    for (int s = 0; s < Tile::kInstances; s++) {
      const long from = at[s < n ? s : 0], row = from / r.n_envs / r.interval, i = from % r.n_envs;
      for (int k = 0; k < n_in; k++) {
        const float x = r.observation[(row * n_in + k) * r.n_envs + i];
        a[k * Tile::kInstances + s] = tabular ? x : normalize(r.normalization, k, x);
      }
    }
    const float* const out = forward_tile<F>(r.shape, r.parameters, a, b);
    for (int s = 0; s < n; s++) {
      const long row = at[s] / r.n_envs, i = at[s] % r.n_envs;
      for (int j = 0; j < n_out; j++) {
        r.output[(row * n_out + j) * r.n_envs + i] = out[j * Tile::kInstances + s];
      }
    }
  }
};

// Whether more than a fifth of the tiles of a row would be computed for nothing.
template <class F>
GALLOP_HD bool leaves_tiles_empty(int n_envs) {
  constexpr int kInstances = TileShape<F>::kInstances;
  const int computed = (n_envs + kInstances - 1) / kInstances * kInstances;
  return 5 * (computed - n_envs) > computed;
}

template <class F>
void values(const ValuesRequest& r, const CpuWork& on) {
  const long scratch = whole_lines(ValuesWork<F>::floats(r.shape));
  float* const memory = on.floats(on.owner, on.n_threads * scratch);
  split(on, long(r.n_rows) * r.n_envs, kInstanceGrain, [&](int thread, long begin, long end) {
    ValuesWork<F> work(r, memory + thread * scratch);
    if (r.truncated != nullptr) return work.of_cut_episodes(begin, end);
    if (leaves_tiles_empty<F>(r.n_envs)) return work.of_all_elements(begin, end);
    while (begin < end) {
      const long row = begin / r.n_envs, first = begin % r.n_envs;
      const long n = end - begin < r.n_envs - first ? end - begin : r.n_envs - first;
      work.of_row(row, int(first), int(first + n));
      begin += n;
    }
  });
}

}  // namespace gallop::inline GALLOP_ISA
