#include "host/training/train.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "host/checkpoint/checkpoint_store.h"
#include "host/checkpoint/sha256.h"
#include "host/error.h"
#include "host/logging/metrics_log.h"
#include "host/logging/tensorboard.h"
#include "host/training/policy_replay.h"

namespace gallop {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

constexpr const char* kEvaluation = "eval_return";

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

  Logs(const RunFolder& folder, std::optional<std::uint64_t> resumed_step)
      : metrics(folder.path()),
        tensorboard(folder.path(), resumed_step),
        checkpoints(folder.checkpoints()) {}
};

Training::Training(const RunOptions& options, Backend& backend)
    : options_(options),
      backend_(backend),
      total_steps_(std::uint64_t(options.values().integer("steps"))) {
  const AlgorithmContext context = {backend, options_.environment(), options_.values(),
                                    options_.seed(), options_.configure()};
  if (options_.stop_return() && options_.values().integer("eval_interval") == 0) {
    throw value_error(fmt::format(
        "stop_return is {}, but eval_interval is 0: no evaluation would find that it is "
        "reached; set eval_interval, or leave stop_return out",
        *options_.stop_return()));
  }
  algorithm_ = options_.algorithm().create(context);
}

Training::~Training() = default;

void Training::resume(const RunFolder& folder, const TrainCallbacks& callbacks) {
  CheckpointStore store(folder.checkpoints());
  store.remove_leftovers();
  LoadResult loaded = store.load_newest_good();
  for (const std::string& warning : loaded.warnings) {
    if (callbacks.warn) callbacks.warn(warning);
  }
  if (!loaded.checkpoint) {
    logs_ = std::make_unique<Logs>(folder, 0);
    logs_->metrics.truncate_after(0);
    return;
  }
  const TensorFile& file = loaded.checkpoint->file;
  if (file.text("options") != options_.fingerprint()) {
    throw checkpoint_error(
        fmt::format("checkpoint '{}' belongs to a run with other options, or another file that "
                    "describes its problem, than '{}'",
                    loaded.checkpoint->path, folder.file("config.toml")));
  }
  algorithm_->load(file);
  iterations_ = file.get_scalar<std::uint64_t>("iterations");
  logs_ = std::make_unique<Logs>(folder, algorithm_->steps());
  logs_->metrics.truncate_after(algorithm_->steps());
  const std::vector<double> seconds = read_metrics_csv(logs_->metrics.csv_path()).column("seconds");
  earlier_seconds_ = seconds.empty() ? 0.0 : seconds.back();
}

void Training::checkpoint() {
  TensorFile file;
  algorithm_->save(file);
  file.put_scalar<std::uint64_t>("iterations", iterations_);
  file.set_text("options", options_.fingerprint());
  file.set_text("mode", options_.values().text("mode"));
  logs_->checkpoints.save(algorithm_->steps(), file);
  last_checkpoint_ = seconds_now();
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
                         options_.configure());
}

bool Training::evaluation_is_due() const {
  const std::int64_t interval = options_.values().integer("eval_interval");
  return interval > 0 && iterations_ % std::uint64_t(interval) == 0;
}

bool Training::ends_at(double mean_return) const {
  return options_.stop_return() && mean_return >= *options_.stop_return();
}

// One iteration, and an evaluation where one is due.
Metrics Training::iterate() {
  Metrics metrics = algorithm_->iterate();
  iterations_++;
  if (options_.values().integer("eval_interval") > 0) {
    metrics.emplace_back(kEvaluation, evaluation_is_due() ? evaluate().mean : std::nan(""));
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
    logs_ = std::make_unique<Logs>(folder, std::nullopt);
  }
  const double begin = last_checkpoint_ = seconds_now();
  TrainResult result;
  double mean_return = std::nan("");
  bool stopped = false;
  // A run that was killed between its last checkpoint and its result has had its last evaluation;
  // the same parameters give it again.
  bool& reached = result.reached_stop_return;
  reached =
      options_.stop_return() && iterations_ > 0 && evaluation_is_due() && ends_at(evaluate().mean);
  while (algorithm_->steps() < total_steps_ && !stopped && !reached) {
    const double before = seconds_now();
    Metrics metrics = iterate();
    const double now = seconds_now(), elapsed = earlier_seconds_ + now - begin;
    const double latest = value_of(metrics, "return");
    if (!std::isnan(latest)) mean_return = latest;
    metrics.emplace_back("steps_per_second",
                         double(algorithm_->steps_per_iteration()) / (now - before));
    metrics.emplace_back("seconds", elapsed);
    logs_->metrics.append(algorithm_->steps(), metrics);
    logs_->tensorboard.append(algorithm_->steps(), metrics);
    if (callbacks.progress) callbacks.progress(algorithm_->steps(), mean_return, elapsed);
    reached = ends_at(value_of(metrics, kEvaluation));
    stopped = callbacks.stop_requested && callbacks.stop_requested();
    const bool last = stopped || reached || algorithm_->steps() >= total_steps_;
    if (last || checkpoint_is_due(callbacks)) checkpoint();
  }
  result.train_seconds = earlier_seconds_ + seconds_now() - begin;
  result.steps = algorithm_->steps();
  result.iterations = iterations_;
  result.finished = reached || algorithm_->steps() >= total_steps_;
  result.bits = bits();
  if (!result.finished) return result;
  result.evaluation = evaluate();
  result.replay = policy_replay(backend_, options_, algorithm_->policy());
  return result;
}

}  // namespace gallop
