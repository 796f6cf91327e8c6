// gallop eval ENVIRONMENT --controller NAME: plays a controller that comes with an environment.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <gallop/host/files/json_value.h>
#include <gallop/host/learning/controller.h>
#include <gallop/host/learning/evaluate.h>
#include <gallop/host/program/advice.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/controller_eval.h>
#include <gallop/host/program/runs.h>
#include <gallop/host/program/terminal.h>
#include <gallop/host/runtime/stop.h>

namespace gallop {
namespace {

constexpr int kEpisodes = 100;

}  // namespace

int evaluate_controller(const CommandLine& line, SignalGuard& signals) {
  refuse_no_environment("eval", line.text("run"));
  RunOptions options(line.text("run"), kDefaultAlgorithm);
  apply_options(line, options, true);
  const EnvironmentSpec& spec = spec_of(options.environment());
  const std::unique_ptr<Backend> backend =
      make_backend(line.text("device"), int(line.integer("threads")), say);
  const StopScope scope(*backend, [&] { return signals.stop_requested(); });
  const std::string& name = line.text("controller");
  const Controller controller(*backend, options.environment(), name, options.configure());
  const int count = line.given("episodes") ? int(line.integer("episodes")) : kEpisodes;
  const std::uint64_t seed = line.given("seed") ? std::uint64_t(line.integer("seed")) : 1;
  const Evaluation e = evaluate_policy(*backend, options.environment(), controller.view(), count,
                                       seed, true, options.configure());
  // Of the mean over so many episodes; of one alone nothing is known.
  const double error = count > 1 ? e.std / std::sqrt(double(count - 1)) : 0;
  const int limit = options.problem().time_limit;
  const auto ended = std::count_if(e.lengths.begin(), e.lengths.end(),
                                   [&](long length) { return limit == 0 || length < limit; });
  if (line.flag("json")) {
    JsonValue object;
    object["environment"] = spec.name;
    object["controller"] = name;
    object["seed"] = seed;
    object["eval_episodes"] = count;
    object["eval_return_mean"] = e.mean;
    object["eval_return_std"] = e.std;
    object["eval_return_standard_error"] = error;
    object["eval_length_mean"] = e.mean_length;
    object["eval_ended_early"] = std::int64_t(ended);
    std::printf("%s\n", object.text().c_str());
  } else {
    std::printf(
        "%s, controller %s: return %.4f +- %.4f (standard error %.4f), length %.1f over %d "
        "episodes, %ld of which ended before the time limit\n",
        spec.name, name.c_str(), e.mean, e.std, error, e.mean_length, count, long(ended));
  }
  return 0;
}

}  // namespace gallop
