// Operations over chunks of samples: every chunk leaves partial sums, which are then added
// order-free (reduce/partials.h).
#pragma once

#include <gallop/kernels/gradients/samples.h>
#include <gallop/kernels/reduce/partials.h>

namespace gallop {

// What a kernel over chunks is given besides its request: a share of the chunks, where their sums
// go, and memory to work in.
template <class Request>
struct OverChunks : Request {
  int begin, end;   // chunks
  float* partial;   // [chunks, stride]: element 0 belongs to chunk 0
  long stride;      // what is summed, in whole cache lines
  float* greatest;  // [chunks, kMaxSegments] magnitudes of each segment
  float* scratch;   // aligned to 64 bytes; the operation says how much it needs
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD int chunk_count(long samples) {
  return int((samples + kChunkSamples - 1) / kChunkSamples);
}

GALLOP_HD int chunk_size(const Samples& samples, int chunk) {
  const long left = samples.count - long(chunk) * kChunkSamples;
  return left < kChunkSamples ? int(left) : kChunkSamples;
}

template <class Request>
OverChunks<Request> all_chunks(const Request& r) {
  return {r, 0, chunk_count(r.samples.count), nullptr, 0, nullptr, nullptr};
}

// Sums of derivatives by parameters that are fixed are 0.
template <class Request>
void fix_parameters(const Request& r, ReduceRequest& sum) {
  if constexpr (requires { r.policy.fixed; }) {
    sum.fixed = r.policy.fixed;
    sum.n_fixed = sum.fixed != nullptr ? parameter_count(r.policy.shape) : 0;
  } else if constexpr (requires { r.fixed; }) {
    sum.fixed = r.fixed;
    sum.n_fixed = sum.fixed != nullptr ? sum.segments.begin[sum.segments.count] : 0;
  }
}

// Runs `kernel` over all chunks, with `scratch` floats for each thread from `memory` on.
template <class Request>
void split_chunks(const OverChunks<Request>& all, float* memory, long scratch, const CpuWork& on,
                  void (*kernel)(const OverChunks<Request>&)) {
  split(on, all.end, 1, [&](int thread, long begin, long end) {
    OverChunks<Request> part = all;
    part.begin = int(begin);
    part.end = int(end);
    part.scratch = memory + thread * whole_lines(scratch);
    kernel(part);
  });
}

// The same without partial sums.
template <class Request>
void over_chunks(const Request& r, long scratch, const CpuWork& on,
                 void (*kernel)(const OverChunks<Request>&)) {
  float* const memory = on.floats(on.owner, on.n_threads * whole_lines(scratch));
  split_chunks(all_chunks(r), memory, scratch, on, kernel);
}

// The room that the partial sums of all chunks take.
inline long partial_floats(const Segments& segments, long count) {
  return chunk_count(count) * (whole_lines(segments.begin[segments.count]) + kMaxSegments);
}
template <class Request>
void use_partials(const Segments& segments, float* memory, OverChunks<Request>& all) {
  all.stride = whole_lines(segments.begin[segments.count]);
  all.partial = memory;
  all.greatest = memory + all.end * all.stride;
}

// sum [segments.begin[segments.count]] over all chunks.
template <class F, class Request>
void sum_over_chunks(const Request& r, const Segments& segments, float* sum, long scratch,
                     const CpuWork& on, void (*kernel)(const OverChunks<Request>&)) {
  OverChunks<Request> all = all_chunks(r);
  const long partials = partial_floats(segments, r.samples.count);
  float* const memory = on.floats(on.owner, partials + on.n_threads * whole_lines(scratch));
  use_partials(segments, memory, all);
  split_chunks(all, memory + partials, scratch, on, kernel);
  ReduceRequest reduce = {segments, all.end, all.partial, all.stride, all.greatest, sum, nullptr};
  fix_parameters(r, reduce);
  reduce_partials<F>(reduce, on);
}

}  // namespace gallop::inline GALLOP_ISA
