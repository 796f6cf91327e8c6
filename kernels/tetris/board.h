// A wall of Tetris as one word for each column, bit r the cell in row r from the floor, and the
// features of it that published controllers score it by.
//
// Sources: Bertsekas and Tsitsiklis, Neuro-Dynamic Programming, 1996 (heights); Dellacherie's
// features as Fahey describes them (2003); Thiery and Scherrer, ICGA Journal 32, 2009 (hole depth,
// rows with holes, diversity). Conventions are those of MDPTetris: the walls and the floor count as
// filled, what is above the board as empty.
#pragma once

#include <gallop/kernels/numerics/platform.h>

namespace gallop {

constexpr int kTetrisColumns = 10;  // of a game; boards of other widths have features too
constexpr int kMostTetrisRows = 32;

// Wells: each cell that is empty between two filled ones. 6 counts it and all empty cells below it
// in a row, for each of them; -6 counts 1, 2, 3 ... from the first of them down, as long as cells
// are empty.
enum class Wells : int { kEach = 6, kOnce = -6 };

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD int count_bits(std::uint32_t x) {
#if GALLOP_ON_DEVICE
  return __popc(x);
#else
  return __builtin_popcount(x);
#endif
}
// Zeros above the highest 1; 32 of 0.
GALLOP_HD int leading_zeros(std::uint32_t x) {
#if GALLOP_ON_DEVICE
  return __clz(int(x));
#else
  return x == 0 ? 32 : __builtin_clz(x);
#endif
}
// Zeros below the lowest 1; 32 of 0.
GALLOP_HD int trailing_zeros(std::uint32_t x) {
  return x == 0 ? 32 : 31 - leading_zeros(x & (0u - x));
}
// Bits 0 to n - 1, for n from 0 to 32.
GALLOP_HD std::uint32_t low_bits(int n) { return n >= 32 ? ~0u : (1u << n) - 1u; }

GALLOP_HD int column_height(std::uint32_t column) { return 32 - leading_zeros(column); }

// Takes the rows of `full` out of a column; what is above them comes down.
GALLOP_HD std::uint32_t without_rows(std::uint32_t column, std::uint32_t full) {
  while (full != 0) {
    const int top = 31 - leading_zeros(full);
    const std::uint32_t below = low_bits(top);
    column = (column & below) | (column >> 1 & ~below);
    full &= below;
  }
  return column;
}

// Features of a wall that do not depend on how it came to be.
struct WallFeatures {
  int row_transitions, column_transitions, holes, wells, hole_depth, rows_with_holes, diversity;
  int maximum_height;
};

// Sum over the cells of `wells` of the empty cells of `column` from there down to the next one that
// is filled.
GALLOP_HD int depth_of_wells(std::uint32_t wells, std::uint32_t column) {
  int sum = 0;
  while (wells != 0) {
    sum += count_bits(wells);
    wells = wells >> 1 & ~column;
  }
  return sum;
}
// All empty cells below those of `wells` in a row, and these.
GALLOP_HD std::uint32_t below_wells(std::uint32_t wells, std::uint32_t column) {
  std::uint32_t more = wells;
  while (more != 0) {
    more = more >> 1 & ~column & ~wells;
    wells |= more;
  }
  return wells;
}

// Of a board of C columns and so many rows; `height` [C] takes the heights of the columns. Cells
// above the rows are empty.
template <int C>
GALLOP_HD WallFeatures wall_features(const std::uint32_t (&column)[C], int rows, Wells wells,
                                     int (&height)[C]) {
  const std::uint32_t board = low_bits(rows);
  WallFeatures f = {};
  std::uint32_t rows_with_holes = 0, slopes = 0;
  GALLOP_UNROLL(16)
  for (int c = 0; c < C; c++) {
    const std::uint32_t own = column[c], left = c > 0 ? column[c > 0 ? c - 1 : 0] : board;
    const std::uint32_t right = c + 1 < C ? column[c + 1 < C ? c + 1 : c] : board;
    f.row_transitions += count_bits(own ^ left);
    // The floor is filled; above row 31 is the cell that no bit has.
    f.column_transitions += count_bits(own ^ (own << 1 | 1u)) + int(own >> 31);
    const int h = column_height(own);
    height[c] = h;
    f.maximum_height = h > f.maximum_height ? h : f.maximum_height;
    const std::uint32_t holes = low_bits(h) & ~own;
    f.holes += count_bits(holes);
    rows_with_holes |= holes;
    // Filled cells in a row above a hole are all but those that stand on the floor.
    f.hole_depth += count_bits(own) - trailing_zeros(~own);
    std::uint32_t well = left & right & ~own;
    if (well != 0) {
      if (wells == Wells::kOnce) well = below_wells(well, own);
      f.wells += depth_of_wells(well, own);
    }
    if (c > 0) {
      const int slope = h - height[c > 0 ? c - 1 : 0] + 2;
      if (slope >= 0 && slope <= 4) slopes |= 1u << slope;
    }
  }
  f.row_transitions += count_bits(column[C - 1] ^ board);
  f.rows_with_holes = count_bits(rows_with_holes);
  f.diversity = count_bits(slopes);
  return f;
}

}  // namespace gallop::inline GALLOP_ISA
