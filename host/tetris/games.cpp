#include <gallop/host/tetris/games.h>

#include <fmt/format.h>

#include <bit>

#include <gallop/host/error.h>
#include <gallop/host/files/tensor_file.h>
#include <gallop/kernels/random/stream.h>

namespace gallop {
namespace {

// Pieces of a game between two looks at which of them go on, and whether to stop: about 20 ms of
// one game.
constexpr std::uint32_t kStretch = 1 << 14;

const char* const kColumns = "tetris/columns";
const char* const kPieces = "tetris/pieces";
const char* const kLines = "tetris/lines";
const char* const kScored = "tetris/scored";
const char* const kEnded = "tetris/ended";

// Of a match with at least one game.
long game_count(std::size_t controllers, int games_each) {
  const double n = double(controllers) * double(games_each);
  if (controllers >= 1 && games_each >= 1 && n <= double(0x7fffffff)) return long(n);
  throw value_error(
      fmt::format("{} controllers with {} games each; expected 1 to 2^31 - 1 games in all",
                  controllers, games_each));
}

template <class T>
std::vector<T> tensor(const TensorFile& file, const char* name, const TensorShape& shape) {
  std::size_t size = 1;
  for (const std::uint64_t n : shape) size *= std::size_t(n);
  std::vector<T> values(size);
  file.get<T>(name, shape, values);
  return values;
}

}  // namespace

void require_tetris_settings(const TetrisSettings& settings) {
  if (settings.rows < 4 || settings.rows > kMostTetrisRows) {
    throw value_error(fmt::format("rows is {}; a board of tetris has from 4 to {} rows",
                                  settings.rows, kMostTetrisRows));
  }
  if (settings.seed > kMaxSeed) {
    throw value_error(fmt::format("the seed is {}; expected at most {}", settings.seed, kMaxSeed));
  }
}

TetrisMatch::TetrisMatch(Backend& backend, const TetrisSettings& settings,
                         const std::vector<TetrisController>& controllers, int games_each)
    : backend_(backend),
      settings_(settings),
      n_(game_count(controllers.size(), games_each)),
      games_each_(games_each),
      controllers_(backend, controllers.size()),
      columns_(DeviceArray<std::uint32_t>::zeroed(backend, kTetrisColumns * std::size_t(n_))),
      which_(backend, std::size_t(n_)),
      pieces_(DeviceArray<std::uint64_t>::zeroed(backend, std::size_t(n_))),
      lines_(DeviceArray<std::uint64_t>::zeroed(backend, std::size_t(n_))),
      scored_(DeviceArray<std::uint64_t>::zeroed(backend, std::size_t(n_))),
      ended_(DeviceArray<std::uint8_t>::zeroed(backend, std::size_t(n_))) {
  require_tetris_settings(settings);
  controllers_.upload(controllers);
  find_open();
}

void TetrisMatch::find_open() {
  const std::vector<std::uint8_t> ended = ended_.download();
  const std::vector<std::uint64_t> pieces = pieces_.download();
  open_.clear();
  for (std::size_t g = 0; g < std::size_t(n_); g++) {
    if (ended[g] == 0 && pieces[g] < settings_.most_pieces) open_.push_back(std::uint32_t(g));
  }
  which_.upload(open_.data(), open_.size());
}

void TetrisMatch::play(std::uint32_t pieces) {
  if (open_.empty()) return;
  TetrisRequest r = {};
  r.games = {columns_.data(), pieces_.data(), lines_.data(), scored_.data(), ended_.data(), n_};
  r.controller = controllers_.data();
  r.games_each = games_each_;
  r.which = which_.data();
  r.count = long(open_.size());
  r.rows = settings_.rows;
  r.seed = settings_.seed;
  r.first_game = settings_.first_game;
  r.generation = settings_.generation;
  r.common = settings_.common ? 1 : 0;
  r.most = settings_.most_pieces;
  r.pieces = pieces;
  try {
    backend_.play_tetris(r);
  } catch (const Error& error) {
    // Some of the games have gone on, each as a whole.
    if (error.code() == ExitCode::interrupted) find_open();
    throw;
  }
  find_open();
}

void TetrisMatch::play_out(const std::function<bool()>& watch) {
  while (!open_.empty()) {
    play(kStretch);
    if (watch && !watch()) return;
  }
}

TetrisScores TetrisMatch::scores() const {
  TetrisScores s = {lines_.download(), pieces_.download(), scored_.download(), ended_.download()};
  for (const std::uint32_t column : columns_.download()) {
    s.cells += std::uint64_t(std::popcount(column));
  }
  return s;
}

std::vector<std::uint32_t> TetrisMatch::wall(long game) const {
  const std::vector<std::uint32_t> all = columns_.download();
  std::vector<std::uint32_t> columns;
  for (long c = 0; c < kTetrisColumns; c++) columns.push_back(all[std::size_t(c * n_ + game)]);
  return columns;
}

void TetrisMatch::save(TensorFile& file) const {
  const std::size_t n = std::size_t(n_);
  file.put<std::uint32_t>(kColumns, {kTetrisColumns, n}, columns_.download());
  file.put<std::uint64_t>(kPieces, {n}, pieces_.download());
  file.put<std::uint64_t>(kLines, {n}, lines_.download());
  file.put<std::uint64_t>(kScored, {n}, scored_.download());
  file.put<std::uint8_t>(kEnded, {n}, ended_.download());
}

void TetrisMatch::load(const TensorFile& file) {
  const std::size_t n = std::size_t(n_);
  const auto columns = tensor<std::uint32_t>(file, kColumns, {kTetrisColumns, n});
  const auto pieces = tensor<std::uint64_t>(file, kPieces, {n});
  const auto lines = tensor<std::uint64_t>(file, kLines, {n});
  const auto scored = tensor<std::uint64_t>(file, kScored, {n});
  const auto ended = tensor<std::uint8_t>(file, kEnded, {n});
  for (std::size_t g = 0; g < n; g++) {
    std::uint64_t cells = 0;
    std::uint32_t full = ~0u, any = 0;
    for (std::size_t c = 0; c < kTetrisColumns; c++) {
      const std::uint32_t column = columns[c * n + g];
      cells += std::uint64_t(std::popcount(column));
      full &= column;
      any |= column;
    }
    const bool fits = settings_.rows == kMostTetrisRows || (any >> settings_.rows) == 0;
    // Every piece brings four cells, every row takes ten: in whole numbers that wrap alike.
    if (fits && full == 0 && 4 * pieces[g] == 10 * lines[g] + cells && ended[g] <= 1) continue;
    throw checkpoint_error(fmt::format(
        "tensor '{}': game {} has {} cells on a board of {} rows after {} pieces and {} rows "
        "filled; no game comes to that",
        kColumns, g, cells, settings_.rows, pieces[g], lines[g]));
  }
  columns_.upload(columns);
  pieces_.upload(pieces);
  lines_.upload(lines);
  scored_.upload(scored);
  ended_.upload(ended);
  find_open();
}

}  // namespace gallop
