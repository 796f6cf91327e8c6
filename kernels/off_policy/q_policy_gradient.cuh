// The gradient of a policy through Q networks (kernels/off_policy/q_policy_gradient.h): one block a
// chunk of 128 samples. Its work are the rows of the policy's network and of what stands behind its
// outputs, of u, of log pi, and of each critic's network.
#pragma once

#include <gallop/kernels/off_policy/q_policy_gradient.h>
#include <gallop/kernels/gradients/given_slopes.cuh>

namespace gallop::inline GALLOP_ISA {

struct QPolicyRows {
  int outputs, own, statistic, u, critic[2], inputs, all;

  GALLOP_HD explicit QPolicyRows(const QPolicyGradientRequest& r) {
    const PolicyShape& shape = r.policy.shape;
    outputs = unit_row(shape.network, shape.network.n_layers);
    own = outputs + outputs_of(shape.network);
    statistic = own + head_parameters(shape.head, shape.n_actions);
    u = statistic + kQPolicyStatistics;
    critic[0] = u + shape.n_actions;
    critic[1] = critic[0] + network_rows(r.critic);
    inputs = shape.network.width[0];
    all = r.critic2 == nullptr ? critic[1] : critic[1] + network_rows(r.critic);
  }
};

// One sample's part of the pass; rows are kSampleStride apart.
struct QPolicySample {
  const QPolicyGradientRequest& r;
  const QPolicyRows& rows;
  float* work;
  int s;

  __device__ __forceinline__ float& at(int row) const { return work[row * kSampleStride + s]; }
  __device__ __forceinline__ float& q_at(int c) const {
    return at(rows.critic[c] + unit_row(r.critic, r.critic.n_layers));
  }

  // Action and log pi of the sample at place b; 0 where there is none.
  __device__ __forceinline__ void act(long b, bool is_there) const {
    const PolicyShape& shape = r.policy.shape;
    const int n_out = outputs_of(shape.network);
    float output[kMaxOutputs], u[kMaxOutputs], action[kMaxOutputs], log_prob = 0.0f;
    for (int j = 0; j < n_out; j++) output[j] = at(rows.outputs + j);
    if (is_there) log_prob = draw_action<float>(r, b, output, u, action);
    for (int k = 0; k < shape.n_actions; k++) {
      at(rows.u + k) = is_there ? u[k] : 0.0f;
      const float a = is_there ? action[k] : 0.0f;
      at(rows.critic[0] + rows.inputs + k) = a;
      if (r.critic2 != nullptr) at(rows.critic[1] + rows.inputs + k) = a;
    }
    for (int k = rows.own; k < rows.statistic; k++) at(k) = 0.0f;
    at(rows.statistic + kStatLogPi) = log_prob;
    at(rows.statistic + kStatTemperature) = temperature_slope(r, log_prob);
  }

  __device__ __forceinline__ void judge(bool is_there) const {
    float d1 = -r.weight, d2 = 0.0f, q = q_at(0);
    if (r.critic2 != nullptr) q = q_slopes(q, q_at(1), r.weight, d1, d2);
    at(rows.statistic + kStatQ) = q;
    q_at(0) = is_there ? d1 : 0.0f;
    if (r.critic2 != nullptr) q_at(1) = is_there ? d2 : 0.0f;
  }

  // Slopes by the outputs, in their place.
  __device__ __forceinline__ void pull_back(bool is_there) const {
    const PolicyShape& shape = r.policy.shape;
    const int n_out = outputs_of(shape.network);
    float output[kMaxOutputs], u[kMaxOutputs], d_action[kMaxOutputs], d_output[kMaxOutputs];
    for (int j = 0; j < n_out; j++) output[j] = at(rows.outputs + j);
    for (int k = 0; k < shape.n_actions; k++) {
      u[k] = at(rows.u + k);
      d_action[k] = at(rows.critic[0] + rows.inputs + k);
      if (r.critic2 != nullptr) {
        d_action[k] = d_action[k] + at(rows.critic[1] + rows.inputs + k);
      }
    }
    if (is_there) q_policy_slopes(r, output, u, d_action, d_output);
    for (int j = 0; j < n_out; j++) at(rows.outputs + j) = is_there ? d_output[j] : 0.0f;
  }
};

// The observations of the first rows into those of another network; all threads.
__device__ __forceinline__ void copy_rows(const float* from, int rows, float* to) {
  for (int k = int(threadIdx.x); k < rows * kSampleStride; k += kGradientThreads) to[k] = from[k];
}

template <bool kShared>
__global__ void __launch_bounds__(kGradientThreads, 2)
    q_policy_gradient_kernel(const __grid_constant__ OverChunks<QPolicyGradientRequest> r,
                             const __grid_constant__ Segments segments) {
  const NetworkShape& network = r.policy.shape.network;
  const QPolicyRows rows(r);
  float* const work = chunk_work<kShared>(r.scratch, rows.all);
  float* const critic1 = work + long(rows.critic[0]) * kSampleStride;
  float* const critic2 = work + long(rows.critic[1]) * kSampleStride;
  const int s = int(threadIdx.x);
  const QPolicySample sample = {r, rows, work, s};
  for_chunks<kShared>(r, [&](int c) {
    const long first = long(c) * kChunkSamples;
    const int n = chunk_size(r.samples, c);
    unsigned* const notes = begin_notes();
    load_chunk(network, r.samples, r.policy.normalization, first, n, work);
    forward_chunk(network, r.policy.parameters, work);
    copy_rows(work, rows.inputs, critic1);
    if (r.critic2 != nullptr) copy_rows(work, rows.inputs, critic2);
    if (s < kChunkSamples) sample.act(first + s, s < n);
    forward_chunk(r.critic, r.critic1, critic1);
    if (r.critic2 != nullptr) forward_chunk(r.critic, r.critic2, critic2);
    if (s < kChunkSamples) sample.judge(s < n);
    backward_to_inputs(r.critic, r.critic1, critic1);
    if (r.critic2 != nullptr) backward_to_inputs(r.critic, r.critic2, critic2);
    if (s < kChunkSamples) sample.pull_back(s < n);
    float* const partial = r.partial + long(c) * r.stride;
    const int noted = backward_in<kShared, Arithmetic::kStrict>(network, r.policy.parameters, n,
                                                                work, partial, notes);
    sum_sample_rows(work + long(rows.own) * kSampleStride, q_policy_columns(r.policy.shape), n,
                    partial + layer_offset(network, network.n_layers));
    __syncthreads();
    end_notes(segments, noted, partial, notes, r.greatest + long(c) * kMaxSegments);
  });
}

inline LaunchStatus q_policy_gradient(const QPolicyGradientRequest& r, const CudaWork& on) {
  Segments segments;
  q_policy_segments(r.policy.shape, segments);
  const QPolicyRows rows(r);
  return sum_over_chunks(r, segments, r.gradient, chunk_scratch(rows.all, r.samples.count), nullptr,
                         on, [&](const OverChunks<QPolicyGradientRequest>& all) {
                           return launch_chunks("q_policy_gradient", rows.all, all,
                                                q_policy_gradient_kernel<true>,
                                                q_policy_gradient_kernel<false>, on, segments);
                         });
}

}  // namespace gallop::inline GALLOP_ISA
