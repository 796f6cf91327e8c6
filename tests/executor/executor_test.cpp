#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/executor/cuda_executor.h"
#include "tests/executor/sanitizer.h"

// The kernels come after the executor.
#include <gallop/kernels/device/for_each.cuh>
#include "tests/executor/test_kernels.cuh"

namespace gallop::test {
namespace {

using executor::KernelFault;
using executor::Options;
using executor::ScopedOptions;
using executor::ThreadOrder;

class ExecutorInEveryOrder : public testing::TestWithParam<ThreadOrder> {
 protected:
  ScopedOptions options_{Options{.order = GetParam(), .n_host_threads = 2}};
};

INSTANTIATE_TEST_SUITE_P(Orders, ExecutorInEveryOrder, testing::ValuesIn(executor::kAllOrders));

std::vector<float> ramp(int n) {
  std::vector<float> values(static_cast<std::size_t>(n));
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}

TEST_P(ExecutorInEveryOrder, ReducesOverManyBlocks) {
  const int n = 10'001;  // the last block is partial
  std::vector<float> values(n);
  int n_large = 0;
  for (int i = 0; i < n; ++i) {
    values[i] = static_cast<float>(i * 7919 % 1024) / 1024.0f;  // exact in every order of addition
    n_large += values[i] > 0.5f ? 1 : 0;
  }
  float sum = 0.0f;
  int counted = 0;
  const LaunchConfig config{
      .name = "sum_and_count", .grid = blocks_for(n, kBlockSize), .block = kBlockSize};
  EXPECT_TRUE(launch(config, sum_and_count, values.data(), n, &sum, &counted).ok());
  EXPECT_EQ(sum, std::accumulate(values.begin(), values.end(), 0.0f));
  EXPECT_EQ(counted, n_large);
}

TEST_P(ExecutorInEveryOrder, BarrierOrdersSharedMemory) {
  const std::vector<float> in = ramp(64);
  std::vector<float> out(64, -1.0f);
  const LaunchConfig config{.name = "rotate", .block = 64, .shared_bytes = 64 * sizeof(float)};
  EXPECT_TRUE(launch(config, rotate, in.data(), out.data(), true).ok());
  for (int i = 0; i < 64; ++i) EXPECT_EQ(out[i], in[(i + 1) % 64]) << i;
}

TEST_P(ExecutorInEveryOrder, CudaNotationForSharedMemoryWorks) {
  const std::vector<float> in = ramp(kBlockSize);
  std::vector<float> out(kBlockSize, -1.0f);
  EXPECT_TRUE(
      launch({.name = "rotate_static", .block = kBlockSize}, rotate_static, in.data(), out.data())
          .ok());
  for (int i = 0; i < kBlockSize; ++i) EXPECT_EQ(out[i], in[(i + 1) % kBlockSize]) << i;
}

TEST_P(ExecutorInEveryOrder, EveryThreadOfEveryBlockRunsOnce) {
  const dim3 grid(3, 4, 5);
  const dim3 block(7, 3, 2);
  std::vector<unsigned> visits(60 * 42, 0u);
  EXPECT_TRUE(launch({.name = "locate", .grid = grid, .block = block}, locate, visits.data()).ok());
  EXPECT_EQ(visits, std::vector<unsigned>(60 * 42, 1u));
}

TEST_P(ExecutorInEveryOrder, AtomicsLoseNothing) {
  constexpr unsigned kThreads = 40 * 64;
  constexpr unsigned kSum = kThreads * (kThreads - 1) / 2;
  AtomicTargets targets{};
  EXPECT_TRUE(launch({.name = "use_atomics", .grid = 40, .block = 64}, use_atomics, &targets).ok());
  int largest = 0;
  for (unsigned g = 0; g < kThreads; ++g) {
    largest = std::max(largest, static_cast<int>(g * 7919u % 10007u));
  }
  EXPECT_EQ(targets.add_int, -static_cast<int>(kSum));
  EXPECT_EQ(targets.add_unsigned, kSum);
  EXPECT_EQ(targets.add_long, static_cast<unsigned long long>(kSum) << 32);
  EXPECT_EQ(targets.add_float, static_cast<float>(kSum));
  EXPECT_EQ(targets.max_int, largest);
  EXPECT_EQ(targets.min_int, -largest);
  EXPECT_EQ(targets.cas_sum, kSum);
  EXPECT_EQ(targets.lost + targets.exchanged, kSum);
}

TEST_P(ExecutorInEveryOrder, CorrectMeetingsPass) {
  EXPECT_TRUE(launch({.name = "meet", .block = 64}, meet, BarrierMistake::kNone).ok());
}

int wrong_values(ThreadOrder order, bool with_barrier) {
  const ScopedOptions options(Options{.order = order});
  const std::vector<float> in = ramp(64);
  std::vector<float> out(64, -1.0f);
  const LaunchConfig config{.name = "rotate", .block = 64, .shared_bytes = 64 * sizeof(float)};
  EXPECT_TRUE(launch(config, rotate, in.data(), out.data(), with_barrier).ok());
  int n_wrong = 0;
  for (int i = 0; i < 64; ++i) n_wrong += out[i] == in[(i + 1) % 64] ? 0 : 1;
  return n_wrong;
}

TEST(Executor, MissingBarrierShowsInEachOrderAsNeverWrittenMemory) {
  EXPECT_EQ(wrong_values(ThreadOrder::kForward, true), 0);
  EXPECT_EQ(wrong_values(ThreadOrder::kForward, false), 63);
  EXPECT_EQ(wrong_values(ThreadOrder::kReverse, false), 1);
  EXPECT_GT(wrong_values(ThreadOrder::kScattered, false), 1);
}

bool shifts_correctly(ThreadOrder order, bool second_barrier) {
  const ScopedOptions options(Options{.order = order});
  std::vector<float> out(64, -1.0f);
  const LaunchConfig config{
      .name = "shift_repeatedly", .block = 64, .shared_bytes = 64 * sizeof(float)};
  EXPECT_TRUE(launch(config, shift_repeatedly, out.data(), 5, second_barrier).ok());
  for (int i = 0; i < 64; ++i) {
    if (out[i] != static_cast<float>((i + 5) % 64)) return false;
  }
  return true;
}

TEST(Executor, SomeOrderFindsTheMissingBarrierBetweenPhases) {
  int n_found = 0;
  for (const ThreadOrder order : executor::kAllOrders) {
    EXPECT_TRUE(shifts_correctly(order, true));
    n_found += shifts_correctly(order, false) ? 0 : 1;
  }
  EXPECT_GE(n_found, 2);
}

// Runs `meet` with a planted mistake and returns the fault.
std::string fault_of(BarrierMistake mistake, ThreadOrder order) {
  const ScopedOptions options(Options{.order = order});
  try {
    static_cast<void>(launch({.name = "meet", .grid = 3, .block = 32}, meet, mistake));
  } catch (const KernelFault& fault) {
    EXPECT_EQ(fault.kernel(), "meet");
    return fault.what();
  }
  return "no fault";
}

TEST(Executor, DivergentMeetingsAreFaultsInEveryOrder) {
  const std::pair<BarrierMistake, const char*> expected[] = {
      {BarrierMistake::kDifferentBarriers, "divergent barrier"},
      {BarrierMistake::kBarrierAgainstWarp, "deadlock"},
      {BarrierMistake::kEarlyReturn, "returned from the kernel"},
      {BarrierMistake::kWarpEarlyReturn, "returned from the kernel"},
      {BarrierMistake::kNotInOwnMask, "missing from its own mask 0x0000ffff"},
      {BarrierMistake::kDifferentMasks, "__syncwarp at "},
  };
  for (const auto& [mistake, reason] : expected) {
    for (const ThreadOrder order : executor::kAllOrders) {
      const std::string fault = fault_of(mistake, order);
      EXPECT_NE(fault.find(reason), std::string::npos) << fault;
      EXPECT_NE(fault.find("kernel meet, block ("), std::string::npos) << fault;
    }
  }
}

TEST(Executor, FaultNamesBlockThreadAndLine) {
  const std::string fault = fault_of(BarrierMistake::kNotInOwnMask, ThreadOrder::kForward);
  EXPECT_NE(fault.find("block (0, 0, 0), thread (16, 0, 0): lane 16 is missing"), std::string::npos)
      << fault;
  EXPECT_NE(fault.find("__syncwarp at "), std::string::npos) << fault;
  EXPECT_NE(fault.find("test_kernels.cuh:"), std::string::npos) << fault;
}

TEST(Executor, RunsOnAfterAFault) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_NE(fault_of(BarrierMistake::kBarrierAgainstWarp, ThreadOrder::kForward), "no fault");
    EXPECT_EQ(wrong_values(ThreadOrder::kForward, true), 0);
  }
}

