#pragma once

#include <numeric>
#include <vector>

#include "host/runtime/scratch.h"
#include "host/runtime/thread_pool.h"
#include "kernels/gradients/gradient.h"

namespace gallop {

// How operations of the CPU backend are split over its threads, and the memory that each works in.
// Shares are fixed by sizes and the number of threads; the bits depend on neither.
class CpuWork {
 protected:
  explicit CpuWork(int n_threads) : pool_(n_threads), scratch_(pool_.size()) {}

  // sum of row_sum(k): integers, which add up to the same in any order.
  template <class RowSum>
  std::int64_t sum_over_rows(long rows, const RowSum& row_sum) {
    std::vector<std::int64_t> sums(pool_.size(), 0);
    pool_.run(rows, share(rows, 1), [&](int thread, long begin, long end) {
      for (long k = begin; k < end; k++) sums[thread] += row_sum(k);
    });
    return std::accumulate(sums.begin(), sums.end(), std::int64_t(0));
  }

  // Runs a kernel over n elements or instances, in blocks of a multiple of `grain`.
  template <class Request>
  void over_elements(const Request& r, long n, long grain, void (*kernel)(const Request&)) {
    pool_.run(n, share(n, grain), [&](int, long begin, long end) {
      Request part = r;
      part.begin = decltype(part.begin)(begin);
      part.end = decltype(part.end)(end);
      kernel(part);
    });
  }
  // The same for kernels that are given their range apart.
  template <class Request>
  void over_range(const Request& r, long n, long grain,
                  void (*kernel)(const Request&, long, long)) {
    pool_.run(n, share(n, grain), [&](int, long begin, long end) { kernel(r, begin, end); });
  }

  // Runs a kernel of the learner that goes over chunks of samples; scratch has been reserved.
  template <class Request>
  void over_chunks(const Request& r, int n_chunks, void (*kernel)(const Request&)) {
    pool_.run(n_chunks, share(n_chunks, 1), [&](int thread, long begin, long end) {
      Request part = r;
      part.begin = int(begin);
      part.end = int(end);
      part.scratch = scratch_[thread].data();
      kernel(part);
    });
  }

  // Scratch of that size for every thread, before a loop begins: its body must not throw.
  void reserve(long floats) {
    for (Scratch& scratch : scratch_) scratch.floats(floats);
  }

  // Indices of a block of a loop over n: a multiple of `unit`, two blocks a thread.
  long share(long n, long unit) const {
    const long blocks = 2L * pool_.size();
    const long per_block = (n + blocks - 1) / blocks;
    return (per_block + unit - 1) / unit * unit;
  }

  // Room for the partial sums of all chunks.
  int prepare(const Segments& segments, long count, float*& partial, long& stride,
              float*& greatest) {
    const int n_chunks = chunk_count(count);
    stride = (segments.begin[segments.count] + 15) / 16 * 16;
    partial = partial_.floats(long(n_chunks) * (stride + kMaxSegments));
    greatest = partial + long(n_chunks) * stride;
    return n_chunks;
  }

  ThreadPool pool_;
  std::vector<Scratch> scratch_;  // of each thread
  Scratch partial_;               // of all chunks
};

}  // namespace gallop
