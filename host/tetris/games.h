// Games of Tetris that controllers play in a backend (kernels/tetris/play.h).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <gallop/host/runtime/backend.h>
#include <gallop/kernels/tetris/play.h>

namespace gallop {

class TensorFile;

struct TetrisSettings {
  int rows = 20;
  std::uint64_t seed = 1;
  std::uint32_t first_game = 0;  // id of game 0, which with the seed says which pieces come
  std::uint32_t generation = 0;  // other pieces for the same ids
  bool common = false;           // game k of every controller has the same pieces
  std::uint64_t most_pieces = ~std::uint64_t(0);  // after which a game is cut
};

// Throws a value error where the rows or the seed are out of range.
void require_tetris_settings(const TetrisSettings& settings);

struct TetrisScores {
  std::vector<std::uint64_t> lines, pieces, scored;  // of each game
  std::vector<std::uint8_t> ended;                   // 0 for a game that was cut, or goes on
  std::uint64_t cells = 0;                           // that are left on all boards
};

// Some games of each of several controllers, side by side, from empty boards. The bits depend on
// settings and controllers alone, however often they are interrupted and wherever they are played.
class TetrisMatch {
 public:
  // The backend outlives it. Throws a value error for settings that are out of range.
  TetrisMatch(Backend& backend, const TetrisSettings& settings,
              const std::vector<TetrisController>& controllers, int games_each);

  long games() const { return n_; }
  long open() const { return long(open_.size()); }  // games that go on
  // Goes on with all open games by at most so many pieces each. Where the backend is asked to stop
  // (host/runtime/stop.h) some of them have not gone on when it throws, and the match stays whole.
  void play(std::uint32_t pieces);
  // Plays all of them to their end; `watch` is told after each stretch and ends it by false.
  void play_out(const std::function<bool()>& watch = {});

  TetrisScores scores() const;
  // Of one game: the columns [kTetrisColumns] of its wall.
  std::vector<std::uint32_t> wall(long game) const;

  // Complete state; a match of the same settings and controllers that loads it goes on with the
  // same bits. `load` throws a checkpoint error that names the tensor where one is missing, of
  // another size, or no state of a game.
  void save(TensorFile& file) const;
  void load(const TensorFile& file);

 private:
  void find_open();

  Backend& backend_;
  TetrisSettings settings_;
  long n_;
  int games_each_;
  DeviceArray<TetrisController> controllers_;
  DeviceArray<std::uint32_t> columns_, which_;
  DeviceArray<std::uint64_t> pieces_, lines_, scored_;
  DeviceArray<std::uint8_t> ended_;
  std::vector<std::uint32_t> open_;
};

}  // namespace gallop
