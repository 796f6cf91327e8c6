#include "host/runtime/thread_pool.h"

#include <immintrin.h>

namespace gallop {
namespace {

// A minibatch's loops are tens of microseconds apart, so waiting spins for about as long before it
// sleeps.
constexpr int kSpins = 4000;

}  // namespace

ThreadPool::ThreadPool(int n_threads) : n_threads_(n_threads < 1 ? 1 : n_threads) {
  for (int thread = 1; thread < n_threads_; thread++) {
    threads_.emplace_back([this, thread] { work(thread); });
  }
}

ThreadPool::~ThreadPool() {
  stopping_ = true;
  generation_.fetch_add(1);
  generation_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::run_share(int thread) {
  const long blocks = (n_ + grain_ - 1) / grain_;
  const long begin = blocks * thread / n_threads_ * grain_;
  const long end = blocks * (thread + 1) / n_threads_ * grain_;
  if (begin < end) (*body_)(thread, begin, end < n_ ? end : n_);
}

void ThreadPool::work(int thread) {
  unsigned seen = 0;
  while (true) {
    for (int spin = 0; spin < kSpins && generation_.load(std::memory_order_acquire) == seen;
         spin++) {
      _mm_pause();
    }
    generation_.wait(seen, std::memory_order_acquire);
    seen = generation_.load(std::memory_order_acquire);
    if (stopping_) return;
    run_share(thread);
    if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_one();
  }
}

void ThreadPool::run(long n, long grain, const std::function<void(int, long, long)>& body) {
  n_ = n;
  grain_ = grain;
  body_ = &body;
  if (n_threads_ == 1 || n <= grain) {
    if (n > 0) body(0, 0, n);
    return;
  }
  pending_.store(n_threads_ - 1, std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  run_share(0);
  for (int spin = 0; spin < kSpins && pending_.load(std::memory_order_acquire) != 0; spin++) {
    _mm_pause();
  }
  for (int left = pending_.load(std::memory_order_acquire); left != 0;
       left = pending_.load(std::memory_order_acquire)) {
    pending_.wait(left, std::memory_order_acquire);
  }
}

}  // namespace gallop
