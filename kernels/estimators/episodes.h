// What the episodes that ended in a rollout left behind, summed in an order that does not matter.
#pragma once

#include "kernels/reduce/fixed_point.h"

namespace gallop {

struct EpisodesRequest {
  const std::uint8_t* terminated;    // [n]
  const std::uint8_t* truncated;     // [n]
  const float* ended_return;         // [n] read where an episode ended
  const std::int32_t* ended_length;  // [n] as above
  long n;
};

struct EpisodeSums {
  std::int64_t episodes;
  std::int64_t lengths;
  double returns;  // NaN where one is not finite
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD bool episode_ended(const EpisodesRequest& r, long i) {
  return (r.terminated[i] | r.truncated[i]) != 0;
}

// One thread's sums of all.
inline EpisodeSums sum_episodes(const EpisodesRequest& r) {
  EpisodeSums sums = {0, 0, __builtin_nan("")};
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
  if (!finite) return sums;
  const int exponent = fixed_exponent(double(bound), sums.episodes);
  std::int64_t total = 0;
  for (long i = 0; i < r.n; i++) {
    if (episode_ended(r, i)) total += to_fixed(double(r.ended_return[i]), exponent);
  }
  sums.returns = from_fixed(total, exponent);
  return sums;
}

}  // namespace gallop::inline GALLOP_ISA
