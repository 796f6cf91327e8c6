// Training and evaluation.
#include <fmt/format.h>

#include <cmath>
#include <vector>

#include <gallop/host/c_api/options.h>
#include <gallop/host/c_api/policy.h>
#include <gallop/host/clock.h>
#include <gallop/host/learning/evaluate.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/split.h>
#include <gallop/host/registry/registry.h>
#include <gallop/host/report/run_report.h>
#include <gallop/host/runtime/processor.h>
#include <gallop/host/training/session.h>
#include <gallop/host/training/train.h>

namespace gallop::c_api {
namespace {

TrainCallbacks callbacks_of(const gallop_callbacks& given, std::atomic<bool>& stop) {
  TrainCallbacks c;
  c.stop_requested = [given, &stop] {
    return stop.load() || (given.stop_now != nullptr && given.stop_now(given.user) != 0);
  };
  if (given.stop_now != nullptr) {
    c.stop_overdue = [given] { return given.stop_now(given.user) != 0; };
  }
  c.progress = [given, &stop](std::uint64_t steps, double mean_return, double seconds) {
    if (given.progress == nullptr) return;
    gallop_progress progress = {};
    progress.size = sizeof progress;
    progress.steps = steps;
    progress.mean_return = mean_return;
    progress.seconds = seconds;
    if (given.progress(given.user, &progress) != 0) stop = true;
  };
  c.warn = [given](const std::string& text) {
    if (given.warn != nullptr) given.warn(given.user, text.c_str());
  };
  return c;
}

gallop_result result_of(const TrainResult& from) {
  gallop_result result = {};
  result.finished = from.finished ? 1 : 0;
  result.reached_stop_return = from.reached_stop_return ? 1 : 0;
  result.steps = from.steps;
  result.iterations = from.iterations;
  result.nonfinite_instances = from.nonfinite_instances;
  result.train_seconds = from.train_seconds;
  const double none = std::nan("");
  result.mean_return = from.finished ? from.evaluation.mean : none;
  result.std_return = from.finished ? from.evaluation.std : none;
  result.mean_length = from.finished ? from.evaluation.mean_length : none;
  result.episodes = std::int64_t(from.evaluation.returns.size());
  std::strncpy(result.bits, from.bits.c_str(), sizeof result.bits - 1);
  result.reached_time_limit = from.reached_time_limit ? 1 : 0;
  result.has_best = from.best ? 1 : 0;
  result.best_mean_return = from.best ? from.best->mean : none;
  result.best_step = from.best ? from.best->step : 0;
  return result;
}

Provenance provenance_of(const Device& device, const char* what) {
  const int threads = device.threads > 0 ? device.threads : available_processors();
  return gallop::provenance_of(*device.backend, threads, {"libgallop", what});
}

// What `gallop train` does in a folder that is there.
TrainResult run(const Device& device, Training& training, const RunOptions& options,
                const RunFolder& folder, bool resumed, const gallop_callbacks& given,
                const Provenance& provenance, double begin) {
  Backend& backend = *device.backend;
  record_session(folder, provenance);
  const double startup_seconds = seconds_now() - begin;
  std::atomic<bool> stop{false};
  const TrainResult result = run_with_report(training, options, folder, resumed,
                                             callbacks_of(given, stop), backend, provenance);
  if (!result.finished) return result;
  folder.write_result(result_json(options, provenance, folder.path(), result, startup_seconds,
                                  seconds_now() - begin));
  write_run_report(folder, options, {result, {}, provenance}, training, backend);
  return result;
}

// What `gallop train --resume` does; without `given_options` with those of the folder.
gallop_result resume(const Device& device, const std::string& path, const RunOptions* given_options,
                     const gallop_callbacks& given) {
  const double begin = seconds_now();
  RunFolder folder = RunFolder::open(path);
  const RunOptions stored = RunOptions::from_folder(folder);
  const RunOptions& asked = given_options != nullptr ? *given_options : stored;
  stored.refuse_difference(asked, true);
  const auto warn = [&](const std::string& text) {
    if (given.warn != nullptr) given.warn(given.user, text.c_str());
  };
  if (finished_result(folder, asked, warn)) {
    gallop_result before = {};
    before.finished = 1;
    before.finished_before = 1;
    return before;
  }
  const Provenance provenance = provenance_of(device, "resume");
  Training training(asked, *device.backend, &folder);
  if (stored.is_extended_by(asked)) extend_run(folder, stored, asked, provenance);
  return result_of(run(device, training, asked, folder, true, given, provenance, begin));
}

int resume_run(gallop_backend* backend, const char* folder, const RunOptions* options,
               const gallop_callbacks* callbacks, gallop_result* result) {
  return guard([&] {
    require_pointer(backend, "backend");
    const std::string path = text_of(folder, "the folder");
    const gallop_callbacks given = taken(callbacks, "gallop_callbacks");
    if (result != nullptr) require_size(result->size, "gallop_result");
    const Use use(*backend->device);
    const gallop_result found = resume(*backend->device, path, options, given);
    if (result != nullptr) give(result, found, "gallop_result");
  });
}

// Throws a usage error with the nearest names unless that is a parameter of the environment, or the
// ranges of those that are drawn.
void require_parameter(const RunOptions& options, std::string_view name) {
  constexpr std::string_view kTable = "parameters.";
  if (options.values().resolved(name) == "randomize") return;
  std::vector<std::string> known;
  for (const OptionSpec& row : options.parameter_rows()) {
    const std::string_view whole = row.name;
    known.emplace_back(whole.starts_with(kTable) ? whole.substr(kTable.size()) : whole);
    if (name == whole || name == known.back()) return;
  }
  throw usage_error(fmt::format("'{}' is no parameter of {}{}", name,
                                spec_of(options.environment()).name, did_you_mean(name, known)));
}

Evaluation evaluate(const gallop_policy& policy, const char* environment,
                    const gallop_evaluate_options& given, int episodes) {
  if (environment == nullptr && !policy.options) {
    throw value_error(
        "environment is a null pointer, and the policy is from no run; expected the "
        "environment's name");
  }
  RunOptions options =
      environment == nullptr ? *policy.options : RunOptions(environment, kDefaultAlgorithm);
  for (std::size_t k = 0; k < given.n_parameters; k++) {
    require_pointer(given.parameters, "parameters");
    const std::string text =
        text_of(given.parameters[k], "a text \"name=value\" of the parameters");
    const Assignment parts = split_assignment(text, kCaller);
    require_parameter(options, parts.name);
    options.set(parts.name, parts.text, kCaller);
  }
  const long most = given.max_steps == 0 ? kMostEvaluationSteps : long(given.max_steps);
  return evaluate_policy(*policy.device->backend, options.environment(), policy.view, episodes,
                         given.seed, given.sample == 0, options.configure(), most,
                         given.skips_nonfinite != 0);
}

int episodes_of(const gallop_evaluate_options& given) {
  const int episodes = given.episodes == 0 ? 100 : given.episodes;
  if (episodes < 1 || episodes > 1 << 24) {
    throw value_error(
        fmt::format("episodes is {}; expected 1 to {}, or 0 for 100", episodes, 1 << 24));
  }
  if (given.max_steps < 0) {
    throw value_error(fmt::format("max_steps is {}; expected a number of steps, or 0 for {}",
                                  given.max_steps, kMostEvaluationSteps));
  }
  const bool wants_them = given.returns != nullptr || given.lengths != nullptr;
  if (wants_them && given.capacity < std::size_t(episodes)) {
    throw value_error(
        fmt::format("capacity is {}; expected room for {} episodes", given.capacity, episodes));
  }
  return episodes;
}

}  // namespace
}  // namespace gallop::c_api

