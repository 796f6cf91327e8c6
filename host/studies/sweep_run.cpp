#include <gallop/host/studies/sweep_run.h>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include <gallop/host/error.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/logging/metrics_table.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/studies/median_rule.h>
#include <gallop/host/studies/sweep_search.h>
#include <gallop/host/training/train.h>

namespace gallop {
namespace {

const double kNone = std::nan("");

// One run of a setting, and what became of it.
struct SweepRun {
  std::size_t setting;  // of its generation
  std::int64_t seed;
  std::string path;
  double score = kNone;
  std::uint64_t steps = 0;
  bool given_up = false, failed = false;
  MedianRule::Means means = {};
};

// Iteration by iteration what a run's log says, as its progress says it: the last known return.
void watch_log(const RunFolder& folder, WatchedRun& watched) {
  const std::string path = folder.file("metrics.csv");
  if (!exists(*folder.files(), path)) return;
  const File file = File::to_read(*folder.files(), path);
  MetricsReader reader(file);
  const std::size_t k = reader.index_of("return");
  double last = kNone;
  using Next = MetricsReader::Next;
  for (Next next = reader.next(); next == Next::kRow; next = reader.next()) {
    const double value = k < reader.names().size() ? reader.values()[k] : kNone;
    if (!std::isnan(value)) last = value;
    watched.update(reader.step(), last);
  }
}

double evaluation_in(const std::string& result) {
  const std::optional<JsonValue> json = JsonValue::read(result);
  return json ? json->find("eval_return_mean")->number().value_or(kNone) : kNone;
}

class Runner {
 public:
  Runner(const OptionSweep& sweep, const RunFolder& folder, int threads,
         const SweepCallbacks& callbacks)
      : sweep_(sweep), folder_(folder), threads_(threads), callbacks_(callbacks) {
    for (int t = 0; t < threads_; t++) backends_.push_back(make_cpu_backend(1));
  }

  std::vector<SweepSetting> all() {
    make_folder(*folder_.files(), folder_.file("runs"));
    const std::unique_ptr<SweepSearch> search = make_search(sweep_, *backends_[0]);
    std::vector<SweepSetting> settings;
    for (std::int64_t generation = 1; std::int64_t(settings.size()) < sweep_.settings;
         generation++) {
      const std::size_t first = settings.size();
      for (std::vector<double>& point : search->ask(std::int64_t(first))) {
        SweepSetting setting = {.number = std::int64_t(settings.size()) + 1,
                                .generation = generation,
                                .point = std::move(point),
                                .score = kNone};
        const RunOptions options = sweep_options(sweep_, setting.point);
        for (const SweepAxis& axis : sweep_.axes) {
          setting.values.push_back(
              options.values().value_text(*options.values().resolved(axis.option)));
        }
        settings.push_back(std::move(setting));
      }
      total_ =
          std::max<std::int64_t>(sweep_.settings, std::int64_t(settings.size())) * sweep_.seeds;
      std::vector<double> scores = try_generation(settings, first);
      search->tell(scores);
    }
    return settings;
  }

 private:
  std::vector<double> try_generation(std::vector<SweepSetting>& settings, std::size_t first) {
    std::vector<SweepRun> runs;
    for (std::size_t s = first; s < settings.size(); s++) {
      for (std::int64_t seed = 1; seed <= sweep_.seeds; seed++) {
        runs.push_back({.setting = s,
                        .seed = seed,
                        .path = fmt::format("{}/runs/{:05}-seed-{}", folder_.path(),
                                            settings[s].number, seed)});
      }
    }
    run_side_by_side(settings, runs);
    std::vector<double> scores(settings.size() - first, 0.0);
    for (const SweepRun& run : runs) {  // in their order, whatever the threads did
      SweepSetting& setting = settings[run.setting];
      rules_[run.seed].add(run.means);
      setting.steps += run.steps;
      setting.given_up += run.given_up ? 1 : 0;
      setting.failed += run.failed ? 1 : 0;
      scores[run.setting - first] += run.score / double(sweep_.seeds);
    }
    for (std::size_t s = first; s < settings.size(); s++) settings[s].score = scores[s - first];
    return scores;
  }

  // Each thread takes the next run that nobody has; the first error ends all of them.
  void run_side_by_side(const std::vector<SweepSetting>& settings, std::vector<SweepRun>& runs) {
    for (std::int64_t seed = 1; seed <= sweep_.seeds; seed++) rules_[seed];
    std::atomic<std::size_t> next{0};
    std::exception_ptr thrown;
    const auto work = [&](Backend& backend) {
      for (std::size_t k = next++; k < runs.size() && !fails_; k = next++) {
        try {
          one(settings[runs[k].setting], runs[k], backend);
        } catch (...) {
          const std::lock_guard lock(mutex_);
          if (!thrown) thrown = std::current_exception();
          fails_ = true;
        }
      }
    };
    std::vector<std::thread> others;
    for (int t = 1; t < threads_; t++) {
      try {
        others.emplace_back(work, std::ref(*backends_[std::size_t(t)]));
      } catch (const std::system_error&) {
        break;  // with those that there are
      }
    }
    work(*backends_[0]);
    for (std::thread& other : others) other.join();
    if (thrown) std::rethrow_exception(thrown);
  }

