// How the CPU goes through recorded rollouts [T, N] from the last step to the first, for recursions
// that lead from step t + 1 of an instance to its step t.
//
// One register of instances swept through all of time would touch a cache line of each array a
// step, N elements from the last one, which nothing fetches ahead. So it goes row by row over a
// block of instances: every array is read and written along its rows, and the recursion's state
// waits in rows of the first cache.
//
// Episodes end seldom. Which of them ended at a step is found two rows ahead, beside the arithmetic
// of a row; between two rows the state of just these instances is made what it is at an end. A row
// itself then has neither masks nor branches.
//
// Arrays that no cache holds get their results past the caches: stored into them, every line would
// be read first.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/numerics/native.h>

namespace gallop::inline GALLOP_ISA {

// Instances of a block: what a step reads and writes fits the first cache where a cache holds the
// arrays, and runs of a row are long where none does. Measured on Zen 4.
constexpr int kNearInstances = 1024, kFarInstances = 4096;
constexpr long kCachedBytes = 4L << 20;         // a core's share of the last cache
constexpr int kFlagGroup = 64, kFlagPart = 16;  // instances whose flags are looked at together

// Bit k is clear where neither a[k] nor b[k] is set, for 64 of them.
GALLOP_HD std::uint64_t either_set(const std::uint8_t* a, const std::uint8_t* b) {
#if GALLOP_MASK_REGISTERS && GALLOP_LANES > 1
  const __m512i x = _mm512_or_si512(_mm512_loadu_si512(a), _mm512_loadu_si512(b));
  return _mm512_test_epi8_mask(x, x);
#elif defined(__AVX2__) && GALLOP_LANES > 1
  std::uint64_t clear = 0;
  GALLOP_UNROLL(2)
  for (int k = 0; k < kFlagGroup; k += 32) {
    const __m256i x = _mm256_or_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + k)),
                                      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + k)));
    const __m256i none = _mm256_cmpeq_epi8(x, _mm256_setzero_si256());
    clear |= std::uint64_t(std::uint32_t(_mm256_movemask_epi8(none))) << k;
  }
  return ~clear;
#else
  std::uint64_t set = 0;
  for (int k = 0; k < kFlagGroup; k++) set |= std::uint64_t((a[k] | b[k]) != 0) << k;
  return set;
#endif
}

// The same for 16 of them.
GALLOP_HD std::uint64_t either_set_of_part(const std::uint8_t* a, const std::uint8_t* b) {
#if defined(__AVX2__) && GALLOP_LANES > 1
  const __m128i x = _mm_or_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a)),
                                 _mm_loadu_si128(reinterpret_cast<const __m128i*>(b)));
  return 0xffffu ^ std::uint32_t(_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_setzero_si128())));
#else
  std::uint64_t set = 0;
  for (int k = 0; k < kFlagPart; k++) set |= std::uint64_t((a[k] | b[k]) != 0) << k;
  return set;
#endif
}

// The instances of a block whose episode ended at one step.
struct EndedInstances {
  static constexpr int kAtOnce = 4;  // of a group: more are seldom, and how many is then no branch
  std::uint16_t* instance;           // [those of a block, kAtOnce more]
  int count;

  // Of the 64 instances from `first` on; and of n, fewer than that.
  GALLOP_HD void find(const std::uint8_t* terminated, const std::uint8_t* truncated, int first) {
    add(either_set(terminated + first, truncated + first), first);
  }
  GALLOP_HD void find_last(const std::uint8_t* terminated, const std::uint8_t* truncated, int first,
                           int n) {
    const int end = first + n;
    for (; first + kFlagPart <= end; first += kFlagPart) {
      std::uint64_t bits = either_set_of_part(terminated + first, truncated + first);
      for (; bits != 0; count++) instance[count] = std::uint16_t(first + lowest(bits));
    }
    for (; first < end; first++) {
      instance[count] = std::uint16_t(first);
      count += (terminated[first] | truncated[first]) != 0 ? 1 : 0;
    }
  }
  GALLOP_HD void find_all(const std::uint8_t* terminated, const std::uint8_t* truncated, int n) {
    int k = 0;
    for (; k + kFlagGroup <= n; k += kFlagGroup) find(terminated, truncated, k);
    find_last(terminated, truncated, k, n - k);
  }