template <class T>
std::vector<T> shuffled(Shuffle kind, int argument, int width) {
  std::vector<T> values(32);
  std::iota(values.begin(), values.end(), T{100});
  EXPECT_TRUE(
      launch({.name = "shuffle", .block = 32}, shuffle<T>, kind, argument, width, values.data())
          .ok());
  for (T& value : values) value -= T{100};
  return values;
}

TEST_P(ExecutorInEveryOrder, TotalsOfABlockReachEveryThread) {
  for (const unsigned n : {32u, 64u, 256u, 1024u}) {
    std::vector<std::int64_t> values(n);
    std::int64_t sum = 0;
    for (unsigned i = 0; i < n; ++i) {
      values[i] = (std::int64_t{i} * 7919 % 4096 + 1) << 40 | (i * 31 % 1021 + 3);
      sum += values[i];
    }
    std::uint32_t greatest = 0, least = ~0u;
    for (const std::int64_t value : values) {
      greatest = std::max(greatest, std::uint32_t(value));
      least = std::min(least, std::uint32_t(value));
    }
    std::vector<BlockTotals> totals(n);
    EXPECT_TRUE(
        launch({.name = "total", .block = n}, total_of_block, values.data(), totals.data()).ok());
    for (const BlockTotals& total : totals) {
      EXPECT_EQ(total.greatest, greatest);
      EXPECT_EQ(total.least, least);
      EXPECT_EQ(total.sum, sum);
      EXPECT_EQ(total.negative, -sum);
    }
  }
}

