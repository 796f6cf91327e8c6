// The executor's device with a count of what is captured and repeated.
#pragma once

#include <utility>

#include "tests/cuda/forwarding_device.h"

namespace gallop::testing {

class CountingDevice : public ForwardingDevice {
 public:
  struct Counts {
    int captures = 0, launches = 0;
  };
  explicit CountingDevice(Counts& counts) : counts_(counts) {}

  std::unique_ptr<KernelGraph> capture(const std::function<void()>& launches) override {
    counts_.captures++;
    return std::make_unique<Graph>(ForwardingDevice::capture(launches), counts_);
  }

 private:
  struct Graph : KernelGraph {
    Graph(std::unique_ptr<KernelGraph> graph, Counts& counts)
        : inner(std::move(graph)), counted(counts) {}
    void launch() override {
      counted.launches++;
      inner->launch();
    }
    std::unique_ptr<KernelGraph> inner;
    Counts& counted;
  };
  Counts& counts_;
};

}  // namespace gallop::testing