 private:
  // Those of 64 from `first` on whose bit is set.
  GALLOP_HD void add(std::uint64_t bits, int first) {
    const int found = __builtin_popcountll(bits);
    std::uint16_t* const to = instance + count;
    GALLOP_UNROLL(4)
    for (int i = 0; i < kAtOnce; i++) to[i] = std::uint16_t(first + lowest(bits));
    for (int i = kAtOnce; i < found; i++) to[i] = std::uint16_t(first + lowest(bits));
    count += found;
  }
  // The number of the lowest bit that is set, which is cleared; some number where none is.
  static GALLOP_HD int lowest(std::uint64_t& bits) {
    constexpr std::uint64_t kLast = std::uint64_t(1) << (kFlagGroup - 1);
    const int number = __builtin_ctzll(bits | kLast);
    bits &= bits - 1;
    return number;
  }
};

// Fetches n elements from x on, to be read or, with kWrite, to be written.
template <bool kWrite = false, class T>
GALLOP_HD void fetch_elements(const T* x, int n) {
#if !GALLOP_ON_DEVICE
  for (int k = 0; k < n; k += 64 / int(sizeof(T))) __builtin_prefetch(x + k, kWrite ? 1 : 0);
#endif
}

template <bool kFar, class F>
GALLOP_HD void store_result(float* to, F x) {
  if constexpr (kFar)
    store_past_caches(to, x, kLanesOf<F>);
  else
    store_lanes(to, x, kLanesOf<F>);
}

// A recursion is a class with
//
//   kState, kHeld            floats of an instance's state; of them, the last that no step changes
//   kFar                     nothing holds the arrays
//   terminated, truncated    [T, N]
//   final_value              [T, N], or null for zero
//   begin(n, state)          the state after the last step
//   factor_of(t)             a number that all instances have in common at step t
//   enters(t), enter(factor, state)
//                            whether and how the state changes between steps t and t - 1
//   end(last, state)         the state before a step at which the episode ended, `last` being the
//                            value of what it led to, zero where it was terminated
//   step(at, factor, state)  a step of an episode that goes on; writes its results
//   fetch(at)                fetches what the steps of 64 instances read, and where they write
//
// for a register of instances, or one, beginning with n or with the array's element `at`.
template <class F, class Recursion>
class Sweep {
 public:
  static constexpr bool kFar = Recursion::kFar;
  static constexpr int kInstances = kFar ? kFarInstances : kNearInstances;

  // Instances [left, left + n). The recursion is a copy, which no stored float can be taken to
  // change.
  void block(const Recursion by, int n_steps, long n_envs, long left, int n) {
    for (int i = 0; i < n; i++) {
      float state[kState];
      by.begin(left + i, state);
      for (int k = 0; k < kState; k++) state_[k * kStride + i] = state[k];
    }
    EndedInstances ended[2] = {{instance_[0], 0}, {instance_[1], 0}};
    for (int t = n_steps - 1; t > n_steps - 3 && t >= 0; t--) {
      const long at = long(t) * n_envs + left;
      ended[t & 1].find_all(by.terminated + at, by.truncated + at, n);
    }
    long at = long(n_steps - 1) * n_envs + left;
    for (int t = n_steps - 1; t >= 0; t--, at -= n_envs) {
      if (t + 1 < n_steps && by.enters(t + 1)) enter(by, by.factor_of(t + 1), n);
      end_episodes(by, at, ended[t & 1]);
      ended[t & 1].count = 0;
      if (t >= 2) {
        row<true>(by, at, by.factor_of(t), n_envs, n, ended[t & 1]);
        if constexpr (kFar) fetch_last_values(by, at - 2 * n_envs, ended[t & 1]);
      } else {
        row<false>(by, at, by.factor_of(t), n_envs, n, ended[t & 1]);
      }
    }
  }

 private:
  static constexpr int kW = kLanesOf<F>, kState = Recursion::kState;

