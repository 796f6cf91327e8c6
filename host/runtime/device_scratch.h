#pragma once

#include <cstddef>

#include <gallop/host/runtime/cuda_backend.h>

namespace gallop {

// Device memory that grows and is given back at the end. `generation` counts what grew: pointers
// from before are no longer valid.
class DeviceScratch {
 public:
  DeviceScratch(KernelDevice& device, long& generation)
      : device_(device), generation_(generation) {}
  ~DeviceScratch() {
    if (data_ != nullptr) device_.release(data_);
  }
  DeviceScratch(const DeviceScratch&) = delete;
  DeviceScratch& operator=(const DeviceScratch&) = delete;

  void* bytes(std::size_t count) {
    if (count > capacity_) {
      if (data_ != nullptr) device_.release(data_);
      data_ = nullptr;
      capacity_ = 0;
      generation_++;
      data_ = device_.allocate(count + count / 4);
      capacity_ = count + count / 4;
    }
    return data_;
  }
  float* floats(long count) {
    return count == 0 ? nullptr : static_cast<float*>(bytes(std::size_t(count) * sizeof(float)));
  }

 private:
  KernelDevice& device_;
  long& generation_;
  void* data_ = nullptr;
  std::size_t capacity_ = 0;
};

}  // namespace gallop
