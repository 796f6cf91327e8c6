#include <gallop/host/tetris/record.h>

#include <algorithm>

namespace gallop {

std::vector<TetrisMove> record_tetris_game(const TetrisSettings& settings,
                                           const TetrisController& controller, std::uint32_t game,
                                           long most) {
  require_tetris_settings(settings);
  TetrisRequest r = {};
  r.seed = settings.seed;
  r.generation = settings.generation;
  const std::uint32_t id = settings.first_game + game;
  TetrisWords pieces(r, kRandomDynamics, id), places(r, kRandomAction, id);
  TetrisWall wall = {};
  std::vector<TetrisMove> moves;
  for (long k = 0; k < most; k++) {
    TetrisMove move;
    Placement placed;
    const std::uint64_t number = std::uint64_t(k);
    move.piece = pieces.below(number, kTetrisPieces);
    place_piece(controller, wall, settings.rows, move.piece, number, places, move.choice, placed);
    move.row = placed.row;
    move.fits = placed.fits;
    std::copy_n(wall.column, kTetrisColumns, move.before);
    if (placed.fits) {
      move.lines = placed.lines;
      std::copy_n(placed.column, kTetrisColumns, move.after);
      put_wall(placed, wall);
    }
    moves.push_back(move);
    if (!placed.fits) break;
  }
  return moves;
}

}  // namespace gallop