  // Instances between what is computed and what is fetched, a row where that is shorter.
  static constexpr int kFetched = kFar ? kFarInstances : 256;
  // Rows of state that begin in other lines of the cache than each other.
  static constexpr int kStride = kInstances + 32;

  template <class G>
  GALLOP_HD void load(int i, G (&state)[kState]) const {
    for (int k = 0; k < kState; k++) {
      state[k] = load_lanes(state_ + k * kStride + i, kLanesOf<G>, G());
    }
  }
  template <class G>
  GALLOP_HD void save(int i, const G (&state)[kState], int count) {
    for (int k = 0; k < count; k++) {
      store_lanes(state_ + k * kStride + i, state[k], kLanesOf<G>);
    }
  }
  // All of a block, the last ones with others that are not used.
  GALLOP_HD void enter(const Recursion& by, float factor, int n) {
    for (int i = 0; i < n; i += kW) {
      F state[kState];
      load(i, state);
      by.enter(F(factor), state);
      save(i, state, kState);
    }
  }
  template <class G>
  GALLOP_HD void step(const Recursion& by, long at, float factor, int i, G) {
    G state[kState];
    load(i, state);
    by.step(at + i, G(factor), state);
    save(i, state, kState - Recursion::kHeld);
  }

  // All instances at a row, and which episodes ended two rows before it.
  template <bool kAhead>
  GALLOP_HD void row(const Recursion& by, long at, float factor, long n_envs, int n,
                     EndedInstances& before) {
    const std::uint8_t* const terminated = by.terminated + at - (kAhead ? 2 * n_envs : 0);
    const std::uint8_t* const truncated = by.truncated + at - (kAhead ? 2 * n_envs : 0);
    EndedInstances found = before;
    const int ahead = kFetched < n ? kFetched : n;
    int i = 0;
    for (; i + kFlagGroup <= n; i += kFlagGroup) {
      if constexpr (kAhead) {
        found.find(terminated, truncated, i);
        by.fetch(at + i + ahead - (i + ahead < n ? 0 : n_envs + n));
      }
      GALLOP_UNROLL(8)
      for (int k = 0; k < kFlagGroup; k += kW) step(by, at, factor, i + k, F());
    }
    if constexpr (kAhead) found.find_last(terminated, truncated, i, n - i);
    for (; i + kW <= n; i += kW) step(by, at, factor, i, F());
    for (; i < n; i++) step(by, at, factor, i, float());
    before.count = found.count;
  }

  GALLOP_HD void end_episodes(const Recursion& by, long row, const EndedInstances& ended) {
    const float zero = 0.0f;
    for (int k = 0; k < ended.count; k++) {
      const int i = ended.instance[k];
      const bool cut = by.terminated[row + i] == 0 && by.final_value != nullptr;
      float state[kState];
      load(i, state);
      by.end(*(cut ? by.final_value + row + i : &zero), state);
      save(i, state, kState);
    }
  }

  static GALLOP_HD void fetch_last_values(const Recursion& by, long row,
                                          const EndedInstances& ended) {
    if (by.final_value == nullptr) return;
    for (int k = 0; k < ended.count; k++) {
      fetch_elements(by.final_value + row + ended.instance[k], 1);
    }
  }

  alignas(64) float state_[kState * kStride];
  std::uint16_t instance_[2][kInstances + EndedInstances::kAtOnce];
};

template <class F, class Recursion>
void sweep(const Recursion& recursion, int n_steps, int n_envs, const CpuWork& on) {
  if (n_steps <= 0) return;
  split(on, n_envs, kInstanceGrain, [&](int, long begin, long end) {
    Sweep<F, Recursion> sweep;
    for (long left = begin; left < end; left += sweep.kInstances) {
      sweep.block(recursion, n_steps, n_envs, left,
                  end - left < sweep.kInstances ? int(end - left) : sweep.kInstances);
    }
#if defined(__SSE2__)
    if constexpr (Recursion::kFar) _mm_sfence();
#endif
  });
}

// Whether arrays of that many bytes an element are taken to be in no cache.
GALLOP_HD bool is_far(int n_steps, int n_envs, int bytes) {
  return long(n_steps) * n_envs > kCachedBytes / bytes;
}

}  // namespace gallop::inline GALLOP_ISA
