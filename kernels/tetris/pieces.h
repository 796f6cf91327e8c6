// The seven pieces of Tetris in all their orientations. A column of a piece is a word of four bits,
// bit k the cell k rows above the piece's lowest one.
#pragma once

#include <gallop/kernels/numerics/platform.h>

namespace gallop {

constexpr int kTetrisPieces = 7, kTetrisOrientations = 19;
constexpr int kPieceWidth = 4;  // columns of the widest piece

// Names of the pieces, in their order.
constexpr char kTetrisNames[] = "IOSZLJT";

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Orientations [first, first + count) are those of a piece.
GALLOP_HD int first_orientation(int piece) {
  constexpr int kFirst[kTetrisPieces + 1] = {0, 2, 3, 5, 7, 11, 15, 19};
  return kFirst[piece];
}

// The columns of an orientation, four bits each, the left one lowest.
GALLOP_HD std::uint32_t orientation_cells(int orientation) {
  constexpr std::uint16_t kCells[kTetrisOrientations] = {
      0x1111, 0x000f,                  // I
      0x0033,                          // O
      0x0231, 0x0036,                  // S
      0x0132, 0x0063,                  // Z
      0x0311, 0x0017, 0x0223, 0x0074,  // L
      0x0113, 0x0071, 0x0322, 0x0047,  // J
      0x0131, 0x0027, 0x0232, 0x0072   // T
  };
  return kCells[orientation];
}

// An orientation, taken apart.
struct PieceShape {
  int width, height;                 // columns, rows
  std::uint32_t cells[kPieceWidth];  // of each column; 0 beyond the width
  int bottom[kPieceWidth];           // row of the lowest cell of each column

  GALLOP_HD explicit PieceShape(int orientation) : width(0), height(0) {
    const std::uint32_t all = orientation_cells(orientation);
    GALLOP_UNROLL(4)
    for (int k = 0; k < kPieceWidth; k++) {
      const std::uint32_t column = all >> (4 * k) & 15u;
      cells[k] = column;
      bottom[k] = (column & 1u) != 0 ? 0 : (column & 2u) != 0 ? 1 : 2;
      const int top = (column & 8u) != 0   ? 4
                      : (column & 4u) != 0 ? 3
                      : (column & 2u) != 0 ? 2
                      : column != 0        ? 1
                                           : 0;
      if (column != 0) width = k + 1;
      if (top > height) height = top;
    }
  }
};

}  // namespace gallop::inline GALLOP_ISA
