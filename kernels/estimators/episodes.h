// What the episodes that ended in a rollout left behind, summed in an order that does not matter.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/reduce/fixed_point.h>

namespace gallop {

struct EpisodeSums {
  std::int64_t episodes;
  std::int64_t lengths;
  double returns;  // NaN where one is not finite
  // On the way to them, on a device.
  std::int64_t fixed_returns;
  std::uint32_t greatest;  // magnitude of a return, as bits
  std::uint32_t unused;    // so that all of it is written
};

struct EpisodesRequest {
  const std::uint8_t* terminated;    // [n]
  const std::uint8_t* truncated;     // [n]
  const float* ended_return;         // [n] read where an episode ended
  const std::int32_t* ended_length;  // [n] as above
  long n;
  EpisodeSums* result;  // [1]
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD bool episode_ended(const EpisodesRequest& r, long i) {
  return (r.terminated[i] | r.truncated[i]) != 0;
}

// By one thread.
template <class F>
void episodes(const EpisodesRequest& r, const CpuWork&) {
  EpisodeSums sums = {0, 0, __builtin_nan(""), 0, 0, 0};
  float bound = 0.0f;
  bool finite = true;
  for (long i = 0; i < r.n; i++) {
    if (!episode_ended(r, i)) continue;
    sums.episodes++;
    sums.lengths += r.ended_length[i];
    const float magnitude = abs(r.ended_return[i]);
    finite = finite && magnitude < __builtin_inff();
    bound = max(bound, magnitude);
  }
  if (finite) {
    const int exponent = fixed_exponent(double(bound), sums.episodes);
    std::int64_t total = 0;
    for (long i = 0; i < r.n; i++) {
      if (episode_ended(r, i)) total += to_fixed(double(r.ended_return[i]), exponent);
    }
    sums.returns = from_fixed(total, exponent);
  }
  *r.result = sums;
}

}  // namespace gallop::inline GALLOP_ISA
