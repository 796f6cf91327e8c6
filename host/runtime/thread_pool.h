#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

namespace gallop {

// Threads that share loops by a static partition: which thread runs which index depends on nothing
// but the two counts. Not reentrant; one caller at a time.
class ThreadPool {
 public:
  // n_threads >= 1 in all, the caller included.
  explicit ThreadPool(int n_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return n_threads_; }

  // Calls body(thread, begin, end) once on each thread with its share of [0, n), in blocks of
  // `grain` indices; threads without a share are left out. Returns when all are done. The body must
  // not throw.
  void run(long n, long grain, const std::function<void(int, long, long)>& body);

 private:
  void work(int thread);
  void run_share(int thread);

  int n_threads_;
  std::vector<std::thread> threads_;
  std::atomic<unsigned> generation_{0};
  std::atomic<int> pending_{0};
  std::atomic<bool> stopping_{false};
  long n_ = 0, grain_ = 1;
  const std::function<void(int, long, long)>* body_ = nullptr;
};

}  // namespace gallop
