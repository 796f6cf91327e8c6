#include <gallop/host/studies/tetris_table.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>
#include <gallop/host/files/tensor_file.h>
#include <gallop/host/learning/sample_mean.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/kernels/random/stream.h>

namespace gallop {
namespace {

constexpr std::size_t kWeights = 22;
constexpr std::uint32_t kStretch = 1 << 12;  // pieces of a game between two looks
constexpr double kSigma = 10;                // of the first distribution
constexpr double kLargest = 1e300;
constexpr double kMostScored = 4e18;  // of anything that is counted in games
// Generations of a run are numbered by iterations, twice: of members and of reports.
constexpr std::uint32_t kGenerationsOfRun = 1 << 16;

constexpr auto kRows = rows(
    integer_row("rows", 20, {.min = 4, .max = kMostTetrisRows, .unit = "rows"}, "of the board"),
    integer_row("runs", 3, {.min = 1, .max = 1000}, "of each schedule of the noise"),
    integer_row("iterations", 80, {.min = 1, .max = 10000}, "of a run"),
    integer_row("population", 100, {.min = 20, .max = 1 << 20, .unit = "members"},
                "of an iteration; a tenth of it is the elite"),
    integer_row("report_interval", 10, {.min = 1, .max = 10000, .unit = "iterations"},
                "between two reports of what the mean scores"),
    integer_row("report_games", 30, {.min = 2, .max = 1 << 20}, "of a report"),
    integer_row("dellacherie_games", 10, {.min = 2, .max = 1 << 20},
                "of the controller that is played beside them"),
    integer_row("max_pieces", 0, {.min = 0, .max = 1e15},
                "of a game, which is cut then; 0 for no limit"),
    integer_row("seed", 1, {.min = 0, .max = double(std::uint64_t(1) << 53)},
                "of weights and pieces"));

TetrisWeights weights_of(std::span<const double> point) {
  TetrisWeights w;
  w.name = "learnt";
  w.features = {"constant", "column_heights", "height_differences", "maximum_height", "holes"};
  w.weights.assign(point.begin(), point.end());
  return w;
}

// The score's order does not change by a positive factor, which keeps weights that have grown large
// within float.
TetrisController controller_of(std::span<const double> point) {
  double most = 0;
  for (const double w : point) most = std::max(most, std::abs(w));
  TetrisWeights weights = weights_of(point);
  for (double& w : weights.weights) w = most > 1e30 ? w / most : w;
  return tetris_controller(weights);
}

Options method_of(const Options& options, int schedule) {
  Options method(find_optimizer("cem").options);
  const std::string noise = kTetrisSchedules[schedule];
  method.set("population", fmt::format("{}", options.integer("population")), "tetris");
  method.set("elite_fraction", "0.1", "tetris");
  method.set("sigma", fmt::format("{}", kSigma), "tetris");
  method.set("noise", noise, "tetris");
  method.set("noise_variance", noise == "linear" ? "5" : "4", "tetris");
  method.set("noise_generations", "50", "tetris");
  return method;
}

std::uint64_t sum(const std::vector<std::uint64_t>& values) {
  std::uint64_t all = 0;
  for (const std::uint64_t n : values) all += n;
  return all;
}

std::vector<double> doubles(const std::vector<std::uint64_t>& values) {
  return {values.begin(), values.end()};
}

}  // namespace

std::span<const OptionSpec> tetris_table_rows() { return kRows; }

TetrisTable::TetrisTable(Backend& backend, const Options& options)
    : backend_(backend), options_(options) {
  if (double(n_runs()) * kGenerationsOfRun > 4294967295.0) {
    throw value_error(fmt::format("runs is {}; expected fewer, whose games can be told apart",
                                  options.integer("runs")));
  }
  begin_run();
}
TetrisTable::~TetrisTable() = default;

int TetrisTable::n_runs() const { return kNumTetrisSchedules * int(options_.integer("runs")) + 1; }

std::uint32_t TetrisTable::generation_id() const {
  return std::uint32_t(run_) * kGenerationsOfRun + 2 * std::uint32_t(iteration_) +
         (phase_ == Phase::kReport ? 1u : 0u);
}

void TetrisTable::begin_run() {
  iteration_ = 0;
  scored_ = 0;
  optimizer_.reset();
  match_.reset();
  if (is_done()) return;
  phase_ = run_ + 1 == n_runs() ? Phase::kDellacherie : Phase::kMembers;
  if (phase_ == Phase::kMembers) {
    method_ = method_of(options_, schedule());
    // Runs differ by their seeds; those of different schedules begin alike.
    const std::uint64_t seed =
        (std::uint64_t(options_.integer("seed")) + std::uint64_t(run_ % options_.integer("runs"))) %
        kMaxSeed;
    optimizer_ =
        find_optimizer("cem").create({backend_, method_, seed, std::vector<double>(kWeights, 0.0)});
  }
  begin_games();
}

void TetrisTable::begin_games() {
  TetrisSettings settings;
  settings.rows = int(options_.integer("rows"));
  settings.seed = std::uint64_t(options_.integer("seed"));
  settings.generation = generation_id();
  const std::uint64_t most = std::uint64_t(options_.integer("max_pieces"));
  if (most > 0) settings.most_pieces = most;
  std::vector<TetrisController> controllers;
  int games = 1;
  if (phase_ == Phase::kDellacherie) {
    controllers = {tetris_controller(find_tetris_controller("dellacherie"))};
    games = int(options_.integer("dellacherie_games"));
  } else if (phase_ == Phase::kReport) {
    controllers = {controller_of(optimizer_->center())};
    games = int(options_.integer("report_games"));
  } else {
    Candidates candidates;
    optimizer_->ask(candidates);
    make_points(backend_, candidates);
    for (int m = 0; m < candidates.n; m++)
      controllers.push_back(controller_of(candidates.point(m)));
  }
  match_ = std::make_unique<TetrisMatch>(backend_, settings, controllers, games);
}

void TetrisTable::advance() {
  if (is_done()) return;
  match_->play(kStretch);
  if (match_->open() == 0) end_games();
}

void TetrisTable::end_games() {
  if (phase_ == Phase::kDellacherie) {
    played_ = match_->scores();
    run_++;
    begin_run();
    return;
  }
  if (phase_ == Phase::kReport) {
    end_report();
    return;
  }
  const TetrisScores scores = match_->scores();
  const std::vector<double> fitness = doubles(scores.lines);
  const auto [low, high] = std::minmax_element(fitness.begin(), fitness.end());
  if (*low == *high) {
    optimizer_->skip();
  } else {
    optimizer_->tell(fitness);
  }
  scored_ += sum(scores.scored);
  iteration_++;
  const bool is_last = iteration_ == options_.integer("iterations");
  if (is_last || iteration_ % options_.integer("report_interval") == 0) phase_ = Phase::kReport;
  begin_games();
}

void TetrisTable::end_report() {
  const SampleMean lines = sample_mean(doubles(match_->scores().lines));
  const double error =
      std::sqrt(lines.sum_of_squares / double(lines.count - 1) / double(lines.count));
  reports_.push_back(
      {schedule(), run_ % int(options_.integer("runs")), iteration_, lines.mean, error, scored_});
  phase_ = Phase::kMembers;
  if (iteration_ < options_.integer("iterations")) {
    begin_games();
    return;
  }
  const std::vector<double> center = optimizer_->center();
  learnt_.insert(learnt_.end(), center.begin(), center.end());
  run_++;
  begin_run();
}

std::string TetrisTable::where() const {
  if (is_done()) return "done";
  if (phase_ == Phase::kDellacherie) {
    return fmt::format("Dellacherie's controller, {} of {} games", match_->games() - match_->open(),
                       match_->games());
  }
  return fmt::format("{} noise, run {} of {}, iteration {} of {}: {} of {} games",
                     kTetrisSchedules[schedule()], run_ % options_.integer("runs") + 1,
                     options_.integer("runs"), iteration_, options_.integer("iterations"),
                     match_->games() - match_->open(), match_->games());
}

double TetrisTable::part_done() const {
  return (run_ + double(iteration_) / double(options_.integer("iterations"))) / n_runs();
}

std::vector<TetrisReport> TetrisTable::last_reports(int schedule) const {
  std::vector<TetrisReport> last;
  for (const TetrisReport& r : reports_) {
    if (r.schedule == schedule && r.iteration == options_.integer("iterations")) last.push_back(r);
  }
  return last;
}

TetrisWeights TetrisTable::learnt(int schedule, int run) const {
  const std::size_t at = std::size_t(schedule * options_.integer("runs") + run) * kWeights;
  if (at + kWeights > learnt_.size()) {
    throw internal_error("a controller is asked for before its run has ended");
  }
  return weights_of(std::span(learnt_).subspan(at, kWeights));
}

void TetrisTable::save(TensorFile& file) const {
  file.put_scalar<std::uint64_t>("table/run", std::uint64_t(run_));
  file.put_scalar<std::uint64_t>("table/iteration", std::uint64_t(iteration_));
  file.put_scalar<std::uint64_t>("table/phase", std::uint64_t(phase_));
  file.put_scalar<std::uint64_t>("table/scored", scored_);
  std::vector<double> reports;
  for (const TetrisReport& r : reports_) {
    reports.insert(reports.end(), {double(r.schedule), double(r.run), double(r.iteration), r.lines,
                                   r.standard_error, double(r.scored)});
  }
  file.put<double>("table/reports", {reports.size()}, reports);
  file.put<double>("table/learnt", {learnt_.size()}, learnt_);
  if (optimizer_ != nullptr) optimizer_->save(file);
  if (match_ != nullptr) match_->save(file);
  const std::size_t played = played_.lines.size();
  file.put<std::uint64_t>("table/played", {played}, played_.lines);
}

// Members play in an iteration that is not done, a report follows one that is due for it.
void TetrisTable::require_place(std::uint64_t run, std::uint64_t iteration,
                                std::uint64_t phase) const {
  if (run >= std::uint64_t(n_runs())) return;
  const bool is_dellacherie = run + 1 == std::uint64_t(n_runs());
  if (is_dellacherie != (Phase(phase) == Phase::kDellacherie)) {
    throw checkpoint_error(
        fmt::format("tensor 'table/phase' is {}, which run {} does not have", phase, run));
  }
  const std::uint64_t all = std::uint64_t(options_.integer("iterations"));
  const bool is_due =
      iteration == all || iteration % std::uint64_t(options_.integer("report_interval")) == 0;
  const bool is_place = Phase(phase) == Phase::kDellacherie ? iteration == 0
                        : Phase(phase) == Phase::kReport    ? iteration > 0 && is_due
                                                            : iteration < all;
  if (is_place) return;
  throw checkpoint_error(fmt::format(
      "tensor 'table/iteration' is {} of {} in phase {} of run {}, where no table stands",
      iteration, all, phase, run));
}

std::vector<TetrisReport> TetrisTable::checked_reports(const TensorFile& file,
                                                       std::uint64_t run) const {
  const char* const name = "table/reports";
  const int iterations = int(options_.integer("iterations")), runs = int(options_.integer("runs"));
  const TensorShape& shape = file.tensor(name).shape;
  const std::size_t most = 6 * std::size_t(n_runs()) * std::size_t(iterations);
  if (shape.size() != 1 || shape[0] % 6 != 0 || shape[0] > most) {
    throw checkpoint_error(
        fmt::format("tensor '{}' has the shape {}; expected up to {} numbers, six of each report",
                    name, shape_text(shape), most));
  }
  const std::size_t n = std::size_t(shape[0]) / 6;
  const std::vector<double> numbers = finite_doubles(file, name, 6 * n, 0, kMostScored);
  std::vector<TetrisReport> reports;
  for (std::size_t k = 0; k < n; k++) {
    const double* const r = numbers.data() + 6 * k;
    const auto is_whole = [&](int at, double least, double end) {
      return r[at] >= least && r[at] < end && r[at] == std::floor(r[at]);
    };
    const bool is_report = is_whole(0, 0, kNumTetrisSchedules) && is_whole(1, 0, runs) &&
                           is_whole(2, 1, iterations + 1.0) && is_whole(5, 0, kMostScored) &&
                           r[0] * runs + r[1] <= double(run);
    if (!is_report) {
      throw checkpoint_error(fmt::format(
          "tensor '{}': report {} is of schedule {}, run {}, iteration {} and {} walls, "
          "which a table in its run {} does not have",
          name, k, r[0], r[1], r[2], r[5], run));
    }
    reports.push_back({int(r[0]), int(r[1]), int(r[2]), r[3], r[4], std::uint64_t(r[5])});
  }
  return reports;
}

void TetrisTable::load(const TensorFile& file) {
  const std::uint64_t run = checked_count(file, "table/run", std::uint64_t(n_runs()), "runs");
  const std::uint64_t iteration = checked_count(
      file, "table/iteration", std::uint64_t(options_.integer("iterations")), "iterations");
  const std::uint64_t phase = checked_count(file, "table/phase", 2, "phases");
  require_place(run, iteration, phase);
  const std::vector<TetrisReport> reports = checked_reports(file, run);
  const std::size_t learnt_runs = std::min(std::size_t(run), std::size_t(n_runs()) - 1) * kWeights;
  const std::vector<double> learnt =
      finite_doubles(file, "table/learnt", learnt_runs, -kLargest, kLargest);
  const std::uint64_t scored =
      checked_count(file, "table/scored", std::uint64_t(kMostScored), "walls that were looked at");
  run_ = int(run);
  begin_run();
  iteration_ = int(iteration);
  phase_ = is_done() ? Phase::kMembers : Phase(phase);
  scored_ = scored;
  reports_ = reports;
  learnt_ = learnt;
  played_ = {};
  if (is_done()) {
    const std::size_t games = std::size_t(options_.integer("dellacherie_games"));
    played_.lines.resize(games);
    file.get<std::uint64_t>("table/played", {games}, played_.lines);
    for (const std::uint64_t lines : played_.lines) {
      if (double(lines) <= kMostScored) continue;
      throw checkpoint_error(
          fmt::format("tensor 'table/played' has {}, expected rows that a game can fill", lines));
    }
    return;
  }
  if (optimizer_ != nullptr) optimizer_->load(file);
  begin_games();
  match_->load(file);
}

}  // namespace gallop
