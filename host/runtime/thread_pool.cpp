#include <gallop/host/runtime/thread_pool.h>

#include <fmt/format.h>
#include <immintrin.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include <gallop/host/error.h>

namespace gallop {
namespace {

// The loops of a minibatch are tens of microseconds apart, so waiting spins for about as long
// before it sleeps.
constexpr int kSpins = 2000;
constexpr std::uint32_t kClosed = 0xffffffffu;

std::uint64_t ticket_of(std::uint32_t job, std::uint32_t block) {
  return std::uint64_t(job) << 32 | block;
}

}  // namespace

ThreadPool::ThreadPool(int n_threads)
    : n_threads_(std::max(n_threads, 1)), process_(::getpid()), ticket_(ticket_of(0, kClosed)) {
  try {
    threads_.reserve(std::size_t(n_threads_ - 1));
    for (int thread = 1; thread < n_threads_; thread++) {
      threads_.emplace_back([this, thread] { work(thread); });
    }
  } catch (const std::system_error& error) {
    const std::size_t started = threads_.size();
    join();
    throw Error(ExitCode::io,
                fmt::format("cannot start thread {} of {}: {}; ask for fewer (--threads), or raise "
                            "the limit of threads or memory (ulimit -u, ulimit -v)",
                            started + 2, n_threads_, error.code().message()));
  } catch (...) {
    join();
    throw;
  }
}

ThreadPool::~ThreadPool() {
  if (::getpid() == process_) {
    join();
    return;
  }
  // A child of fork() has none of these threads: to wait for one would be for ever, and what the
  // handles point to is gone. run() goes on there with the caller alone.
  new std::vector<std::thread>(std::move(threads_));
}

void ThreadPool::join() {
  stopping_ = true;
  job_.fetch_add(1);
  job_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::take_blocks(int thread, std::uint32_t job) {
  while (true) {
    std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
    const std::uint32_t block = std::uint32_t(ticket);
    if (std::uint32_t(ticket >> 32) != job || block == kClosed) return;
    const std::uint32_t blocks = blocks_.load(std::memory_order_relaxed);
    const long n = n_.load(std::memory_order_relaxed);
    const long grain = grain_.load(std::memory_order_relaxed);
    const auto* body = body_.load(std::memory_order_relaxed);
    if (block >= blocks) return;
    // Success means that the job was open until now, hence that the fields read belong to it.
    if (!ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel)) continue;
    const long begin = long(block) * grain;
    (*body)(thread, begin, std::min(begin + grain, n));
    if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == blocks) done_.notify_one();
  }
}

void ThreadPool::work(int thread) {
  std::uint32_t seen = 0;
  while (true) {
    for (int spin = 0; spin < kSpins && job_.load(std::memory_order_acquire) == seen; spin++) {
      _mm_pause();
    }
    job_.wait(seen, std::memory_order_acquire);
    seen = job_.load(std::memory_order_acquire);
    if (stopping_) return;
    take_blocks(thread, seen);
  }
}

void ThreadPool::run(long n, long grain, const std::function<void(int, long, long)>& body) {
  if (n <= 0) return;
  const std::uint32_t blocks = std::uint32_t((n + grain - 1) / grain);
  if (n_threads_ == 1 || blocks == 1) {
    for (long begin = 0; begin < n; begin += grain) body(0, begin, std::min(begin + grain, n));
    return;
  }
  const std::uint32_t job = job_.load(std::memory_order_relaxed) + 1;
  ticket_.store(ticket_of(job, kClosed), std::memory_order_seq_cst);
  n_.store(n, std::memory_order_relaxed);
  grain_.store(grain, std::memory_order_relaxed);
  body_.store(&body, std::memory_order_relaxed);
  blocks_.store(blocks, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  ticket_.store(ticket_of(job, 0), std::memory_order_release);
  job_.store(job, std::memory_order_release);
  job_.notify_all();
  take_blocks(0, job);
  for (int spin = 0; spin < kSpins && done_.load(std::memory_order_acquire) != blocks; spin++) {
    _mm_pause();
  }
  for (std::uint32_t done = done_.load(std::memory_order_acquire); done != blocks;
       done = done_.load(std::memory_order_acquire)) {
    done_.wait(done, std::memory_order_acquire);
  }
}

}  // namespace gallop
