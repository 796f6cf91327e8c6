// Linear controllers of Tetris: they look at every way to place the piece at hand and take the one
// whose wall, after full rows are gone, scores most; the first of equals, in the order of
// orientations and columns. A placement that ends the game is taken where there is no other.
#pragma once

#include <gallop/kernels/numerics/scalar.h>
#include <gallop/kernels/tetris/board.h>
#include <gallop/kernels/tetris/pieces.h>

namespace gallop {

// Where the weights of features stand.
enum TetrisWeight : int {
  kLandingHeight,
  kEroded,
  kRowTransitions,
  kColumnTransitions,
  kHoles,
  kWells,
  kHoleDepth,
  kRowsWithHoles,
  kDiversity,
  kMaximumHeight,
  kConstant,
  kColumnHeights,                                           // [kTetrisColumns]
  kHeightDifferences = kColumnHeights + kTetrisColumns,     // [kTetrisColumns - 1] magnitudes
  kTetrisWeights = kHeightDifferences + kTetrisColumns - 1  // all of them
};

struct TetrisController {
  float weight[kTetrisWeights];  // 0 for a feature that it does not have
  Wells wells;
  std::int32_t by_heights;  // whether a weight of a height or a difference is not 0
  std::int32_t is_random;   // any placement with equal chance, whatever the weights
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// The wall of a game, and the heights of its columns.
struct TetrisWall {
  std::uint32_t column[kTetrisColumns];
  int height[kTetrisColumns];
};

// What a placement makes of a wall.
struct Placement {
  std::uint32_t column[kTetrisColumns];
  int row;            // of the piece's lowest cells
  int landing;        // twice the landing height: 2 row + the piece's height - 1
  int lines, eroded;  // rows that were filled; those times the piece's cells in them
  bool fits;          // else the piece sticks out above the board, and only `row` is filled in
};

GALLOP_HD Placement place(const TetrisWall& wall, int rows, const PieceShape& piece, int at) {
  Placement p = {};
  int row = 0;
  GALLOP_UNROLL(4)
  for (int k = 0; k < kPieceWidth; k++) {
    if (k >= piece.width) continue;
    const int rests = wall.height[at + k] - piece.bottom[k];
    row = rests > row ? rests : row;
  }
  p.row = row;
  p.fits = row + piece.height <= rows;
  if (!p.fits) return p;
  std::uint32_t full = ~0u;
  GALLOP_UNROLL(16)
  for (int c = 0; c < kTetrisColumns; c++) p.column[c] = wall.column[c];
  GALLOP_UNROLL(4)
  for (int k = 0; k < kPieceWidth; k++) {
    if (k < piece.width) p.column[at + k] |= piece.cells[k] << row;
  }
  GALLOP_UNROLL(16)
  for (int c = 0; c < kTetrisColumns; c++) full &= p.column[c];
  p.landing = 2 * row + piece.height - 1;
  p.lines = p.eroded = 0;
  if (full == 0) return p;
  p.lines = count_bits(full);
  int cells = 0;
  for (int k = 0; k < piece.width; k++) cells += count_bits(piece.cells[k] << row & full);
  p.eroded = p.lines * cells;
  for (int c = 0; c < kTetrisColumns; c++) p.column[c] = without_rows(p.column[c], full);
  return p;
}

// The score of what a placement made. `height` takes the heights of its columns.
GALLOP_HD float tetris_score(const TetrisController& by, int rows, const Placement& p,
                             int (&height)[kTetrisColumns]) {
  const WallFeatures f = wall_features(p.column, rows, by.wells, height);
  const float* const w = by.weight;
  float score = w[kConstant];
  score = fmadd(w[kLandingHeight], 0.5f * float(p.landing), score);
  score = fmadd(w[kEroded], float(p.eroded), score);
  score = fmadd(w[kRowTransitions], float(f.row_transitions), score);
  score = fmadd(w[kColumnTransitions], float(f.column_transitions), score);
  score = fmadd(w[kHoles], float(f.holes), score);
  score = fmadd(w[kWells], float(f.wells), score);
  score = fmadd(w[kHoleDepth], float(f.hole_depth), score);
  score = fmadd(w[kRowsWithHoles], float(f.rows_with_holes), score);
  score = fmadd(w[kDiversity], float(f.diversity), score);
  score = fmadd(w[kMaximumHeight], float(f.maximum_height), score);
  if (by.by_heights == 0) return score;
  for (int c = 0; c < kTetrisColumns; c++) {
    score = fmadd(w[kColumnHeights + c], float(height[c]), score);
  }
  for (int c = 1; c < kTetrisColumns; c++) {
    const int slope = height[c] - height[c - 1];
    score = fmadd(w[kHeightDifferences + c - 1], float(slope < 0 ? -slope : slope), score);
  }
  return score;
}

// Where a piece goes: an orientation and its leftmost column.
struct TetrisChoice {
  int orientation, column;
};

// Placements of a piece.
GALLOP_HD int placement_count(int piece) {
  int count = 0;
  for (int o = first_orientation(piece); o < first_orientation(piece + 1); o++) {
    count += kTetrisColumns + 1 - PieceShape(o).width;
  }
  return count;
}
GALLOP_HD TetrisChoice placement_number(int piece, int number) {
  int o = first_orientation(piece);
  for (; number > kTetrisColumns - PieceShape(o).width; o++) {
    number -= kTetrisColumns + 1 - PieceShape(o).width;
  }
  return {o, number};
}

// The best placement of a piece into `best`: the first one, which does not fit, where none does.
// Returns how many were scored.
GALLOP_HD int best_placement(const TetrisController& by, const TetrisWall& wall, int rows,
                             int piece, TetrisChoice& choice, Placement& best) {
  choice = {first_orientation(piece), 0};
  best = place(wall, rows, PieceShape(choice.orientation), choice.column);
  float most = 0.0f;
  int scored = 0;
  GALLOP_UNROLL(1)
  for (int o = first_orientation(piece); o < first_orientation(piece + 1); o++) {
    const PieceShape shape(o);
    GALLOP_UNROLL(1)
    for (int at = 0; at + shape.width <= kTetrisColumns; at++) {
      const Placement p = place(wall, rows, shape, at);
      if (!p.fits) continue;
      int height[kTetrisColumns];
      const float score = tetris_score(by, rows, p, height);
      if (scored++ > 0 && !(score > most)) continue;
      most = score;
      best = p;
      choice = {o, at};
    }
  }
  return scored;
}

// The wall that a placement leaves.
GALLOP_HD void put_wall(const Placement& placed, TetrisWall& wall) {
  GALLOP_UNROLL(16)
  for (int c = 0; c < kTetrisColumns; c++) {
    wall.column[c] = placed.column[c];
    wall.height[c] = column_height(placed.column[c]);
  }
}

}  // namespace gallop::inline GALLOP_ISA
