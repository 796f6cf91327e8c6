#pragma once

#include <cstddef>

namespace gallop::executor {

// The limits of a device that decide how kernels are launched: shared memory that a block may ask
// for, and multiprocessors.
struct DeviceModel {
  const char* name;
  std::size_t shared_bytes;
  int multiprocessors;
};

// One device of each compute capability that a build may be made for; shared memory by the CUDA C++
// Programming Guide, table "Technical Specifications per Compute Capability".
inline constexpr DeviceModel kDeviceModels[] = {
    {"sm_80", 163 * 1024, 108}, {"sm_86", 99 * 1024, 84},    {"sm_89", 99 * 1024, 128},
    {"sm_90", 227 * 1024, 132}, {"sm_100", 227 * 1024, 148}, {"sm_120", 99 * 1024, 170}};

// The one that GALLOP_EXECUTOR_DEVICE names, sm_90 where it is empty or not set. Throws for
// anything else.
const DeviceModel& device_model();

// The order in which the threads of a block, and the blocks of a grid, take their turns. One order
// does not find a missing barrier: a reader that follows its writer by luck meets it in another.
enum class ThreadOrder { kForward, kReverse, kScattered };

inline constexpr ThreadOrder kAllOrders[] = {ThreadOrder::kForward, ThreadOrder::kReverse,
                                             ThreadOrder::kScattered};

struct Options {
  ThreadOrder order = ThreadOrder::kForward;
  int n_host_threads = 1;
  // Written over all shared memory before each block: as a float 0xff... is a NaN, as an index -1.
  unsigned char poison = 0xff;
  DeviceModel device = device_model();
};

// The options that launches of this host thread use.
const Options& current_options();

// Replaces them until the end of the scope.
class ScopedOptions {
 public:
  explicit ScopedOptions(const Options& options);
  ScopedOptions(const ScopedOptions&) = delete;
  ScopedOptions& operator=(const ScopedOptions&) = delete;
  ~ScopedOptions();

 private:
  Options previous_;
};

}  // namespace gallop::executor
