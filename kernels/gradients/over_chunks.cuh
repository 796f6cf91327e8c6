// Operations over chunks of samples on a device (kernels/gradients/over_chunks.h).
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/gradients/over_chunks.h>
#include <gallop/kernels/device/for_each.cuh>
#include <gallop/kernels/reduce/partials.cuh>

namespace gallop::inline GALLOP_ISA {

// A counter of blocks behind the magnitudes of all chunks, for what adds them up.
template <class Request>
GALLOP_HD unsigned* arrivals(const OverChunks<Request>& r) {
  return reinterpret_cast<unsigned*>(r.greatest +
                                     long(chunk_count(r.samples.count)) * kMaxSegments);
}

// sum [segments.begin[segments.count]] over all chunks, whose kernel `launch(all)` puts on the
// stream; it has `scratch` floats to work in. `reduce(request, arrivals)` adds them up.
template <class Request, class Launch, class Reduce>
LaunchStatus launch_over_chunks(const Request& r, const Segments& segments, float* sum,
                                long scratch, const std::int32_t* active, const CudaWork& on,
                                const Launch& launch, const Reduce& reduce) {
  constexpr long kCounterFloats = 16;  // what follows stays aligned
  if (r.samples.count > kMostElements) return {kLaunchRefused, "an operation over samples"};
  OverChunks<Request> all = all_chunks(r);
  const long partials = partial_floats(segments, r.samples.count);
  float* const memory = on.array<float>(std::size_t(partials + kCounterFloats + scratch));
  use_partials(segments, memory, all);
  all.scratch = memory + partials + kCounterFloats;
  const LaunchStatus status = launch(all);
  if (!status.ok()) return status;
  ReduceRequest sums = {segments, all.end, all.partial, all.stride, all.greatest, sum, active};
  fix_parameters(r, sums);
  return reduce(sums, arrivals(all));
}
template <class Request, class Launch>
LaunchStatus sum_over_chunks(const Request& r, const Segments& segments, float* sum, long scratch,
                             const std::int32_t* active, const CudaWork& on, const Launch& launch) {
  return launch_over_chunks(
      r, segments, sum, scratch, active, on, launch,
      [&](const ReduceRequest& all, unsigned*) { return reduce_partials(all, on); });
}

}  // namespace gallop::inline GALLOP_ISA
