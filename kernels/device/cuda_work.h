#pragma once

#include <cstddef>

namespace gallop {

// What an operation works with on a CUDA device: a stream, on which launchers put their kernels,
// and memory of the device.
struct CudaWork {
  void* stream;  // cudaStream_t
  void* owner;
  // Aligned to 256 bytes, undefined contents; the operation's own until its kernels have run. Takes
  // back what the call before gave, so that an operation asks once.
  void* (*bytes)(void* owner, std::size_t count);

  template <class T>
  T* array(std::size_t count) const {
    return count == 0 ? nullptr : static_cast<T*>(bytes(owner, count * sizeof(T)));
  }
};

}  // namespace gallop
