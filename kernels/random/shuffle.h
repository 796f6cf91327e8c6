// Minibatch order: samples sorted by (key, number), where the key of a sample is a Philox word.
// Equal keys stand in the order of their numbers, so every sort gives the same order.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/random/stream.h>

namespace gallop {

struct ShuffleRequest {
  std::uint64_t seed, counter;
  long n;                // below 2^32
  std::uint32_t* order;  // [n] the numbers 0 .. n - 1, sorted
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Counter (id, counter low, counter high, 0), purpose kRandomShuffle. W is a word or a register of
// them.
template <class W>
GALLOP_HD W shuffle_key(std::uint64_t seed, std::uint64_t counter, W id) {
  return philox<W>(id, W(std::uint32_t(counter)), W(std::uint32_t(counter >> 32)), W(0u),
                   key_low(seed), key_high(seed, kRandomShuffle))
      .word[0];
}

// Numbers sorted by their keys in stable passes over eight bits of the keys each: memory is read in
// order, and no branch depends on a key. Every block of numbers counts its digits and then places
// them behind those of the blocks before it, so that the order does not depend on the threads.
class RadixSort {
 public:
  static constexpr int kDigits = 256;
  static constexpr long kLeastBlock = 4096;  // numbers

  // `spare`: words that the caller works with beside it.
  RadixSort(const CpuWork& work, long numbers, long spare_words = 0) : on(work), n(numbers) {
    const long blocks = (n + kLeastBlock - 1) / kLeastBlock;
    n_blocks = blocks < on.n_threads ? int(blocks) : on.n_threads;
    block = (n + n_blocks - 1) / n_blocks;
    const long counts = whole_lines(long(n_blocks) * kDigits);
    count = reinterpret_cast<std::uint32_t*>(
        on.floats(on.owner, counts + whole_lines(n) + 2 * whole_lines(2 * n) + spare_words));
    keys = count + counts;
    first = reinterpret_cast<std::uint64_t*>(keys + whole_lines(n));
    second = first + whole_lines(2 * n) / 2;
    spare = reinterpret_cast<std::uint32_t*>(second + whole_lines(2 * n) / 2);
  }

  void run(std::uint32_t* order) const {
    pass(32, Unsorted{keys}, Pairs{first});
    pass(40, Pairs{first}, Pairs{second});
    pass(48, Pairs{second}, Pairs{first});
    pass(56, Pairs{first}, Numbers{order});
  }

  std::uint32_t* keys;   // [n], to be filled in
  std::uint32_t* spare;  // [spare_words]

 private:
  // Key << 32 | number, and where it goes.
  struct Unsorted {
    const std::uint32_t* key;
    std::uint64_t get(long i) const { return std::uint64_t(key[i]) << 32 | std::uint64_t(i); }
  };
  struct Pairs {
    std::uint64_t* pair;
    std::uint64_t get(long i) const { return pair[i]; }
    void put(long k, std::uint64_t x) const { pair[k] = x; }
  };
  struct Numbers {
    std::uint32_t* number;
    void put(long k, std::uint64_t x) const { number[k] = std::uint32_t(x); }
  };

  template <class Source, class Target>
  void pass(int shift, const Source& source, const Target& target) const {
    const auto digit = [shift](std::uint64_t x) { return x >> shift & (kDigits - 1); };
    const auto each = [&](const auto& body) {
      split(on, n_blocks, 1, [&](int, long begin, long end) {
        for (long b = begin; b < end; b++) {
          std::uint32_t own[kDigits] = {}, *const counts = count + b * kDigits;
          body(own, counts, b * block, (b + 1) * block < n ? (b + 1) * block : n);
        }
      });
    };
    each([&](std::uint32_t* own, std::uint32_t* counts, long begin, long end) {
      for (long i = begin; i < end; i++) own[digit(source.get(i))]++;
      __builtin_memcpy(counts, own, sizeof(*own) * kDigits);
    });
    std::uint32_t before = 0;
    for (int d = 0; d < kDigits; d++) {
      for (int b = 0; b < n_blocks; b++) {
        std::uint32_t& here = count[long(b) * kDigits + d];
        const std::uint32_t own = here;
        here = before;
        before += own;
      }
    }
    each([&](std::uint32_t* next, const std::uint32_t* counts, long begin, long end) {
      __builtin_memcpy(next, counts, sizeof(*next) * kDigits);
      for (long i = begin; i < end; i++) {
        const std::uint64_t x = source.get(i);
        target.put(long(next[digit(x)]++), x);
      }
    });
  }

  const CpuWork& on;
  long n, block;
  int n_blocks;
  std::uint32_t* count;           // [n_blocks, kDigits]
  std::uint64_t *first, *second;  // [n]
};

template <class F>
void shuffle(const ShuffleRequest& r, const CpuWork& on) {
  if (r.n == 0) return;
  const RadixSort sort(on, r.n);
  split_registers<F>(on, r.n, 1024, [&](long i, int count) {
    store_words(sort.keys + i,
                shuffle_key(r.seed, r.counter, consecutive_words<F>(std::uint32_t(i))), count);
  });
  sort.run(r.order);
}

}  // namespace gallop::inline GALLOP_ISA