  void one(const SweepSetting& setting, SweepRun& run, Backend& backend) {
    if (is_stopped()) throw Error(ExitCode::interrupted, "stopped between two runs");
    RunOptions options = sweep_options(sweep_, setting.point);
    options.values().set("seed", std::to_string(run.seed), "sweep");
    options.values().set("threads", "1", "sweep");
    options.values().set("device", "cpu", "sweep");
    const bool resumed = exists(*folder_.files(), run.path);
    const RunFolder folder = resumed
                                 ? RunFolder::open(run.path, folder_.files())
                                 : RunFolder::create(run.path, options.to_toml(), folder_.files(),
                                                     {.problem = options.problem_text()});
    if (resumed) RunOptions::from_folder(folder).refuse_difference(options);
    const MedianRule* rule = sweep_.median_stop ? &rules_.at(run.seed) : nullptr;
    const std::uint64_t total = std::uint64_t(sweep_.steps);
    std::optional<std::string> result = finished_result(folder, options, {});
    WatchedRun before(rule, total);
    watch_log(folder, before);
    if (!result && !before.is_given_up()) {
      result = train(options, folder, resumed, before, backend, run);
    }
    WatchedRun watched(result ? nullptr : rule, total);
    watch_log(folder, watched);
    run.means = watched.means();
    run.steps = watched.step();
    run.given_up = !result && !run.failed;
    run.score = result ? evaluation_in(*result) : run.failed ? kNone : watched.last_return();
    tell(run.score);
  }

  // The result of a run that came to its end; none where it was given up or failed.
  std::optional<std::string> train(const RunOptions& options, const RunFolder& folder, bool resumed,
                                   WatchedRun watched, Backend& backend, SweepRun& run) {
    TrainCallbacks c;
    c.progress = [&](std::uint64_t step, double mean_return, double) {
      watched.update(step, mean_return);
    };
    c.stop_requested = [&] { return watched.is_given_up() || is_stopped(); };
    c.stop_overdue = [&] { return callbacks_.stop_overdue && callbacks_.stop_overdue(); };
    c.warn = [&](const std::string& text) { warn(text); };
    try {
      Training training(options, backend);
      const Provenance provenance = provenance_of(backend, 1, callbacks_.command);
      record_session(folder, provenance);
      const TrainResult trained = training.run(folder, resumed, c);
      if (!trained.finished && watched.is_given_up()) return std::nullopt;
      if (!trained.finished) throw Error(ExitCode::interrupted, "stopped");
      const std::string json =
          result_json(options, provenance, folder.path(), trained, kNone, trained.train_seconds);
      folder.write_result(json);
      return json;
    } catch (const Error& error) {
      if (error.code() != ExitCode::non_finite) throw;
      warn(fmt::format("setting {}: {}", run.path, error.what()));
      run.failed = true;
      return std::nullopt;
    }
  }

  bool is_stopped() const {
    return fails_ || (callbacks_.stop_requested && callbacks_.stop_requested());
  }
  void warn(const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (callbacks_.warn) callbacks_.warn(text);
  }
  void tell(double score) {
    const std::lock_guard lock(mutex_);
    finished_++;
    if (std::isfinite(score) && !(score <= best_)) best_ = score;
    if (callbacks_.progress) callbacks_.progress(finished_, total_, best_);
  }

  const OptionSweep& sweep_;
  const RunFolder& folder_;
  int threads_;
  const SweepCallbacks& callbacks_;
  std::vector<std::unique_ptr<Backend>> backends_;  // one a thread
  std::map<std::int64_t, MedianRule> rules_;        // by seed
  std::mutex mutex_;                                // of what follows, and of callbacks
  std::int64_t finished_ = 0, total_ = 0;
  double best_ = kNone;
  std::atomic<bool> fails_{false};
};

}  // namespace

void check_sweep(const OptionSweep& sweep) {
  const RunOptions options = sweep_options(sweep, std::vector<double>(sweep.axes.size(), 0.5));
  const RunOptions plain(sweep.environment, sweep.algorithm);
  for (const char* name : {"log_interval", "time_limit", "init_from", "stop_return"}) {
    if (options.values().value_text(name) == options.values().default_text(name)) continue;
    throw value_error(fmt::format(
        "{} is {}, but the runs of a sweep are compared iteration by iteration from their begin to "
        "their end; leave it out",
        name, in_quotes(options.values().value_text(name))));
  }
  const std::unique_ptr<Backend> backend = make_cpu_backend(1);
  make_search(sweep, *backend);
  for (const double u : {0.0, 0.5, 1.0}) {
    const RunOptions corner = sweep_options(sweep, std::vector<double>(sweep.axes.size(), u));
    const Training training(corner, *backend);
  }
}

std::vector<SweepSetting> run_sweep(const OptionSweep& sweep, const RunFolder& folder, int threads,
                                    const SweepCallbacks& callbacks) {
  return Runner(sweep, folder, threads, callbacks).all();
}

const SweepSetting* best_of(const std::vector<SweepSetting>& settings) {
  const SweepSetting* best = nullptr;
  for (const SweepSetting& setting : settings) {
    if (std::isfinite(setting.score) && (best == nullptr || setting.score > best->score)) {
      best = &setting;
    }
  }
  return best;
}

}  // namespace gallop
