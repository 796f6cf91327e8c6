// Experience replay (kernels/replay/replay.h): a thread for each number of each row, then one that
// counts.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/replay/replay.h>
#include <gallop/kernels/device/for_each.cuh>

namespace gallop::inline GALLOP_ISA {

struct ReplayWriteElement {
  ReplayWriteRequest r;
  unsigned width;
  GALLOP_HD void operator()(long i) const {
    const unsigned k = unsigned(i) / width;
    const int column = int(unsigned(i) - k * width);
    write_replay_row(r, *r.ring.state, long(k), column, column + 1);
  }
};
struct ReplayWriteEnd {
  ReplayWriteRequest r;
  GALLOP_HD void operator()(long) const { end_replay_write(r); }
};
inline LaunchStatus replay_write(const ReplayWriteRequest& r, const CudaWork& on) {
  const long width = replay_width(r.ring);
  if (r.count * width > kMostElements) return {kLaunchRefused, "replay_write"};
  const LaunchStatus written =
      for_each("replay_write", r.count * width, on.stream, ReplayWriteElement{r, unsigned(width)});
  return written.ok() ? for_each("replay_write_end", 1, on.stream, ReplayWriteEnd{r}) : written;
}

struct ReplayDrawElement {
  ReplayDrawRequest r;
  GALLOP_HD void operator()(long i) const {
    const unsigned count = unsigned(r.count);
    const unsigned column = unsigned(i) / count, b = unsigned(i) - column * count;
    const ReplayState& state = *r.ring.state;
    const long place =
        replay_place(replay_words(r.seed, state.draws, std::uint32_t(b)), state.size);
    replay_target(r, int(column))[b] = r.ring.rows[place * replay_width(r.ring) + column];
  }
};
struct ReplayDrawEnd {
  ReplayDrawRequest r;
  GALLOP_HD void operator()(long) const { r.ring.state->draws++; }
};
inline LaunchStatus replay_draw(const ReplayDrawRequest& r, const CudaWork& on) {
  const long elements = r.count * replay_width(r.ring);
  if (elements > kMostElements) return {kLaunchRefused, "replay_draw"};
  const LaunchStatus drawn = for_each("replay_draw", elements, on.stream, ReplayDrawElement{r});
  return drawn.ok() ? for_each("replay_draw_end", 1, on.stream, ReplayDrawEnd{r}) : drawn;
}

}  // namespace gallop::inline GALLOP_ISA
