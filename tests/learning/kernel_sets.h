// The learner's kernels for each instruction set that this processor runs, one that uses no vector
// instructions included, and the randomness and memory that tests of them share.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gallop/kernels/tables/kernel_table.h>

namespace gallop::testing {

struct KernelSet {
  std::string isa;
  const CpuKernels* kernels;
};

// "scalar", and each instruction set that this build and this processor have; at least two.
const std::vector<KernelSet>& kernel_sets();

// Aligned floats, NaN until they are written: what a kernel forgets to write shows.
class Floats {
 public:
  explicit Floats(long count);
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  float& operator[](long i) { return data_[i]; }
  float operator[](long i) const { return data_[i]; }
  long size() const { return count_; }
  std::vector<float> values() const { return {data(), data() + count_}; }

 private:
  struct Release {
    void operator()(float* memory) const;
  };
  long count_;
  std::unique_ptr<float[], Release> data_;
};

// What operations work with in tests: three threads that take turns, blocks of `grain` in place of
// the operation's own, the last one first, and memory of exactly the size asked for that is NaN.
class TestWork : public CpuWork {
 public:
  explicit TestWork(long grain = 0)  // 0: one block
      : CpuWork{3, this, &run_blocks, &give_floats}, grain_(grain) {}
  TestWork(const TestWork&) = delete;
  TestWork& operator=(const TestWork&) = delete;

 private:
  static void run_blocks(void* owner, long n, long, void (*body)(const void*, int, long, long),
                         const void* context) {
    if (n == 0) return;
    const TestWork& self = *static_cast<const TestWork*>(owner);
    const long grain = self.grain_ > 0 ? self.grain_ : n;
    for (long block = (n - 1) / grain; block >= 0; block--) {
      body(context, int(block % self.n_threads), block * grain, std::min(n, (block + 1) * grain));
    }
  }
  static float* give_floats(void* owner, long count) {
    TestWork& self = *static_cast<TestWork*>(owner);
    self.memory_ = std::make_unique<Floats>(count);
    return self.memory_->data();
  }

  long grain_;
  std::unique_ptr<Floats> memory_;
};

inline bool same_bits(const float* a, const float* b, long count) {
  return std::memcmp(a, b, sizeof(float) * count) == 0;
}
inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && same_bits(a.data(), b.data(), long(a.size()));
}

// Numbers for inputs of tests; equal on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  double uniform() { return double(engine_() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  int below(int n) { return int(uniform() * n); }
  bool chance(double p) { return uniform() < p; }
  double normal() {
    return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(6.283185307179586 * uniform());
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace gallop::testing
