// Games of Tetris: rules, known scores of published controllers, and the same bits however they are
// played.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include <gallop/host/error.h>
#include <gallop/host/files/tensor_file.h>
#include <gallop/host/learning/sample_mean.h>
#include <gallop/host/tetris/controllers.h>
#include <gallop/host/tetris/games.h>
#include <gallop/host/tetris/record.h>
#include "tests/host/edited_tensors.h"
#include "tests/host/expect_error.h"
#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

TetrisController named(const std::string& name) {
  return tetris_controller(find_tetris_controller(name));
}

TetrisScores played(const std::string& name, int rows, int games, int threads = 2) {
  const auto backend = make_cpu_backend(threads);
  TetrisSettings settings;
  settings.rows = rows;
  TetrisMatch match(*backend, settings, {named(name)}, games);
  match.play_out();
  return match.scores();
}

double mean_lines(const TetrisScores& s) {
  return sample_mean(std::vector<double>(s.lines.begin(), s.lines.end())).mean;
}

// Every piece brings four cells, every row takes ten.
void expect_balance(const TetrisScores& s) {
  std::uint64_t lines = 0, pieces = 0;
  for (const std::uint64_t n : s.lines) lines += n;
  for (const std::uint64_t n : s.pieces) pieces += n;
  EXPECT_EQ(4 * pieces, 10 * lines + s.cells);
}

// 0.00617 +- 0.00008 lines of a million games; a game's number of lines is nearly Poisson.
TEST(TetrisGames, OfRandomPlacementsHaveTheKnownMean) {
  constexpr int kGames = 200000;
  const TetrisScores s = played("random", 10, kGames);
  EXPECT_NEAR(mean_lines(s), 0.00617, 4 * std::sqrt(0.0065 / kGames));
  expect_balance(s);
}

// Over 10 x 10, where scores are spread like a geometric distribution: 3821, 5041, 2466 and 3058
// lines in an implementation of its own over 2000 and 3000 games. Here over few, so that it stays a
// test: four standard errors of them are 4 / sqrt(games) of the mean.
TEST(TetrisGames, OfPublishedControllersHaveTheKnownMeans) {
  struct Known {
    const char* name;
    double mean;
  };
  constexpr int kGames = 60;
  for (const Known& known : {Known{"du", 3821}, Known{"dt10", 5041}, Known{"dellacherie", 2466},
                             Known{"ce_dellacherie", 3058}}) {
    const TetrisScores s = played(known.name, 10, kGames);
    EXPECT_NEAR(mean_lines(s) / known.mean, 1, 4 / std::sqrt(double(kGames))) << known.name;
    expect_balance(s);
    for (const std::uint8_t ended : s.ended) EXPECT_EQ(ended, 1);
  }
}

TEST(TetrisGames, AreTheSameForAnyThreadsAndStretches) {
  TetrisSettings settings;
  settings.rows = 8;
  settings.seed = 5;
  const std::vector<TetrisController> controllers = {named("dellacherie"), named("random"),
                                                     named("dt10")};
  std::vector<std::uint64_t> lines, pieces, scored;
  for (const int threads : {1, 3}) {
    for (const std::uint32_t stretch : {1u, 7u, 1000u}) {
      const auto backend = make_cpu_backend(threads);
      TetrisMatch match(*backend, settings, controllers, 3);
      while (match.open() > 0) match.play(stretch);
      const TetrisScores s = match.scores();
      if (lines.empty()) lines = s.lines, pieces = s.pieces, scored = s.scored;
      EXPECT_EQ(s.lines, lines);
      EXPECT_EQ(s.pieces, pieces);
      EXPECT_EQ(s.scored, scored);
      expect_balance(s);
    }
  }
}

// A shard that begins at game 4 plays games 4 and 5 of the whole.
TEST(TetrisGames, AreNumberedAcrossShards) {
  const auto backend = make_cpu_backend(1);
  TetrisSettings settings;
  settings.rows = 8;
  TetrisMatch all(*backend, settings, {named("dt10")}, 6);
  settings.first_game = 4;
  TetrisMatch part(*backend, settings, {named("dt10")}, 2);
  all.play_out();
  part.play_out();
  const TetrisScores a = all.scores(), b = part.scores();
  EXPECT_EQ(std::vector(a.lines.begin() + 4, a.lines.end()), b.lines);
  EXPECT_NE(a.lines[4], a.lines[5]);
}