using namespace gallop;
using namespace gallop::c_api;

extern "C" {

int gallop_train(gallop_backend* backend, const gallop_options* options, const char* folder,
                 const gallop_callbacks* callbacks, gallop_result* result) {
  return guard([&] {
    const double begin = seconds_now();
    require_pointer(backend, "backend");
    require_pointer(options, "options");
    const std::string path = text_of(folder, "the folder");
    const gallop_callbacks given = taken(callbacks, "gallop_callbacks");
    if (result != nullptr) require_size(result->size, "gallop_result");
    RunFolder::refuse_existing(path);
    RunOptions asked = options->options;
    const std::optional<std::string> problem = asked.problem_text();
    if (problem) asked.set_problem_text(*problem);
    const Use use(*backend->device);
    Training training(asked, *backend->device->backend);
    const Provenance provenance = provenance_of(*backend->device, "train");
    const RunFolder made = RunFolder::create(path, provenance_comment(provenance) + asked.to_toml(),
                                             posix_file_system(), {problem, training.initial()});
    const TrainResult r =
        run(*backend->device, training, asked, made, false, given, provenance, begin);
    if (result != nullptr) give(result, result_of(r), "gallop_result");
  });
}

int gallop_resume(gallop_backend* backend, const char* folder, const gallop_callbacks* callbacks,
                  gallop_result* result) {
  return resume_run(backend, folder, nullptr, callbacks, result);
}

int gallop_resume_with(gallop_backend* backend, const char* folder, const gallop_options* options,
                       const gallop_callbacks* callbacks, gallop_result* result) {
  const int code = guard([&] { require_pointer(options, "options"); });
  return code == GALLOP_OK ? resume_run(backend, folder, &options->options, callbacks, result)
                           : code;
}

int gallop_evaluate(gallop_backend* backend, const gallop_policy* policy, const char* environment,
                    const gallop_evaluate_options* options, gallop_evaluation* evaluation) {
  return guard([&] {
    require_pointer(backend, "backend");
    require_pointer(policy, "policy");
    require_pointer(evaluation, "evaluation");
    require_size(evaluation->size, "gallop_evaluation");
    require_same_device(*policy, *backend->device);
    const gallop_evaluate_options given = taken(options, "gallop_evaluate_options");
    const int episodes = episodes_of(given);
    const Use use(*backend->device);
    const Evaluation e = evaluate(*policy, environment, given, episodes);
    for (std::size_t k = 0; k < e.returns.size(); k++) {
      if (given.returns != nullptr) given.returns[k] = e.returns[k];
      if (given.lengths != nullptr) given.lengths[k] = e.lengths[k];
    }
    gallop_evaluation found = {};
    found.episodes = std::int64_t(e.returns.size());
    found.nonfinite = e.nonfinite;
    found.mean = e.mean;
    found.std = e.std;
    found.mean_length = e.mean_length;
    give(evaluation, found, "gallop_evaluation");
  });
}

}  // extern "C"
