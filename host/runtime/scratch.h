#pragma once

#include <cstdlib>
#include <new>

#include <gallop/host/runtime/aligned_memory.h>

namespace gallop {

// Aligned memory that grows and is never given back before the end.
class Scratch {
 public:
  ~Scratch() { std::free(data_); }
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  float* floats(long count) {
    if (count > capacity_) {
      std::free(data_);
      data_ = nullptr;
      capacity_ = 0;
      const long wanted = count + count / 4 + 64;
      data_ = static_cast<float*>(allocate_aligned(wanted * sizeof(float)));
      if (data_ == nullptr) throw std::bad_alloc();
      capacity_ = wanted;
    }
    return data_;
  }
  float* data() const { return data_; }

 private:
  float* data_ = nullptr;
  long capacity_ = 0;
};

}  // namespace gallop
