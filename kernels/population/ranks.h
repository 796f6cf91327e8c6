// Ranks of the members of a population by their fitness, the greatest first; of equals the one of
// the lower number, and what is not a number last. So the order is the same on every machine.
#pragma once

#include <gallop/kernels/random/shuffle.h>

namespace gallop {

// Any of the results may be null.
struct RankRequest {
  const float* fitness;  // [n]
  long n;                // from 1 to 2^31 - 1
  std::uint32_t* order;  // [n] members, the best first: elites are the first ones
  std::uint32_t* rank;   // [n] place of each member in it, from 0
  float* centered;       // [n] 1/2 for the best, evenly down to -1/2; 0 for a single one
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD const char* refusal(const RankRequest& r) {
  if (r.n < 1 || r.n > 0x7fffffff) return "ranks of no members; expected from 1 to 2^31 - 1";
  return nullptr;
}

// A word that is the lower, the greater x; the greatest where x is not a number.
GALLOP_HD std::uint32_t rank_key(float x) {
  if (x != x) return 0xffffffffu;
  const std::uint32_t bits = std::uint32_t(as_int(x + 0.0f));  // both zeros are one
  return bits >> 31 != 0 ? bits : ~bits & 0x7fffffffu;
}

GALLOP_HD float centered_rank(long rank, long n) {
  return n == 1 ? 0.0f : float(0.5 - double(rank) / double(n - 1));
}

// What follows from the member at place `rank`.
GALLOP_HD void place(const RankRequest& r, std::uint32_t member, long rank) {
  if (r.rank != nullptr) r.rank[member] = std::uint32_t(rank);
  if (r.centered != nullptr) r.centered[member] = centered_rank(rank, r.n);
}

template <class F>
void rank_members(const RankRequest& r, const CpuWork& on) {
  const RadixSort sort(on, r.n, r.order == nullptr ? r.n : 0);
  std::uint32_t* const order = r.order != nullptr ? r.order : sort.spare;
  split(on, r.n, 4096, [&](int, long begin, long end) {
    for (long i = begin; i < end; i++) sort.keys[i] = rank_key(r.fitness[i]);
  });
  sort.run(order);
  split(on, r.n, 4096, [&](int, long begin, long end) {
    for (long k = begin; k < end; k++) place(r, order[k], k);
  });
}

}  // namespace gallop::inline GALLOP_ISA
