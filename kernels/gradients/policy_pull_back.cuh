// Backward passes of policies from slopes by their actions
// (kernels/gradients/policy_pull_back.h): one block a chunk of 128 samples.
#pragma once

#include <gallop/kernels/gradients/policy_pull_back.h>
#include <gallop/kernels/gradients/given_slopes.cuh>

namespace gallop::inline GALLOP_ISA {

// Slopes of this thread's sample, into the rows of its outputs and into the request's arrays.
__device__ __forceinline__ void pull_back_sample(const PolicyPullBackRequest& r, long id, int s,
                                                 float* outputs) {
  const PolicyShape& shape = r.policy.shape;
  const int n_out = outputs_of(shape.network), n = shape.n_actions;
  const int n_own = head_parameters(shape.head, n);
  float output[kMaxOutputs], a[kMaxOutputs], d[kMaxOutputs], by_output[kMaxOutputs],
      by_own[kMaxOutputs];
  const SamplePlace place = place_of(r.samples, id);
  const long n_envs = r.samples.n_envs;
  for (int j = 0; j < n_out; j++) output[j] = outputs[j * kSampleStride + s];
  for (int j = 0; j < n; j++) {
    const long at = (place.step * n + j) * n_envs + place.instance;
    a[j] = r.samples.action[at];
    d[j] = r.action_slope[at];
    by_own[j] = 0.0f;
  }
  pull_back_action(shape, output,
                   r.policy.parameters + layer_offset(shape.network, shape.network.n_layers), a, d,
                   by_output, by_own);
  for (int j = 0; j < n_out; j++) {
    outputs[j * kSampleStride + s] = by_output[j];
    r.output_slope[(place.step * n_out + j) * n_envs + place.instance] = by_output[j];
  }
  for (int j = 0; j < n_own; j++) {
    r.own_slope[(place.step * n_own + j) * n_envs + place.instance] = by_own[j];
  }
}

template <bool kShared>
__global__ void __launch_bounds__(kGradientThreads, 2)
    policy_pull_back_kernel(const __grid_constant__ OverChunks<PolicyPullBackRequest> r) {
  const NetworkShape& shape = r.policy.shape.network;
  float* const work = chunk_work<kShared>(r.scratch, network_rows(shape));
  float* const outputs = work + long(unit_row(shape, shape.n_layers)) * kSampleStride;
  for_chunks<kShared>(r, [&](int c) {
    const long first = long(c) * kChunkSamples;
    const int n = chunk_size(r.samples, c);
    load_chunk(shape, r.samples, r.policy.normalization, first, n, work);
    forward_chunk(shape, r.policy.parameters, work);
    __syncthreads();
    const int s = int(threadIdx.x);
    if (s < n) {
      pull_back_sample(r, sample_id(r.samples, first + s), s, outputs);
    } else if (s < kChunkSamples) {
      for (int j = 0; j < outputs_of(shape); j++) outputs[j * kSampleStride + s] = 0.0f;
    }
    backward_to_inputs(shape, r.policy.parameters, work);
    store_input_slopes(shape, r.samples, r.policy.normalization, first, n, work, r.input_slope);
  });
}

inline LaunchStatus policy_pull_back(const PolicyPullBackRequest& r, const CudaWork& on) {
  if (r.samples.count > kMostElements) return {kLaunchRefused, "policy_pull_back"};
  const int rows = network_rows(r.policy.shape.network);
  OverChunks<PolicyPullBackRequest> all = all_chunks(r);
  all.scratch = on.array<float>(std::size_t(chunk_scratch(rows, r.samples.count)));
  return launch_chunks("policy_pull_back", rows, all, policy_pull_back_kernel<true>,
                       policy_pull_back_kernel<false>, on);
}

}  // namespace gallop::inline GALLOP_ISA
