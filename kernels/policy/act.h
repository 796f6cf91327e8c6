// Runs a policy on a block of instances on the CPU: normalise, network, head.
#pragma once

#include <gallop/kernels/network/few.h>
#include <gallop/kernels/network/forward.h>
#include <gallop/kernels/policy/heads.h>
#include <gallop/kernels/random/instance_ids.h>

namespace gallop {

// Instances [0, n). Rows of two-dimensional arrays are `stride` apart.
struct ActRequest {
  PolicyView policy;
  int n;
  const float* observation;  // [O, observation_stride]
  long observation_stride;
  float* action;  // [A, action_stride]
  long action_stride;
  float* log_prob;  // [n] or null
  int deterministic;
  std::uint64_t seed;
  InstanceIds ids;
  const std::uint32_t* episode;  // [n], and readable up to the next multiple of 16
  const std::int32_t* elapsed;   // [n], likewise
  float* scratch;                // [2 * widest * 32], aligned to 64 bytes
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class F>
GALLOP_HD F normalized(F x, F mean, F inverse_std, float limit) {
  return min(F(limit), max(F(-limit), (x - mean) * inverse_std));
}
template <class F>
GALLOP_HD F normalize(const Normalization& by, int k, F x) {
  if (by.mean == nullptr) return x;
  return normalized(x, F(by.mean[k]), F(by.inverse_std[k]), by.limit);
}

// Loads the instances of E registers from i on, of n, as inputs of the network.
template <class F, int E = TileShape<F>::kE>
GALLOP_HD void load_tile(const NetworkShape& shape, const Normalization& by, const float* from,
                         long stride, int i, int n, float* tile) {
  const bool tabular = shape.kind == NetworkKind::kTabular;
  const int rows = tabular ? 1 : shape.width[0];
  for (int k = 0; k < rows; k++) {
    for (int e = 0; e < E; e++) {
      const int at = i + e * kLanesOf<F>;
      const F x = at < n ? load_lanes(from + k * stride + at, n - at, F()) : F(0.0f);
      store_lanes(tile + (k * E + e) * kLanesOf<F>, tabular ? x : normalize(by, k, x), kLanesOf<F>);
    }
  }
}

// Outputs of the network for the instances from i on, up to a tile; `registers` tells in how many
// registers they stand side by side. Of few instances some lanes would be computed for nothing:
// they have forms of their own.
template <class F>
GALLOP_HD const float* network_outputs(const ActRequest& r, int i, bool whole_rows, float* a,
                                       float* b, int& registers) {
  constexpr int kW = kLanesOf<F>;
  using Tile = TileShape<F>;
  const NetworkShape& shape = r.policy.shape.network;
  const Normalization& by = r.policy.normalization;
  const float* const parameters = r.policy.parameters;
  const int n = r.n - i;
  registers = Tile::kE;
  if (kW > 1 && n <= kW && (2 * n > kW || !whole_rows)) {
    registers = 1;
    load_tile<F, 1>(shape, by, r.observation, r.observation_stride, i, r.n, a);
    return forward_tile<F, 1, Tile::kSingleJ>(shape, parameters, a, b);
  }
  load_tile<F>(shape, by, r.observation, r.observation_stride, i, r.n, a);
  if (whole_rows && n <= kW) return forward_few<F>(shape, parameters, n, a, b);
  return forward_tile<F>(shape, parameters, a, b);
}

template <class F>
void act(const ActRequest& r) {
  using Tile = TileShape<F>;
  const PolicyShape& shape = r.policy.shape;
  const int n_out = outputs_of(shape.network), n_actions = shape.n_actions;
  const int rows = action_rows(shape);
  const bool discrete = is_discrete(shape.head);
  const float* log_std_parameter =
      r.policy.parameters + layer_offset(shape.network, shape.network.n_layers);
  float* a = r.scratch;
  float* b = a + long(widest(shape.network)) * Tile::kInstances;
  const bool whole_rows = has_whole_rows(shape.network);
  for (int i = 0; i < r.n; i += Tile::kInstances) {
    int registers;
    const float* out = network_outputs<F>(r, i, whole_rows, a, b, registers);
    for (int e = 0; e < registers; e++) {
      const int at = i + e * kLanesOf<F>;
      if (at >= r.n) break;
      F output[kMaxOutputs], log_std[kMaxOutputs], action[kMaxOutputs];
      for (int j = 0; j < n_out; j++) {
        output[j] = load_lanes(out + (j * registers + e) * kLanesOf<F>, kLanesOf<F>, F());
      }
      F log_prob(0.0f);
      if (discrete && r.deterministic != 0 && r.log_prob == nullptr) {
        // No need of the softmax, which takes three times as long as a linear policy.
        action[0] = to_real(categorical_mode(output, n_actions));
      } else {
        log_std_of(shape.head, n_actions, output, log_std_parameter, log_std);
        Rng<F> rng(r.seed, kRandomAction, ids_from<F>(r.ids, at),
                   load_words(r.episode + at, kLanesOf<F>, Word<F>()),
                   to_word(load_words(r.elapsed + at, kLanesOf<F>, Int<F>())));
        log_prob = choose_action(shape.head, n_actions, output, log_std, r.deterministic != 0, rng,
                                 action);
      }
      for (int j = 0; j < rows; j++) {
        store_lanes(r.action + j * r.action_stride + at, action[j], r.n - at);
      }
      if (r.log_prob != nullptr) store_lanes(r.log_prob + at, log_prob, r.n - at);
    }
  }
}

}  // namespace gallop::inline GALLOP_ISA
