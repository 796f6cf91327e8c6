#include <gallop/host/rendering/tetris_film.h>

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include <gallop/host/rendering/colors.h>

namespace gallop {
namespace {

constexpr double kPace = 0.2;  // seconds that a piece is seen
constexpr Color kPieceColors[kTetrisPieces] = {kTeal, kOrange, kGreen, kRed, kBlue, kPurple, kInk};

void add_cell(std::vector<Shape>& shapes, int column, int row, Color color) {
  const double x = column, z = row, in = 0.04;
  shapes.push_back(outlined(polygon({{x + in, 0, z + in},
                                     {x + 1 - in, 0, z + in},
                                     {x + 1 - in, 0, z + 1 - in},
                                     {x + in, 0, z + 1 - in}},
                                    color),
                            0.8));
}

void add_board(std::vector<Shape>& shapes, int rows) {
  const double w = kTetrisColumns, h = rows;
  shapes.push_back(polygon({{0, 0, 0}, {w, 0, 0}, {w, 0, h}, {0, 0, h}}, {255, 255, 255}));
  for (int c = 1; c < kTetrisColumns; c++) {
    shapes.push_back(line({{double(c), 0, 0}, {double(c), 0, h}}, 0.6, kRule));
  }
  shapes.push_back(line({{0, 0, h}, {0, 0, 0}, {w, 0, 0}, {w, 0, h}}, 3, kMark));
}

class TetrisScenes {
 public:
  TetrisScenes(std::vector<TetrisMove> moves, int rows) : moves_(std::move(moves)), rows_(rows) {}

  // The piece of that step in its place; after the last one what it left, where it did.
  Scene at(int step) const {
    Scene scene;
    scene.background = kPaper;
    const double half = 0.5 * (rows_ + 4);
    scene.camera = {View::kSide, {0.5 * kTetrisColumns, 0, half}, 0.7 * kTetrisColumns, half + 1.5};
    add_board(scene.shapes, rows_);
    const bool past = step >= int(moves_.size());
    const TetrisMove& move = moves_[std::min(std::size_t(step), moves_.size() - 1)];
    const bool shows_piece = !past || !move.fits;
    const std::uint32_t* const wall = shows_piece ? move.before : move.after;
    const std::uint32_t full = shows_piece ? full_rows(move) : 0;
    for (int c = 0; c < kTetrisColumns; c++) {
      for (int r = 0; r < rows_; r++) {
        if ((wall[c] >> r & 1u) != 0) {
          add_cell(scene.shapes, c, r, (full >> r & 1u) != 0 ? kMark : kGroundDark);
        }
      }
    }
    if (shows_piece) add_piece(scene.shapes, move);
    return scene;
  }

 private:
  static std::uint32_t full_rows(const TetrisMove& move) {
    if (!move.fits) return 0;
    const PieceShape piece(move.choice.orientation);
    std::uint32_t full = ~0u;
    for (int c = 0; c < kTetrisColumns; c++) {
      const int k = c - move.choice.column;
      const bool has = k >= 0 && k < piece.width;
      full &= move.before[c] | (has ? piece.cells[k] << move.row : 0u);
    }
    return full;
  }
  static void add_piece(std::vector<Shape>& shapes, const TetrisMove& move) {
    const PieceShape piece(move.choice.orientation);
    for (int k = 0; k < piece.width; k++) {
      for (int r = 0; r < piece.height; r++) {
        if ((piece.cells[k] >> r & 1u) == 0) continue;
        add_cell(shapes, move.choice.column + k, move.row + r, kPieceColors[move.piece]);
      }
    }
  }

  std::vector<TetrisMove> moves_;
  int rows_;
};

}  // namespace

FilmSubject tetris_film(std::vector<TetrisMove> moves, int rows) {
  FilmSubject film;
  film.name = "tetris";
  for (const TetrisMove& move : moves) film.rewards.push_back(move.lines);
  film.ending = moves.back().fits ? "cut" : "game over";
  const auto scenes = std::make_shared<TetrisScenes>(std::move(moves), rows);
  film.drawing = {[scenes](int step) { return scenes->at(step); }, kPace};
  return film;
}

}  // namespace gallop