TEST(Executor, ShufflesFollowTheirSegments) {
  for (const int width : {32, 8}) {
    for (int l = 0; l < 32; ++l) {
      const int first = l / width * width;
      const int last = first + width - 1;
      EXPECT_EQ(shuffled<int>(Shuffle::kIndexed, 3, width)[l], first + 3);
      EXPECT_EQ(shuffled<float>(Shuffle::kUp, 3, width)[l], l - 3 < first ? l : l - 3);
      EXPECT_EQ(shuffled<double>(Shuffle::kDown, 3, width)[l], l + 3 > last ? l : l + 3);
      EXPECT_EQ(shuffled<long long>(Shuffle::kXor, 5, width)[l], l ^ 5);
    }
  }
}

TEST(Executor, ShuffleFromAnAbsentLaneIsPoison) {
  std::vector<float> values(32, 1.0f);
  EXPECT_TRUE(launch({.name = "shuffle", .block = 32}, shuffle<float>, Shuffle::kAbsentLane, 0, 32,
                     values.data())
                  .ok());
  EXPECT_EQ(values[14], 1.0f);
  EXPECT_TRUE(std::isnan(values[15]));
}

TEST(Executor, VotesOfWarpsAndBlocks) {
  for (const int threshold : {0, 5, 40, 64}) {
    std::vector<Votes> votes(64);
    EXPECT_TRUE(launch({.name = "vote", .block = 64}, vote, threshold, votes.data()).ok());
    for (int i = 0; i < 64; ++i) {
      const int warp_begin = i / 32 * 32;
      unsigned ballot = 0;
      for (int l = 0; l < 32; ++l) ballot |= warp_begin + l >= threshold ? 1u << l : 0u;
      EXPECT_EQ(votes[i].ballot, ballot);
      EXPECT_EQ(votes[i].any != 0, ballot != 0);
      EXPECT_EQ(votes[i].all != 0, ballot == kFullWarp);
      EXPECT_EQ(votes[i].block_any != 0, threshold < 64);
      EXPECT_EQ(votes[i].block_all != 0, threshold == 0);
      EXPECT_EQ(votes[i].block_count, 64 - threshold);
    }
  }
}

TEST(Executor, PartialWarpMeetsWithTheFullMask) {
  const ScopedOptions options(Options{.order = ThreadOrder::kScattered});
  std::vector<Votes> votes(40);
  EXPECT_TRUE(launch({.name = "vote", .block = 40}, vote, 0, votes.data()).ok());
  EXPECT_EQ(votes[39].ballot, 0xffu);
  EXPECT_NE(votes[39].all, 0);
  EXPECT_EQ(votes[39].block_count, 40);
}

TEST(Executor, SharedMemoryIsPoisonedBeforeEachBlock) {
  float value = 0.0f;
  const LaunchConfig config{.name = "touch_shared", .block = 1, .shared_bytes = 16};
  EXPECT_TRUE(launch(config, touch_shared, -1, 2, &value).ok());
  EXPECT_TRUE(launch(config, touch_shared, 2, -1, &value).ok());
  EXPECT_TRUE(std::isnan(value));
  value = 0.0f;
  EXPECT_TRUE(
      launch({.name = "touch_static_shared", .block = 1}, touch_static_shared, 3, -1, &value).ok());
  EXPECT_TRUE(std::isnan(value));
}

#if GALLOP_ADDRESS_SANITIZER

