#include "bench/tetris_suite.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>

#include <gallop/host/error.h>
#include <gallop/host/runtime/processor.h>
#include <gallop/host/tetris/controllers.h>
#include <gallop/host/tetris/games.h>
#include "bench/checksum.h"
#include "bench/timer.h"

namespace gallop {

const std::vector<std::string> kTetrisBenchControllers = {"dellacherie", "du", "dt20"};

namespace {

constexpr std::uint32_t kPieces = 256;  // of a game, in one measurement
constexpr int kMostGames = 1 << 24;
constexpr std::size_t kLeastRates = 5;

void check(const TetrisSuite& suite) {
  if (suite.threads < 0 || suite.threads > 1024) {
    throw value_error(fmt::format("--threads is {}; expected 0 to 1024", suite.threads));
  }
  if (!(suite.seconds > 0 && suite.seconds <= 3600)) {
    throw value_error(fmt::format("--seconds is {}; expected above 0, up to 3600", suite.seconds));
  }
  if (suite.games < 0 || suite.games > kMostGames) {
    throw value_error(fmt::format("--games is {}; expected up to {}", suite.games, kMostGames));
  }
  for (const std::string& name : suite.controllers) find_tetris_controller(name);
  for (const int rows : suite.rows) require_tetris_settings({.rows = rows});
}

std::uint64_t walls(const TetrisScores& scores) {
  std::uint64_t sum = 0;
  for (const std::uint64_t n : scores.scored) sum += n;
  return sum;
}

}  // namespace

void run_tetris_suite(const TetrisSuite& suite, const std::function<void(const BenchRow&)>& show) {
  check(suite);
  const int wanted = suite.threads > 0 ? suite.threads : available_processors();
  const auto backend = make_backend(suite.device, wanted, [](const std::string&) {});
  const bool on_cpu = backend->name() == "cpu";
  const int threads = on_cpu ? wanted : 1;
  const int games = suite.games > 0 ? suite.games : on_cpu ? 64 : 65536;
  const auto clock = on_cpu && threads == 1 ? thread_seconds : wall_seconds;
  const std::vector<std::string>& names =
      suite.controllers.empty() ? kTetrisBenchControllers : suite.controllers;
  for (const int rows : suite.rows.empty() ? std::vector<int>{10, 20} : suite.rows) {
    for (const std::string& name : names) {
      const TetrisController controller = tetris_controller(find_tetris_controller(name));
      BenchRow row;
      row.environment = "tetris";
      row.policy = name;
      row.shape = fmt::format("{}x{} rows", games, rows);
      row.name = fmt::format("tetris/{}/{}", rows, name);
      row.scope = "walls";
      row.backend = on_cpu ? std::string("cpu-") + isa_name(processor_isa()) : backend->name();
      row.threads = threads;
      row.baseline_per_second = row.peak_fraction = std::nan("");
      Rates rates;
      for (bool warm = false; rates.seconds() < suite.seconds || rates.count() < kLeastRates;) {
        TetrisMatch match(*backend, {.rows = rows, .most_pieces = kPieces}, {controller}, games);
        const double start = clock();
        match.play(kPieces);  // which waits: it looks at which games go on
        const double seconds = clock() - start;
        const TetrisScores scores = match.scores();
        if (warm) rates.add(double(walls(scores)), seconds);
        if (!warm) {
          Checksum sum;
          sum.add(scores.lines);
          sum.add(scores.pieces);
          row.checksum = sum.text();
        }
        warm = true;
      }
      row.per_second = rates.median();
      row.spread = rates.spread();
      show(row);
    }
  }
}

}  // namespace gallop
