// Games of Tetris by linear controllers: simplified Tetris, in which only the piece at hand is
// known and drops straight down from above the wall, in any orientation, at any column. A game ends
// when a piece sticks out above the board; rows that it would have filled are not counted.
//
// A game is a state in memory that goes on from call to call, so that long ones can be interrupted
// and kept. Piece k of a game is drawn by word k mod 4 of Philox's block with purpose
// kRandomDynamics and counter (game, generation, k / 4, its high word); a random placement
// likewise with purpose kRandomAction.
//
// Source: Thiery and Scherrer's MDPTetris, and Szita and Lorincz, Neural Computation 18, 2006, for
// the rules.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/random/stream.h>
#include <gallop/kernels/tetris/controller.h>

namespace gallop {

// States of games; element g of each array is game g. A game begins with zeros.
struct TetrisGames {
  std::uint32_t* column;  // [kTetrisColumns, n]
  std::uint64_t* pieces;  // [n] that were placed on the board
  std::uint64_t* lines;   // [n] rows that were filled and went
  std::uint64_t* scored;  // [n] walls that were looked at
  std::uint8_t* ended;    // [n] 1 where a piece stuck out
  long n;
};

struct TetrisRequest {
  TetrisGames games;
  const TetrisController* controller;  // [n / games_each]
  int games_each;                      // of a controller
  const std::uint32_t* which;          // [count] games to go on with, none twice
  long count;
  int rows;            // of the board, from 4 to kMostTetrisRows
  std::uint64_t seed;  // at most kMaxSeed
  std::uint32_t first_game, generation;
  int common;            // 1: game k of every controller has the same pieces
  std::uint64_t most;    // pieces of a game, after which it stands
  std::uint32_t pieces;  // that a game goes on by, at most
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

inline const char* refusal(const TetrisRequest& r) {
  if (r.rows < 4 || r.rows > kMostTetrisRows) {
    return "a board of Tetris with fewer than 4 rows or more than 32";
  }
  if (r.games_each < 1 || r.games.n < 1 || r.games.n % r.games_each != 0 ||
      r.games.n > 0x7fffffff) {
    return "games of Tetris that are no whole number for each controller, or more than 2^31 - 1";
  }
  return nullptr;
}

// Words of one game's pieces, or of its random placements.
struct TetrisWords {
  std::uint32_t game, generation, key0, key1;
  std::uint64_t block;
  PhiloxBlock<std::uint32_t> words;

  GALLOP_HD TetrisWords(const TetrisRequest& r, RandomPurpose purpose, std::uint32_t of_game)
      : game(of_game),
        generation(r.generation),
        key0(key_low(r.seed)),
        key1(key_high(r.seed, purpose)),
        block(~std::uint64_t(0)),
        words{} {}

  // A whole number below n, from word k.
  GALLOP_HD int below(std::uint64_t k, int n) {
    if (k / 4 != block) {
      block = k / 4;
      words = philox<std::uint32_t>(game, generation, std::uint32_t(block),
                                    std::uint32_t(block >> 32), key0, key1);
    }
    const int at = int(k % 4);
    const std::uint32_t word = at == 0   ? words.word[0]
                               : at == 1 ? words.word[1]
                               : at == 2 ? words.word[2]
                                         : words.word[3];
    return int(std::uint64_t(word) * std::uint64_t(n) >> 32);
  }
};

// Places piece `number` of a game as its controller does; returns how many placements were scored.
GALLOP_HD int place_piece(const TetrisController& by, const TetrisWall& wall, int rows, int piece,
                          std::uint64_t number, TetrisWords& places, TetrisChoice& choice,
                          Placement& placed) {
  if (by.is_random == 0) return best_placement(by, wall, rows, piece, choice, placed);
  choice = placement_number(piece, places.below(number, placement_count(piece)));
  placed = place(wall, rows, PieceShape(choice.orientation), choice.column);
  return 0;
}

// Goes on with game g.
GALLOP_HD void play_game(const TetrisRequest& r, std::uint32_t g) {
  const TetrisGames& games = r.games;
  std::uint64_t placed = games.pieces[g];
  if (games.ended[g] != 0 || placed >= r.most) return;
  const TetrisController& by = r.controller[g / std::uint32_t(r.games_each)];
  TetrisWall wall;
  for (int c = 0; c < kTetrisColumns; c++) {
    wall.column[c] = games.column[long(c) * games.n + g];
    wall.height[c] = column_height(wall.column[c]);
  }
  const std::uint32_t id = r.first_game + (r.common != 0 ? g % std::uint32_t(r.games_each) : g);
  TetrisWords pieces(r, kRandomDynamics, id), places(r, kRandomAction, r.first_game + g);
  std::uint64_t lines = games.lines[g], scored = games.scored[g];
  const std::uint64_t left = r.most - placed;
  const std::uint64_t until = placed + (left < r.pieces ? left : r.pieces);
  GALLOP_UNROLL(1)
  while (placed < until) {
    const int piece = pieces.below(placed, kTetrisPieces);
    Placement to;
    TetrisChoice choice;
    scored += std::uint64_t(place_piece(by, wall, r.rows, piece, placed, places, choice, to));
    if (!to.fits) {
      games.ended[g] = 1;
      break;
    }
    placed++;
    lines += std::uint64_t(to.lines);
    put_wall(to, wall);
  }
  for (int c = 0; c < kTetrisColumns; c++) games.column[long(c) * games.n + g] = wall.column[c];
  games.pieces[g] = placed;
  games.lines[g] = lines;
  games.scored[g] = scored;
}

template <class F>
void play_tetris(const TetrisRequest& r, const CpuWork& on) {
  split(on, r.count, 1, [&](int, long begin, long end) {
    for (long k = begin; k < end; k++) play_game(r, r.which[k]);
  });
}

}  // namespace gallop::inline GALLOP_ISA
