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

}  // namespace gallop::inline GALLOP_ISA
