#pragma once

namespace gallop::executor {

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
