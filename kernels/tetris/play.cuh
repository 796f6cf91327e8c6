// Games of Tetris on a device (kernels/tetris/play.h), each on one thread.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/tetris/play.h>
#include <gallop/kernels/device/for_each.cuh>

namespace gallop::inline GALLOP_ISA {

struct TetrisGame {
  TetrisRequest r;
  GALLOP_HD void operator()(long i) const { play_game(r, r.which[i]); }
};
inline LaunchStatus play_tetris(const TetrisRequest& r, const CudaWork& on) {
  return for_each("play_tetris", r.count, on.stream, TetrisGame{r});
}

}  // namespace gallop::inline GALLOP_ISA
