#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace gallop {

// Threads that share loops. The loop is cut into blocks of fixed bounds; threads take blocks as
// they come free, so a thread that is not scheduled holds nobody up. Who computes a block must
// therefore not matter: blocks write to places of their own, or add integers. Not reentrant; one
// caller at a time.
class ThreadPool {
 public:
  // n_threads >= 1 in all, the caller included. Throws an I/O error that says how many there could
  // be where the system gives fewer.
  explicit ThreadPool(int n_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return n_threads_; }

  // Calls body(thread, begin, end) for [0, n) in blocks of `grain` indices and returns when all are
  // done. The body must not throw.
  void run(long n, long grain, const std::function<void(int, long, long)>& body);

 private:
  void work(int thread);
  void join();
  void take_blocks(int thread, std::uint32_t job);

  int n_threads_;
  int process_;  // that made the threads
  std::vector<std::thread> threads_;
  // Job number << 32 | next block. A job is closed, its block kClosed, while the fields below
  // change, so a thread that comes late can take no block of it.
  std::atomic<std::uint64_t> ticket_;
  std::atomic<std::uint32_t> job_{0};  // the last job that was opened; threads sleep on it
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint32_t> blocks_{0}, done_{0};
  std::atomic<long> n_{0}, grain_{1};
  std::atomic<const std::function<void(int, long, long)>*> body_{nullptr};
};

}  // namespace gallop