TEST(ExecutorDeathTest, ReadBeyondSharedMemoryIsFound) {
  float value = 0.0f;
  const LaunchConfig config{.name = "touch_shared", .block = 32, .shared_bytes = 12};
  EXPECT_TRUE(launch(config, touch_shared, 2, 2, &value).ok());
  EXPECT_DEATH(static_cast<void>(launch(config, touch_shared, 3, -1, &value)),
               "heap-buffer-overflow");
  EXPECT_DEATH(static_cast<void>(launch({.name = "touch_static_shared", .block = 1},
                                        touch_static_shared, 4, -1, &value)),
               "heap-buffer-overflow");
}

#else

TEST(Executor, WriteBeyondSharedMemoryIsAFault) {
  float value = 0.0f;
  const LaunchConfig config{.name = "touch_shared", .block = 32, .shared_bytes = 12};
  EXPECT_TRUE(launch(config, touch_shared, 2, 2, &value).ok());
  EXPECT_THROW(static_cast<void>(launch(config, touch_shared, -1, 3, &value)), KernelFault);
  EXPECT_THROW(static_cast<void>(launch({.name = "touch_static_shared", .block = 1},
                                        touch_static_shared, -1, 4, &value)),
               KernelFault);
}

#endif

TEST(Executor, LaunchesThatADeviceRefusesAreFaults) {
  float value = 0.0f;
  const LaunchConfig refused[] = {{.name = "wide", .block = 1025},
                                  {.name = "empty", .grid = 0},
                                  {.name = "hungry", .shared_bytes = 228 * 1024}};
  for (const LaunchConfig& config : refused) {
    EXPECT_THROW(static_cast<void>(launch(config, touch_shared, -1, -1, &value)), KernelFault)
        << config.name;
  }
}

// A block's limits are of static and dynamic arrays together: 48 KiB for launches that do not ask
// the device for more, which `launch` does where the two may come to that.
TEST(Executor, SharedMemoryIsLimitedByTheDevice) {
  float out = 0.0f;
  const auto run = [&](std::size_t bytes, bool asks) {
    executor::run_grid({"touch_both", 1, 32, bytes, [&] { touch_both_shared(&out); }, asks});
  };
  const std::size_t all = 48 * 1024, fixed = 64 * sizeof(float);
  EXPECT_NO_THROW(run(all - fixed, false));
  EXPECT_THROW(run(all - fixed + 16, false), KernelFault);
  EXPECT_THROW(run(all + 16, false), KernelFault);
  for (const executor::DeviceModel& model : executor::kDeviceModels) {
    SCOPED_TRACE(model.name);
    const ScopedOptions options(Options{.device = model});
    EXPECT_NO_THROW(run(model.shared_bytes - fixed, true));
    EXPECT_THROW(run(model.shared_bytes - fixed + 16, true), KernelFault);
    for (std::size_t bytes = all - 2 * fixed; bytes <= all + 2 * fixed; bytes += 16) {
      EXPECT_TRUE(launch({.name = "touch_both", .block = 32, .shared_bytes = bytes},
                         touch_both_shared, &out)
                      .ok());
    }
  }
}

TEST(Executor, DevicesAreNamedByTheEnvironment) {
  ASSERT_EQ(setenv("GALLOP_EXECUTOR_DEVICE", "sm_86", 1), 0);
  EXPECT_EQ(Options{}.device.shared_bytes, 99u * 1024u);
  ASSERT_EQ(setenv("GALLOP_EXECUTOR_DEVICE", "sm_75", 1), 0);
  EXPECT_THROW(Options{}, std::invalid_argument);
  ASSERT_EQ(unsetenv("GALLOP_EXECUTOR_DEVICE"), 0);
  EXPECT_STREQ(Options{}.device.name, "sm_90");
}

TEST(Executor, AnIntrinsicOutsideOfAKernelThrows) {
  EXPECT_THROW(__syncthreads(), std::logic_error);
}

struct SquareEach {
  const float* in;
  float* out;
  void operator()(long i) const { out[i] = in[i] * in[i]; }
};

TEST_P(ExecutorInEveryOrder, ForEachVisitsEveryElement) {
  for (const int n : {0, 1, 127, 128, 1000}) {
    const std::vector<float> in = ramp(n);
    std::vector<float> out(in.size(), -1.0f);
    EXPECT_TRUE(for_each("square", n, nullptr, SquareEach{in.data(), out.data()}).ok());
    for (int i = 0; i < n; ++i) EXPECT_EQ(out[i], in[i] * in[i]) << i << " of " << n;
  }
}

TEST(Executor, OptionsEndWithTheirScope) {
  {
    const ScopedOptions options(Options{.order = ThreadOrder::kReverse, .n_host_threads = 3});
    EXPECT_EQ(executor::current_options().n_host_threads, 3);
  }
  EXPECT_EQ(executor::current_options().n_host_threads, 1);
  EXPECT_EQ(executor::current_options().order, ThreadOrder::kForward);
}

}  // namespace
}  // namespace gallop::test
