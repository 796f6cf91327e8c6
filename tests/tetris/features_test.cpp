// Features of walls against values that are known of one, and against plain counting on many.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include <gallop/kernels/tetris/board.h>
#include <gallop/kernels/tetris/pieces.h>
#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

// Rows from the top, 'X' where a cell is filled.
template <int C>
void read_board(const std::vector<std::string>& rows, std::uint32_t (&column)[C]) {
  for (std::uint32_t& c : column) c = 0;
  for (std::size_t r = 0; r < rows.size(); r++) {
    for (int c = 0; c < C; c++) {
      if (rows[r][std::size_t(c)] == 'X') column[c] |= 1u << (rows.size() - 1 - r);
    }
  }
}

// The wall that MDPTetris prints in the description of its features.
TEST(TetrisFeatures, AreKnownOfTheWallThatIsPrinted) {
  std::uint32_t column[8];
  read_board({"........", "........", "...X....", "...XX...", ".X.XX...", ".XXXXX.X", ".XXXXX.X",
              "XXXXX..X", "...XXX.X", "X.X..X.X"},
             column);
  int height[8];
  const WallFeatures f = wall_features(column, 10, Wells::kEach, height);
  EXPECT_EQ(f.wells, 20);
  EXPECT_EQ(wall_features(column, 10, Wells::kOnce, height).wells, 23);
  EXPECT_EQ(f.row_transitions, 38);
  EXPECT_EQ(f.column_transitions, 20);
  EXPECT_EQ(f.holes, 7);
  EXPECT_EQ(f.hole_depth, 23);
  EXPECT_EQ(f.rows_with_holes, 3);
  EXPECT_EQ(f.diversity, 2);
  EXPECT_EQ(f.maximum_height, 8);
  const int heights[] = {3, 6, 5, 8, 7, 5, 0, 5};
  for (int c = 0; c < 8; c++) EXPECT_EQ(height[c], heights[c]) << c;
}

// The same features cell by cell.
struct CountedWall {
  const std::uint32_t (&column)[kTetrisColumns];
  int rows;

  // The walls and the floor are filled, what is above the board is empty.
  bool filled(int c, int r) const {
    if (r < 0 || c < 0 || c >= kTetrisColumns) return r < rows;
    return r < rows && (column[c] >> r & 1u) != 0;
  }
  int height(int c) const {
    int h = rows;
    while (h > 0 && !filled(c, h - 1)) h--;
    return h;
  }
  bool is_hole(int c, int r) const { return !filled(c, r) && r < height(c); }
  bool is_well(int c, int r) const { return !filled(c, r) && filled(c - 1, r) && filled(c + 1, r); }

  WallFeatures count(Wells kind) const {
    WallFeatures f = {};
    std::set<int> slopes;
    for (int r = 0; r < rows; r++) {
      bool has_hole = false;
      for (int c = 0; c <= kTetrisColumns; c++) {
        f.row_transitions += filled(c - 1, r) != filled(c, r) ? 1 : 0;
        has_hole = has_hole || (c < kTetrisColumns && is_hole(c, r));
      }
      f.rows_with_holes += has_hole ? 1 : 0;
    }
    for (int c = 0; c < kTetrisColumns; c++) {
      f.maximum_height = std::max(f.maximum_height, height(c));
      if (c > 0 && std::abs(height(c) - height(c - 1)) <= 2)
        slopes.insert(height(c) - height(c - 1));
      int depth = 0;  // within a well, counted once
      for (int r = rows; r >= 0; r--)
        f.column_transitions += filled(c, r) != filled(c, r - 1) ? 1 : 0;
      for (int r = rows - 1; r >= 0; r--) {
        if (is_hole(c, r)) {
          f.holes++;
          for (int above = r + 1; filled(c, above); above++) f.hole_depth++;
        }
        depth = filled(c, r) ? 0 : depth > 0 || is_well(c, r) ? depth + 1 : 0;
        if (kind == Wells::kOnce) f.wells += depth;
        if (kind == Wells::kEach && is_well(c, r)) {
          for (int below = r; !filled(c, below); below--) f.wells++;
        }
      }
    }
    f.diversity = int(slopes.size());
    return f;
  }
};

TEST(TetrisFeatures, AreThoseThatCountingFinds) {
  Random random(3);
  for (const int rows : {4, 5, 10, 20, 31, 32}) {
    for (int trial = 0; trial < 300; trial++) {
      std::uint32_t column[kTetrisColumns];
      const double density = random.uniform(0.05, 0.95);
      for (std::uint32_t& c : column) {
        c = 0;
        const int most = random.below(rows + 1);
        for (int r = 0; r < most; r++) c |= random.chance(density) ? 1u << r : 0u;
      }
      for (const Wells kind : {Wells::kEach, Wells::kOnce}) {
        int height[kTetrisColumns];
        const WallFeatures f = wall_features(column, rows, kind, height);
        const CountedWall counted = {column, rows};
        const WallFeatures want = counted.count(kind);
        SCOPED_TRACE(::testing::Message() << rows << " rows, trial " << trial);
        ASSERT_EQ(f.row_transitions, want.row_transitions);
        ASSERT_EQ(f.column_transitions, want.column_transitions);
        ASSERT_EQ(f.holes, want.holes);
        ASSERT_EQ(f.wells, want.wells);
        ASSERT_EQ(f.hole_depth, want.hole_depth);
        ASSERT_EQ(f.rows_with_holes, want.rows_with_holes);
        ASSERT_EQ(f.diversity, want.diversity);
        ASSERT_EQ(f.maximum_height, want.maximum_height);
        for (int c = 0; c < kTetrisColumns; c++) ASSERT_EQ(height[c], counted.height(c));
      }
    }
  }
}

TEST(TetrisRows, GoWhereTheyAreFull) {
  // Rows 1, 2 and 31 go; what is above comes down.
  const std::uint32_t full = 1u << 31 | 6u;
  EXPECT_EQ(without_rows(0xffffffffu, full), 0x1fffffffu);
  EXPECT_EQ(without_rows(full | 9u, full), 3u);
  EXPECT_EQ(without_rows(0x12345678u, 0), 0x12345678u);
}

// Four connected cells, in the orientations that a piece has, none of them twice.
TEST(TetrisPieces, AreTheSevenOfFourCells) {
  std::set<std::uint32_t> seen;
  const int orientations[] = {2, 1, 2, 2, 4, 4, 4};
  int placements = 0;
  for (int piece = 0; piece < kTetrisPieces; piece++) {
    EXPECT_EQ(first_orientation(piece + 1) - first_orientation(piece), orientations[piece]);
    for (int o = first_orientation(piece); o < first_orientation(piece + 1); o++) {
      const PieceShape shape(o);
      EXPECT_EQ(count_bits(orientation_cells(o)), 4);
      EXPECT_TRUE(seen.insert(orientation_cells(o)).second) << o;
      bool touches_floor = false;
      for (int k = 0; k < shape.width; k++) {
        EXPECT_EQ(shape.bottom[k], trailing_zeros(shape.cells[k]));
        touches_floor = touches_floor || shape.bottom[k] == 0;
        if (k > 0) {
          EXPECT_NE(shape.cells[k] & shape.cells[k - 1], 0u) << "cells hang together";
        }
      }
      EXPECT_TRUE(touches_floor);
      placements += kTetrisColumns + 1 - shape.width;
    }
  }
  EXPECT_EQ(placements, 162);  // 23.14 on average
}

}  // namespace
}  // namespace gallop::testing
