#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/row.h"

namespace gallop {

// Walls that are looked at, a second, by controllers that play games of Tetris: each is a placement
// with all features and the score. Games are played from their beginning, a number of pieces each.
struct TetrisSuite {
  std::vector<std::string> controllers;  // by name; empty for kTetrisBenchControllers
  std::vector<int> rows;                 // of the board; empty for 10 and 20
  int games = 0;                         // side by side; 0: 64 on a CPU, 65536 on a GPU
  std::string device = "cpu";
  int threads = 1;       // of the CPU backend
  double seconds = 0.3;  // for each row
};

extern const std::vector<std::string> kTetrisBenchControllers;

// Measures and hands out row after row. Throws a usage or value error before anything is measured.
void run_tetris_suite(const TetrisSuite& suite, const std::function<void(const BenchRow&)>& show);

}  // namespace gallop