TEST(TetrisGames, OfTwoControllersMayHaveTheSamePieces) {
  const auto backend = make_cpu_backend(1);
  TetrisSettings settings;
  settings.rows = 8;
  settings.common = true;
  const TetrisController one = named("dellacherie");
  TetrisMatch match(*backend, settings, {one, one}, 4);
  match.play_out();
  const std::vector<std::uint64_t> lines = match.scores().lines;
  EXPECT_EQ(std::vector(lines.begin(), lines.begin() + 4),
            std::vector(lines.begin() + 4, lines.end()));
  settings.common = false;
  TetrisMatch own(*backend, settings, {one, one}, 4);
  own.play_out();
  const std::vector<std::uint64_t> other = own.scores().lines;
  EXPECT_NE(std::vector(other.begin(), other.begin() + 4),
            std::vector(other.begin() + 4, other.end()));
}

TEST(TetrisGames, GoOnFromWhatWasKeptOfThem) {
  const auto backend = make_cpu_backend(2);
  TetrisSettings settings;
  settings.rows = 10;
  TetrisMatch whole(*backend, settings, {named("du")}, 5);
  whole.play_out();
  TetrisMatch first(*backend, settings, {named("du")}, 5);
  first.play(501);
  TensorFile kept;
  first.save(kept);
  TetrisMatch second(*backend, settings, {named("du")}, 5);
  second.load(kept);
  second.play_out();
  EXPECT_EQ(second.scores().lines, whole.scores().lines);
  EXPECT_EQ(second.scores().pieces, whole.scores().pieces);
  for (long g = 0; g < 5; g++) EXPECT_EQ(second.wall(g), whole.wall(g));
}

TEST(TetrisGames, RefuseStatesThatNoGameComesTo) {
  const auto backend = make_cpu_backend(1);
  TetrisSettings settings;
  TetrisMatch match(*backend, settings, {named("du")}, 2);
  match.play(40);
  TensorFile kept;
  match.save(kept);
  TetrisMatch more(*backend, settings, {named("du")}, 3);
  test::expect_error_with(
      ExitCode::checkpoint, [&] { more.load(kept); }, "tetris/columns");
  const TensorFile wrong = test::with_element<std::uint64_t>(kept, "tetris/lines", 1, 1000);
  const TetrisScores before = match.scores();
  test::expect_error_with(
      ExitCode::checkpoint, [&] { match.load(wrong); }, "no game comes to that");
  EXPECT_EQ(match.scores().pieces, before.pieces);
}

TEST(TetrisGames, AreCutWhereTheyAreTold) {
  const auto backend = make_cpu_backend(1);
  TetrisSettings settings;
  settings.most_pieces = 100;
  TetrisMatch match(*backend, settings, {named("du")}, 3);
  match.play_out();
  const TetrisScores s = match.scores();
  for (int g = 0; g < 3; g++) {
    EXPECT_EQ(s.pieces[std::size_t(g)], 100u);
    EXPECT_EQ(s.ended[std::size_t(g)], 0);
  }
  expect_balance(s);
}

// A record replays what a match plays.
TEST(TetrisRecord, IsTheGame) {
  const auto backend = make_cpu_backend(1);
  TetrisSettings settings;
  settings.rows = 6;
  for (const char* name : {"dellacherie", "random"}) {
    TetrisMatch match(*backend, settings, {named(name)}, 3);
    match.play_out();
    for (std::uint32_t game = 0; game < 3; game++) {
      const std::vector<TetrisMove> moves =
          record_tetris_game(settings, named(name), game, 1000000);
      EXPECT_FALSE(moves.back().fits);
      std::uint64_t lines = 0;
      for (const TetrisMove& move : moves) lines += std::uint64_t(move.lines);
      EXPECT_EQ(lines, match.scores().lines[game]);
      EXPECT_EQ(moves.size() - 1, match.scores().pieces[game]);
      EXPECT_EQ(
          std::vector<std::uint32_t>(moves.back().before, moves.back().before + kTetrisColumns),
          match.wall(game));
    }
  }
}

TEST(TetrisControllers, AreReadFromFiles) {
  const TetrisWeights w = parse_tetris_controller(
      "features = ['holes', 'column_heights', 'wells', 'constant']\nwells = -6\n"
      "weights = [-4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1.5, 0.25]\n",
      "a.toml");
  const TetrisController c = tetris_controller(w);
  EXPECT_EQ(c.weight[kHoles], -4.0f);
  EXPECT_EQ(c.weight[kWells], -1.5f);
  EXPECT_EQ(c.weight[kConstant], 0.25f);
  for (int k = 0; k < 10; k++) EXPECT_EQ(c.weight[kColumnHeights + k], float(k + 1));
  EXPECT_EQ(c.by_heights, 1);
  EXPECT_EQ(int(c.wells), -6);
  EXPECT_EQ(c.weight[kLandingHeight], 0.0f);
}

