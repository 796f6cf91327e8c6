// Games of Tetris on the subject, against the CPU.
#include <gallop/host/tetris/controllers.h>
#include <gallop/host/tetris/games.h>
#include "tests/cuda/subject.h"

namespace gallop::testing {
namespace {

struct Played {
  TetrisScores scores;
  std::vector<std::uint32_t> walls;
};

Played played(Backend& backend, int rows, std::uint32_t stretch, std::uint64_t most) {
  std::vector<TetrisController> controllers;
  for (const char* name : {"dellacherie", "dt10", "random"}) {
    controllers.push_back(tetris_controller(find_tetris_controller(name)));
  }
  TetrisWeights heights = {
      "heights", "", {"column_heights", "height_differences", "maximum_height", "holes"}, 6, {}};
  heights.weights.assign(kTetrisColumns + kTetrisColumns - 1 + 2, -0.5);
  controllers.push_back(tetris_controller(heights));
  TetrisSettings settings;
  settings.rows = rows;
  settings.seed = 11;
  settings.first_game = 7;
  settings.generation = 3;
  settings.most_pieces = most;
  TetrisMatch match(backend, settings, controllers, 5);
  while (match.open() > 0) match.play(stretch);
  Played result = {match.scores(), {}};
  for (long g = 0; g < match.games(); g++) {
    const std::vector<std::uint32_t> wall = match.wall(g);
    result.walls.insert(result.walls.end(), wall.begin(), wall.end());
  }
  return result;
}

TEST(Tetris, GamesEqualTheCpu) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  for (const int rows : {4, 7, 32}) {
    const Played a = played(*cpu, rows, 200, 400), b = played(*subject, rows, 33, 400);
    EXPECT_TRUE(same_bits(a.scores.lines, b.scores.lines)) << rows;
    EXPECT_TRUE(same_bits(a.scores.pieces, b.scores.pieces)) << rows;
    EXPECT_TRUE(same_bits(a.scores.scored, b.scores.scored)) << rows;
    EXPECT_TRUE(same_bits(a.scores.ended, b.scores.ended)) << rows;
    EXPECT_TRUE(same_bits(a.walls, b.walls)) << rows;
    EXPECT_GT(a.scores.scored[0], 0u);
  }
}

}  // namespace
}  // namespace gallop::testing
