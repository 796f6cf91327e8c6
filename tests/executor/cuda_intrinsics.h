#pragma once

// CUDA's barriers, votes, shuffles and bit intrinsics, as functions of the running fiber. Each
// records the line that called it, which a fault then names.

#include <bit>
#include <cstdint>
#include <cstring>

#include "tests/executor/block.h"

#define GALLOP_EXECUTOR_CALL_SITE(name) \
  ::gallop::executor::CallSite { name, file, line }
#define GALLOP_EXECUTOR_CALLER const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(GALLOP_EXECUTOR_CALLER) {
  gallop::executor::Block::current().barrier(false, GALLOP_EXECUTOR_CALL_SITE("__syncthreads"));
}

inline int __syncthreads_count(int predicate, GALLOP_EXECUTOR_CALLER) {
  return gallop::executor::Block::current()
      .barrier(predicate != 0, GALLOP_EXECUTOR_CALL_SITE("__syncthreads_count"))
      .n_true;
}

inline int __syncthreads_or(int predicate, GALLOP_EXECUTOR_CALLER) {
  return gallop::executor::Block::current()
             .barrier(predicate != 0, GALLOP_EXECUTOR_CALL_SITE("__syncthreads_or"))
             .n_true > 0;
}

inline int __syncthreads_and(int predicate, GALLOP_EXECUTOR_CALLER) {
  const auto result = gallop::executor::Block::current().barrier(
      predicate != 0, GALLOP_EXECUTOR_CALL_SITE("__syncthreads_and"));
  return result.n_true == result.n_threads;
}

inline void __syncwarp(unsigned mask = ~0u, GALLOP_EXECUTOR_CALLER) {
  gallop::executor::Block::current().warp_collective(mask, {},
                                                     GALLOP_EXECUTOR_CALL_SITE("__syncwarp"));
}

namespace gallop::executor {

template <class T>
T exchange(unsigned mask, T value, int source_lane, CallSite site) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
  WarpGift gift{.source_lane = source_lane};
  std::memcpy(&gift.bits, &value, sizeof(T));
  const WarpResult result = Block::current().warp_collective(mask, gift, site);
  T received;
  std::memcpy(&received, &result.bits, sizeof(T));
  return received;
}

inline WarpResult vote(unsigned mask, int predicate, CallSite site) {
  return Block::current().warp_collective(mask, {.predicate = predicate != 0}, site);
}

inline int lane() { return static_cast<int>(Block::current().lane()); }

}  // namespace gallop::executor

// The four shuffles, CUDA C++ Programming Guide, "Warp Shuffle Functions": a lane whose source lies
// outside its segment of `width` lanes receives its own value.
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = warpSize, GALLOP_EXECUTOR_CALLER) {
  const int segment = gallop::executor::lane() & ~(width - 1);
  return gallop::executor::exchange(mask, value, segment | (source & (width - 1)),
                                    GALLOP_EXECUTOR_CALL_SITE("__shfl_sync"));
}

template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize,
                 GALLOP_EXECUTOR_CALLER) {
  const int lane = gallop::executor::lane();
  const int source = lane - static_cast<int>(delta);
  const int segment = lane & ~(width - 1);
  return gallop::executor::exchange(mask, value, source < segment ? lane : source,
                                    GALLOP_EXECUTOR_CALL_SITE("__shfl_up_sync"));
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize,
                   GALLOP_EXECUTOR_CALLER) {
  const int lane = gallop::executor::lane();
  const int source = lane + static_cast<int>(delta);
  const int last = lane | (width - 1);
  return gallop::executor::exchange(mask, value, source > last ? lane : source,
                                    GALLOP_EXECUTOR_CALL_SITE("__shfl_down_sync"));
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = warpSize,
                  GALLOP_EXECUTOR_CALLER) {
  const int lane = gallop::executor::lane();
  const int source = lane ^ lane_mask;
  const int last = lane | (width - 1);
  return gallop::executor::exchange(mask, value, source > last ? lane : source,
                                    GALLOP_EXECUTOR_CALL_SITE("__shfl_xor_sync"));
}

inline unsigned __reduce_max_sync(unsigned mask, unsigned value, GALLOP_EXECUTOR_CALLER) {
  const auto result = gallop::executor::Block::current().warp_collective(
      mask, {.bits = value}, GALLOP_EXECUTOR_CALL_SITE("__reduce_max_sync"));
  return static_cast<unsigned>(result.greatest);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, GALLOP_EXECUTOR_CALLER) {
  return gallop::executor::vote(mask, predicate, GALLOP_EXECUTOR_CALL_SITE("__ballot_sync")).votes;
}

inline int __any_sync(unsigned mask, int predicate, GALLOP_EXECUTOR_CALLER) {
  return gallop::executor::vote(mask, predicate, GALLOP_EXECUTOR_CALL_SITE("__any_sync")).votes !=
         0;
}

inline int __all_sync(unsigned mask, int predicate, GALLOP_EXECUTOR_CALLER) {
  const auto result =
      gallop::executor::vote(mask, predicate, GALLOP_EXECUTOR_CALL_SITE("__all_sync"));
  return result.votes == result.participants;
}

inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(std::uint64_t{a} * b >> 32);
}
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }

template <class T>
T __ldg(const T* address) {
  return *address;
}

#undef GALLOP_EXECUTOR_CALL_SITE
#undef GALLOP_EXECUTOR_CALLER