TEST(TetrisControllers, RefuseWhatIsNone) {
  const auto refuse = [](const char* toml, const char* text, ExitCode code = ExitCode::value) {
    test::expect_error_with(
        code, [&] { parse_tetris_controller(toml, "c.toml"); }, text);
  };
  refuse("weights = [1]", "features");
  refuse("features = ['holes']", "weights");
  refuse("features = ['hole']\nweights = [1]", "holes");
  refuse("features = ['holes', 'holes']\nweights = [1, 1]", "twice");
  refuse("features = ['holes']\nweights = [1, 2]", "expected 1");
  refuse("features = ['column_heights']\nweights = [1, 2]", "expected 10");
  refuse("features = ['holes']\nweights = [nan]", "finite");
  refuse("features = ['holes']\nweights = [1e300]", "finite");
  refuse("features = ['holes']\nweights = ['1']", "finite");
  refuse("features = ['wells']\nweights = [1]", "wells = 6");
  refuse("features = ['wells']\nwells = 5\nweights = [1]", "6 or -6");
  refuse("features = []\nweights = []", "empty");
  refuse("features = 'holes'\nweights = [1]", "array");
  refuse("features = ['holes']\nweights = [1]\nrows = 10", "rows", ExitCode::usage);
  refuse("features = [", "c.toml");
}

TEST(TetrisProgram, PlaysControllersByNameAndFile) {
  const test::TemporaryFolder folder;
  const ProgramResult r = run_program(
      {"eval", "tetris", "--controller", "dt10", "--games", "20", "--set", "rows=8", "--json"});
  ASSERT_EQ(r.code, 0) << r.err;
  const auto json = nlohmann::json::parse(last_line(r.out));
  EXPECT_EQ(json["games"], 20);
  EXPECT_GT(json["lines_mean"].get<double>(), 10);
  EXPECT_GT(json["lines_standard_error"].get<double>(), 0);
  EXPECT_GE(json["lines_max"].get<double>(), json["lines_mean"].get<double>());
  EXPECT_EQ(4 * json["pieces"].get<std::uint64_t>(),
            10 * json["lines"].get<std::uint64_t>() + json["cells_left"].get<std::uint64_t>());
  const std::string file = folder / "c.toml";
  test::put_file(file,
                 "features = ['landing_height', 'eroded', 'row_transitions', 'column_transitions', "
                 "'holes', 'wells', 'hole_depth', 'rows_with_holes', 'diversity']\nwells = -6\n"
                 "weights = [-2.18, 2.42, -2.17, -3.31, 0.95, -2.22, -0.81, -9.65, 1.27]\n");
  const ProgramResult same = run_program({"eval", "tetris", "--controller", file, "--games", "20",
                                          "--rows", "8", "--json", "--threads", "1"});
  ASSERT_EQ(same.code, 0) << same.err;
  EXPECT_EQ(nlohmann::json::parse(last_line(same.out))["lines_mean"], json["lines_mean"]);
  const ProgramResult film =
      run_program({"render", "tetris", "--policy", "dt10", "--rows", "8", "--max-steps", "12",
                   "--out", folder / "t.gif", "--json"});
  ASSERT_EQ(film.code, 0) << film.err;
  EXPECT_EQ(nlohmann::json::parse(last_line(film.out))["length"], 12);
}

TEST(TetrisProgram, RefusesWhatItCannotPlay) {
  const auto refused = [](const std::vector<std::string>& arguments, int code,
                          const std::string& text) {
    const ProgramResult r = run_program(arguments);
    EXPECT_EQ(r.code, code) << r.err;
    EXPECT_NE(r.err.find(text), std::string::npos) << r.err;
  };
  refused({"eval", "tetris", "--controller", "delacherie"}, 2, "dellacherie");
  refused({"eval", "tetris", "--controller", "du", "--set", "rows=33"}, 3, "32");
  refused({"eval", "tetris", "--controller", "du", "--set", "rows=3"}, 3, "rows");
  refused({"eval", "tetris", "--controller", "du", "--gravity", "3"}, 2, "gravity");
  refused({"eval", "tetris", "--controller", "no/such.toml"}, 5, "no/such.toml");
  refused({"eval", "cartpole", "--controller", "x", "--games", "3"}, 2, "--games");
  refused({"render", "tetris", "--out", "/tmp/never.gif"}, 2, "--policy");
}

}  // namespace
}  // namespace gallop::testing
