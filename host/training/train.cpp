#include <gallop/host/training/train.h>

#include <fmt/format.h>

#include <cmath>

#include <gallop/host/clock.h>
#include <gallop/host/error.h>
#include <gallop/host/files/checkpoint_store.h>
#include <gallop/host/files/sha256.h>
#include <gallop/host/logging/metrics_log.h>
#include <gallop/host/logging/tensorboard.h>
#include <gallop/host/runtime/stop.h>
#include <gallop/host/training/initial_policy.h>
#include <gallop/host/training/trained_policy.h>

namespace gallop {
namespace {

constexpr const char* kEvaluation = "eval_return";
constexpr double kLongIteration = 0.1;  // seconds
constexpr double kPatience = 0.5;       // seconds beyond the time limit until an iteration is left
constexpr const char* kExtended = "extended";

double value_of(const Metrics& metrics, const char* name) {
  for (const auto& [key, value] : metrics) {
    if (key == name) return value;
  }
  return std::nan("");
}

}  // namespace

struct Training::Logs {
  MetricsLog metrics;
  TensorBoardLog tensorboard;
  CheckpointStore checkpoints;

  Logs(const RunFolder& folder, const Options& options, std::optional<std::uint64_t> resumed_step)
      : metrics(folder.path(), folder.files()),
        tensorboard(folder.path(), resumed_step, folder.files()),
        checkpoints(folder.checkpoints(), int(options.integer("keep")), folder.files()) {
    tensorboard.begin_session(options);
  }
};

// The state between two iterations.
struct Training::Kept {
  std::uint64_t steps, iterations;
  std::optional<TensorFile> file;  // none where a checkpoint holds it, or nothing was learnt yet
};

Training::Training(const RunOptions& options, Backend& backend, const RunFolder* resumed)
    : options_(options),
      backend_(backend),
      total_steps_(std::uint64_t(options.values().integer("steps"))) {
  if (options_.stop_return() && options_.values().integer("eval_interval") == 0) {
    throw value_error(fmt::format(
        "stop_return is {}, but eval_interval is 0: no evaluation would find that it is "
        "reached; set eval_interval, or leave stop_return out",
        *options_.stop_return()));
  }
  if (resumed != nullptr) find_checkpoint(*resumed);
  find_initial(resumed);
  algorithm_ = options_.algorithm().create({.backend = backend,
                                            .environment = options_.environment(),
                                            .options = options_.values(),
                                            .seed = options_.seed(),
                                            .configure = options_.configure(),
                                            .checkpoint = checkpoint_file(),
                                            .initial = initial_.get()});
  if (initial_ == nullptr) return;
  TensorFile begun;
  algorithm_->save(begun);
  took_value_ = took_value(*initial_, begun, options_.algorithm().name);
}

Training::~Training() = default;

// Looks for what the run goes on from, once.
void Training::find_checkpoint(const RunFolder& folder) {
  if (found_) return;
  CheckpointStore store(folder.checkpoints(), int(options_.values().integer("keep")),
                        folder.files());
  store.remove_leftovers();
  LoadResult found = store.load_newest_good();
  if (found.checkpoint) require_options(*found.checkpoint, options_, folder.file("config.toml"));
  found_ = std::make_unique<LoadResult>(std::move(found));
}

// A run with a checkpoint goes on from that.
void Training::find_initial(const RunFolder* resumed) {
  if (options_.values().text("init_from").empty() || checkpoint_file() != nullptr) return;
  initial_ = std::make_unique<TensorFile>(resumed == nullptr ? read_initial_policy(options_)
                                                             : kept_initial_policy(*resumed));
}

std::optional<std::string> Training::initial() const {
  return initial_ != nullptr ? std::optional(initial_policy_bytes(*initial_)) : std::nullopt;
}

const TensorFile* Training::checkpoint_file() const {
  return found_ != nullptr && found_->checkpoint ? &found_->checkpoint->file : nullptr;
}

void Training::resume(const RunFolder& folder, const TrainCallbacks& callbacks) {
  find_checkpoint(folder);
  for (const std::string& warning : found_->warnings) {
    if (callbacks.warn) callbacks.warn(warning);
  }
  if (!found_->checkpoint) {
    begin_logs(folder, 0, callbacks);
    return;
  }
  const LoadedCheckpoint& checkpoint = *found_->checkpoint;
  load_checkpoint(*algorithm_, checkpoint);
  take_totals(checkpoint.file);
  iterations_ = checkpoint.file.get_scalar<std::uint64_t>("iterations");
  // An iteration may play episodes besides.
  if (iterations_ > checkpoint.step / algorithm_->steps_per_iteration()) {
    throw checkpoint_error(fmt::format(
        "'{}': tensor 'iterations' is {}; expected at most {} of {} steps each in {}",
        checkpoint.path, iterations_, checkpoint.step / algorithm_->steps_per_iteration(),
        algorithm_->steps_per_iteration(), checkpoint.step));
  }
  found_.reset();
  saved_step_ = algorithm_->steps();
  begin_logs(folder, algorithm_->steps(), callbacks);
}

// What the checkpoint knows of earlier totals, and that the run has more steps than it had then.
void Training::take_totals(const TensorFile& checkpoint) {
  if (checkpoint.has_text(kExtended)) extended_ = checkpoint.text(kExtended);
  for (const auto& [name, value] : fingerprint_rows(checkpoint.text("options"))) {
    if (name != "steps" || value == options_.values().value_text("steps")) continue;
    is_extended_now_ = true;
    extended_ += fmt::format("{}from {} to {} steps at step {}", extended_.empty() ? "" : "; ",
                             value, total_steps_, algorithm_->steps());
  }
}

void Training::begin_logs(const RunFolder& folder, std::uint64_t step,
                          const TrainCallbacks& callbacks) {
  const MendedLogs mended =
      mend_logs(folder.path(), step, folder.files(), options_.values().integer("log_interval") > 1);
  for (const std::string& warning : mended.warnings) {
    if (callbacks.warn) callbacks.warn(warning);
  }
  earlier_seconds_ = mended.seconds;
  logs_ = std::make_unique<Logs>(folder, options_.values(), step);
}

TensorFile Training::state() const {
  TensorFile file;
  algorithm_->save(file);
  file.put_scalar<std::uint64_t>("iterations", iterations_);
  file.set_text("options", options_.fingerprint());
  file.set_text("mode", options_.values().text("mode"));
  if (!extended_.empty()) file.set_text(kExtended, extended_);
  return file;
}

void Training::checkpoint() {
  save(algorithm_->steps(), state());
  last_checkpoint_ = seconds_now();
}

void Training::save(std::uint64_t step, const TensorFile& file) {
  // First, so that no power cut leaves a checkpoint without the rows that lead to it.
  logs_->metrics.sync();
  logs_->tensorboard.sync();
  logs_->checkpoints.save(step, file);
  saved_step_ = step;
}

// Before what may take long: it is given up where a stop is overdue, and the run goes on from here.
// What takes little time is not worth a copy, and comes to its end.
void Training::keep_state() {
  kept_ = std::make_unique<Kept>(Kept{algorithm_->steps(), iterations_, std::nullopt});
  const bool is_saved = algorithm_->steps() == saved_step_.value_or(0);
  const bool is_long = last_iteration_ > kLongIteration || evaluation_is_due_at(iterations_ + 1);
  may_give_up_ = is_saved || is_long;
  if (!is_saved && is_long) kept_->file = state();
}

TrainResult Training::given_up(const TrainCallbacks& callbacks) const {
  TrainResult result;
  const bool was_asked = callbacks.stop_overdue && callbacks.stop_overdue();
  result.reached_time_limit = !was_asked && time_is_up(kPatience);
  result.best = best_->best();
  result.extended = extended_;
  result.steps = kept_->steps;
  result.iterations = kept_->iterations;
  result.train_seconds = earlier_seconds_ + seconds_now() - begin_;
  return result;
}

// A part of a run that has done an iteration, so that a run comes to its end whatever its limit.
bool Training::time_is_up(double patience) const {
  const double limit = options_.values().real("time_limit");
  return limit > 0 && has_iterated_ && seconds_now() - begin_ >= limit + patience;
}

// Which iterations have rows does not depend on where a run is interrupted.
bool Training::row_is_due() const {
  return iterations_ % std::uint64_t(options_.values().integer("log_interval")) == 0 ||
         evaluation_is_due() || algorithm_->steps() >= total_steps_;
}

bool Training::checkpoint_is_due(const TrainCallbacks& callbacks) {
  const std::int64_t interval = options_.values().integer("checkpoint_interval");
  const double seconds = options_.values().real("checkpoint_seconds");
  const bool asked = callbacks.checkpoint_requested && callbacks.checkpoint_requested();
  return asked || (interval > 0 && iterations_ % std::uint64_t(interval) == 0) ||
         (seconds > 0 && seconds_now() - last_checkpoint_ >= seconds);
}

Evaluation Training::evaluate() const {
  return evaluate_policy(backend_, options_.environment(), algorithm_->policy(),
                         int(options_.values().integer("eval_episodes")), options_.seed(), true,
                         options_.configure(), kMostEvaluationSteps, options_.resets_nonfinite());
}

bool Training::evaluation_is_due_at(std::uint64_t iterations) const {
  const std::int64_t interval = options_.values().integer("eval_interval");
  return interval > 0 && iterations % std::uint64_t(interval) == 0;
}

bool Training::ends_at(double mean_return) const {
  return options_.stop_return() && mean_return >= *options_.stop_return();
}

// One iteration, and an evaluation where one is due.
Metrics Training::iterate() {
  Metrics metrics = algorithm_->iterate();
  iterations_++;
  has_iterated_ = true;
  if (options_.values().integer("eval_interval") > 0) {
    const double mean = evaluation_is_due() ? evaluate().mean : std::nan("");
    if (evaluation_is_due()) best_->offer({mean, algorithm_->steps()}, [&] { return state(); });
    metrics.emplace_back(kEvaluation, mean);
  }
  return metrics;
}

std::string Training::bits() const {
  TensorFile file;
  algorithm_->save(file);
  Sha256 hash;
  for (const auto& [name, tensor] : file.tensors()) {
    if (!name.starts_with("policy/") && !name.starts_with("value/")) continue;
    hash.update(std::as_bytes(std::span(name)));
    hash.update(tensor.bytes);
  }
  return hash.hex_digest().substr(0, 16);
}

TrainResult Training::run(const RunFolder& folder, bool resumed, const TrainCallbacks& callbacks) {
  if (resumed) {
    resume(folder, callbacks);
  } else {
    logs_ = std::make_unique<Logs>(folder, options_.values(), std::nullopt);
  }
  if (!took_value_ && callbacks.warn) {
    callbacks.warn(
        "the value network of init_from does not fit this run's, which begins with one of its own");
  }
  best_ = std::make_unique<BestCheckpoint>(folder, callbacks.warn);
  begin_ = last_checkpoint_ = seconds_now();
  // Both totals stand in the checkpoint before anything is learnt with the new one.
  if (is_extended_now_) checkpoint();
  keep_state();
  const StopScope scope(backend_, [&] {
    const bool is_asked = callbacks.stop_overdue && callbacks.stop_overdue();
    return may_give_up_ && (is_asked || time_is_up(kPatience));
  });
  try {
    return run_on(callbacks);
  } catch (const Error& error) {
    if (error.code() != ExitCode::interrupted) throw;
    if (kept_->file) save(kept_->steps, *kept_->file);
    return given_up(callbacks);
  }
}

TrainResult Training::run_on(const TrainCallbacks& callbacks) {
  TrainResult result;
  double mean_return = std::nan("");
  bool stopped = false;
  // A run that was killed between its last checkpoint and its result has had its last evaluation;
  // the same parameters give it again.
  bool& reached = result.reached_stop_return;
  reached =
      options_.stop_return() && iterations_ > 0 && evaluation_is_due() && ends_at(evaluate().mean);
  while (algorithm_->steps() < total_steps_ && !stopped && !reached) {
    keep_state();
    const double before = seconds_now();
    const std::uint64_t steps_before = algorithm_->steps();
    Metrics metrics = iterate();
    const double now = seconds_now(), elapsed = earlier_seconds_ + now - begin_;
    last_iteration_ = now - before;
    const double latest = value_of(metrics, "return");
    if (!std::isnan(latest)) mean_return = latest;
    metrics.emplace_back("steps_per_second",
                         double(algorithm_->steps() - steps_before) / (now - before));
    metrics.emplace_back("seconds", elapsed);
    if (row_is_due()) {
      logs_->metrics.append(algorithm_->steps(), metrics);
      logs_->tensorboard.append(algorithm_->steps(), metrics);
    }
    if (callbacks.progress) callbacks.progress(algorithm_->steps(), mean_return, elapsed);
    reached = ends_at(value_of(metrics, kEvaluation));
    stopped = callbacks.stop_requested && callbacks.stop_requested();
    result.reached_time_limit = !stopped && time_is_up(0);
    stopped = stopped || result.reached_time_limit;
    const bool last = stopped || reached || algorithm_->steps() >= total_steps_;
    if (last || checkpoint_is_due(callbacks)) checkpoint();
  }
  keep_state();
  result.train_seconds = earlier_seconds_ + seconds_now() - begin_;
  result.steps = algorithm_->steps();
  result.iterations = iterations_;
  result.nonfinite_instances = algorithm_->nonfinite_instances();
  result.finished = reached || algorithm_->steps() >= total_steps_;
  result.bits = bits();
  result.extended = extended_;
  result.best = best_->best();
  if (!result.finished) return result;
  result.reached_time_limit = false;
  result.evaluation = evaluate();
  if (options_.values().integer("eval_interval") > 0) {
    best_->offer({result.evaluation.mean, result.steps}, [&] { return state(); });
    result.best = best_->best();
  }
  const Metrics evaluation = {{kEvaluation, result.evaluation.mean},
                              {"eval_return_std", result.evaluation.std},
                              {"eval_length", result.evaluation.mean_length}};
  logs_->tensorboard.append(result.steps, evaluation);
  logs_->tensorboard.end_session();
  return result;
}

}  // namespace gallop
