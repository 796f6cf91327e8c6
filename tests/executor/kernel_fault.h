#pragma once

#include <stdexcept>
#include <string>

#include "tests/executor/cuda_language.h"

namespace gallop::executor {

// What CUDA leaves undefined and the executor refuses. Thrown by launch; names the kernel, the
// block and the thread.
class KernelFault : public std::runtime_error {
 public:
  KernelFault(const std::string& kernel, uint3 block, uint3 thread, const std::string& reason)
      : std::runtime_error("kernel " + kernel + ", block " + text(block) + ", thread " +
                           text(thread) + ": " + reason),
        kernel_(kernel),
        block_(block),
        thread_(thread) {}

  const std::string& kernel() const { return kernel_; }
  uint3 block() const { return block_; }
  uint3 thread() const { return thread_; }

 private:
  static std::string text(uint3 index) {
    std::string triple = "(";
    triple += std::to_string(index.x);
    triple += ", ";
    triple += std::to_string(index.y);
    triple += ", ";
    triple += std::to_string(index.z);
    triple += ")";
    return triple;
  }

  std::string kernel_;
  uint3 block_;
  uint3 thread_;
};

}  // namespace gallop::executor
