// FNV-1a over the bits of numbers. NaN counts as one number, for which of two NaN an operation
// returns is the compiler's choice.
#pragma once

#include <cstdint>
#include <cstdio>
#include <vector>

namespace gallop::bits {

class Hash {
 public:
  void add(std::uint32_t word) {
    for (int k = 0; k < 4; k++) {
      state_ = (state_ ^ (word >> (8 * k) & 0xff)) * 0x100000001b3u;
    }
  }
  void add(std::int32_t word) { add(std::uint32_t(word)); }
  void add(std::uint8_t byte) { add(std::uint32_t(byte)); }
  void add(float x) { add(x != x ? 0x7fc00000u : __builtin_bit_cast(std::uint32_t, x)); }
  template <class T>
  void add(const std::vector<T>& values) {
    for (const T value : values) add(value);
  }
  std::uint64_t value() const { return state_; }
  void print(const char* part, const char* name) const {
    std::printf("%-12s %-28s %016llx\n", part, name, static_cast<unsigned long long>(state_));
  }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325u;
};

// Each prints one line for each thing it hashes.
void print_math();
void print_random();
void print_bodies();
void print_environments();
void print_rollouts();

}  // namespace gallop::bits
