#include <gallop/host/program/tetris_command.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <gallop/host/clock.h>
#include <gallop/host/error.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/learning/sample_mean.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/program/terminal.h>
#include <gallop/host/rendering/tetris_film.h>
#include <gallop/host/report/player.h>
#include <gallop/host/runtime/stop.h>
#include <gallop/host/tetris/controllers.h>
#include <gallop/host/tetris/games.h>

namespace gallop {
namespace {

constexpr int kGames = 100, kRows = 20;
constexpr long kFilmPieces = 200;

// Options of the game from --set and flags of their own: the rows of the board.
int rows_of(const CommandLine& line) {
  Options options;
  const OptionSpec rows[] = {tetris_rows_row()};
  options.add(rows);
  apply_given(line.options(), options, [&](const GivenOption& given) {
    if (folded_name(given.name) != "rows") {
      throw usage_error(fmt::format("{} ({}) is no option of tetris; expected rows",
                                    in_quotes(given.name), given.origin));
    }
    options.set(given.name, given.text, given.origin);
  });
  return int(options.integer("rows"));
}

struct Summary {
  long games = 0, cut = 0;
  double mean = 0, error = 0;
  std::uint64_t most = 0, lines = 0, pieces = 0, scored = 0;
};

Summary summary_of(const TetrisScores& s) {
  Summary sum;
  const std::vector<double> lines(s.lines.begin(), s.lines.end());
  const SampleMean mean = sample_mean(lines);
  sum.games = mean.count;
  sum.mean = mean.mean;
  if (mean.count > 1) {
    sum.error = std::sqrt(mean.sum_of_squares / double(mean.count - 1) / double(mean.count));
  }
  for (std::size_t g = 0; g < s.lines.size(); g++) {
    sum.most = std::max(sum.most, s.lines[g]);
    sum.lines += s.lines[g];
    sum.pieces += s.pieces[g];
    sum.scored += s.scored[g];
    sum.cut += s.ended[g] == 0 ? 1 : 0;
  }
  return sum;
}

}  // namespace

OptionSpec tetris_rows_row() {
  return integer_row("rows", kRows, {.min = 4, .max = kMostTetrisRows, .unit = "rows"},
                     "of the board of tetris");
}

int evaluate_tetris(const CommandLine& line, SignalGuard& signals) {
  if (line.given("episodes")) {
    throw usage_error("--episodes counts episodes of an environment; games of tetris are --games");
  }
  const TetrisWeights weights = find_tetris_controller(line.text("controller"));
  TetrisSettings settings;
  settings.rows = rows_of(line);
  if (line.given("seed")) settings.seed = std::uint64_t(line.integer("seed"));
  if (line.given("max_pieces")) settings.most_pieces = std::uint64_t(line.integer("max_pieces"));
  const int games = line.given("games") ? int(line.integer("games")) : kGames;
  const std::unique_ptr<Backend> backend =
      make_backend(line.text("device"), int(line.integer("threads")), say);
  const StopScope scope(*backend, [&] { return signals.stop_requested(); });
  TetrisMatch match(*backend, settings, {tetris_controller(weights)}, games);
  const ProgressForm form = progress_form("auto", line.flag("json"));
  ProgressLine progress(form, write_to_terminal, terminal_columns);
  const double start = seconds_now();
  match.play_out([&] {
    if (progress.is_due(seconds_now())) {
      progress.show(seconds_now(), [&](int) {
        return std::vector<ProgressPart>{
            {fmt::format("{} of {} games have ended", match.games() - match.open(), games)}};
      });
    }
    return true;
  });
  progress.clear();
  const double seconds = seconds_now() - start;
  const TetrisScores scores = match.scores();
  const Summary s = summary_of(scores);
  if (line.flag("json")) {
    JsonValue object;
    object["environment"] = "tetris";
    object["controller"] = weights.name;
    object["rows"] = settings.rows;
    object["seed"] = settings.seed;
    object["games"] = s.games;
    object["lines_mean"] = s.mean;
    object["lines_standard_error"] = s.error;
    object["lines_max"] = s.most;
    object["pieces"] = s.pieces;
    object["lines"] = s.lines;
    object["cells_left"] = scores.cells;
    object["games_cut"] = s.cut;
    object["afterstates"] = s.scored;
    object["afterstates_per_second"] = double(s.scored) / std::max(seconds, 1e-9);
    std::printf("%s\n", object.text().c_str());
    return 0;
  }
  std::printf(
      "tetris, controller %s, %d rows: %.5g +- %.3g lines (standard error), at most %lu, in "
      "%ld games of %lu pieces in all\n",
      weights.name.c_str(), settings.rows, s.mean, s.error, (unsigned long)s.most, s.games,
      (unsigned long)s.pieces);
  if (s.cut > 0) {
    std::printf("%ld games were cut after %lu pieces: their lines are a lower bound\n", s.cut,
                (unsigned long)settings.most_pieces);
  }
  return 0;
}

int render_tetris(const CommandLine& line, const FilmSettings& settings, FilmFormat format) {
  if (!line.given("policy")) {
    throw usage_error(
        "a film of tetris needs --policy: the name of a controller, or a .toml file of one");
  }
  const TetrisWeights weights = find_tetris_controller(line.text("policy"));
  TetrisSettings game;
  game.rows = rows_of(line);
  if (line.given("seed")) game.seed = std::uint64_t(line.integer("seed"));
  const std::uint32_t number = std::uint32_t(line.integer("episode"));
  const long most = line.given("max_steps") ? long(line.integer("max_steps")) : kFilmPieces;
  const Film film(
      tetris_film(record_tetris_game(game, tetris_controller(weights), number, most), game.rows),
      settings_for(format, settings));
  const std::string& path = line.text("out");
  write_film(film, format, path);
  if (line.flag("json")) {
    JsonValue object;
    object["file"] = path;
    object["environment"] = film.name();
    object["policy"] = weights.name;
    object["seed"] = game.seed;
    object["episode"] = number;
    object["return"] = film.total_return();
    object["length"] = film.length();
    object["frames"] = film.n_frames();
    object["fps"] = film.fps();
    object["width"] = film.width();
    object["height"] = film.height();
    std::printf("%s\n", object.text().c_str());
  } else {
    print(fmt::format("tetris, game {} of seed {}, controller {}: {} lines by {} pieces\n", number,
                      game.seed, weights.name, film.total_return(), film.length()));
    print(fmt::format("{} frames, {:.4g} a second: {}\n", film.n_frames(), film.fps(), path));
  }
  return 0;
}

}  // namespace gallop
