#pragma once

#include <cstdint>
#include <vector>

#include <gallop/host/tetris/games.h>

namespace gallop {

// A piece of a game: where it went, and what it left.
struct TetrisMove {
  int piece = 0;             // of kTetrisNames
  TetrisChoice choice = {};  // its orientation and leftmost column
  int row = 0;               // of its lowest cells
  int lines = 0;
  std::uint32_t before[kTetrisColumns] = {}, after[kTetrisColumns] = {};  // columns of the wall
  bool fits = true;  // else the piece sticks out, and the game has ended
};

// The first pieces of a game, at most `most`: those that a match of these settings plays as game
// `game` of one controller, bit for bit. Throws a value error for settings that are out of range.
std::vector<TetrisMove> record_tetris_game(const TetrisSettings& settings,
                                           const TetrisController& controller, std::uint32_t game,
                                           long most);

}  // namespace gallop
