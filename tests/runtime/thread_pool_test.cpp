// Every index exactly once, whatever the sizes, for many jobs in a row.
#include <gallop/host/runtime/thread_pool.h>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <numeric>

#include <gallop/host/error.h>
#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

TEST(ThreadPool, RunsEveryIndexExactlyOnce) {
  for (const int threads : {1, 2, 3, 4, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    Random random{std::uint64_t(threads)};
    std::vector<std::uint8_t> count;
    for (int job = 0; job < 3000; job++) {
      const long n = 1 + random.below(job % 50 == 0 ? 100000 : 200);
      const long grain = 1 + random.below(job % 3 == 0 ? 3 : 100);
      count.assign(n, 0);
      std::atomic<int> wrong{0};
      pool.run(n, grain, [&](int thread, long begin, long end) {
        const bool fits = thread >= 0 && thread < threads && begin % grain == 0 && begin < end &&
                          end <= n && end - begin <= grain;
        if (!fits) wrong++;
        for (long i = begin; i < end; i++) count[i]++;
      });
      ASSERT_EQ(wrong.load(), 0) << "threads " << threads << " n " << n << " grain " << grain;
      for (long i = 0; i < n; i++) {
        ASSERT_EQ(count[i], 1) << "index " << i << " of " << n << ", grain " << grain << ", job "
                               << job << ", threads " << threads;
      }
    }
  }
}

// What one job wrote, the next one reads, without any other synchronisation.
TEST(ThreadPool, JobsSeeWhatEarlierJobsWrote) {
  for (const int threads : {2, 4, 8}) {
    ThreadPool pool(threads);
    std::vector<long> a(1000), b(1000);
    std::iota(a.begin(), a.end(), 0);
    for (int round = 0; round < 2000; round++) {
      pool.run(1000, 37, [&](int, long begin, long end) {
        for (long i = begin; i < end; i++) b[i] = a[999 - i] + 1;
      });
      pool.run(1000, 53, [&](int, long begin, long end) {
        for (long i = begin; i < end; i++) a[i] = b[999 - i];
      });
    }
    for (long i = 0; i < 1000; i++) ASSERT_EQ(a[i], i + 2000);
  }
}

TEST(ThreadPool, ThreadsWakeAfterTheySlept) {
  ThreadPool pool(3);
  for (int round = 0; round < 20; round++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    std::atomic<long> sum{0};
    pool.run(100, 1, [&](int, long begin, long) { sum += begin; });
    ASSERT_EQ(sum.load(), 4950);
  }
}

TEST(ThreadPool, NothingToDoAndManyPools) {
  for (int round = 0; round < 300; round++) {
    ThreadPool pool(1 + round % 8);
    std::atomic<int> calls{0};
    pool.run(0, 5, [&](int, long, long) { calls++; });
    EXPECT_EQ(calls.load(), 0);
    if (round % 2 == 0) pool.run(round, 4, [&](int, long, long) { calls++; });
    EXPECT_EQ(calls.load(), round % 2 == 0 ? (round + 3) / 4 : 0);
  }
  EXPECT_EQ(ThreadPool(0).size(), 1);
}

// A system that gives fewer threads than were asked for: those that were started end, and the error
// says how many there were.
TEST(ThreadPool, ThreadsThatCannotBeStartedAreAnError) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs more memory than the limit leaves";
#endif
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit = {400 << 20, 400 << 20};
    ::setrlimit(RLIMIT_AS, &limit);
    try {
      ThreadPool pool(1000);
      ::_exit(1);
    } catch (const Error& error) {
      const std::string text = error.what();
      const bool said = text.find("of 1000") != std::string::npos;
      ::_exit(said && error.code() == ExitCode::io ? 0 : 2);
    } catch (...) {
      ::_exit(3);
    }
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace gallop::testing
