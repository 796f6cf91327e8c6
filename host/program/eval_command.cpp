// gallop eval: evaluates the policy of a run's newest good checkpoint.
#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "host/program/command_line.h"
#include "host/training/evaluate.h"
#include "host/training/trained_policy.h"

namespace gallop {

int run_eval(const std::vector<std::string>& arguments) {
  std::string run, device = "auto";
  std::int64_t seed = -1, episodes = 0, threads = 0;
  bool json = false, sample = false;
  CLI::App app("Evaluates the policy of a run.", "eval");
  app.add_option("run", run, "run folder")->required();
  app.add_option("--seed", seed, "of the initial states (the run's)")
      ->check(CLI::Range(std::int64_t(0), std::int64_t(1) << 53));
  app.add_option("--episodes", episodes, "how many (the run's)")
      ->check(CLI::Range(std::int64_t(1), std::int64_t(1) << 24));
  app.add_option("--threads", threads, "of the CPU, 0 for all")
      ->check(CLI::Range(std::int64_t(0), std::int64_t(4096)));
  app.add_option("--device", device, "auto, cpu or cuda");
  app.add_flag("--sample", sample, "draw actions instead of taking the most probable one");
  app.add_flag("--json", json, "print one JSON object");
  if (!parse_command_line(app, arguments)) return 0;

  const RunFolder folder = RunFolder::open(run);
  const std::unique_ptr<Backend> backend = make_backend(device, int(threads), nullptr);
  const TrainedPolicy trained = load_policy(*backend, folder, [](const std::string& warning) {
    std::fprintf(stderr, "gallop: warning: %s\n", warning.c_str());
  });
  const RunOptions& options = *trained.options;
  const int count = int(episodes > 0 ? episodes : options.values().integer("eval_episodes"));
  const Evaluation e = evaluate_policy(*backend, options.environment(), trained.algorithm->policy(),
                                       count, seed >= 0 ? std::uint64_t(seed) : options.seed(),
                                       !sample, options.configure());
  if (json) {
    nlohmann::ordered_json object;
    object["environment"] = spec_of(options.environment()).name;
    object["algorithm"] = options.algorithm().name;
    object["checkpoint"] = trained.checkpoint;
    object["steps"] = trained.algorithm->steps();
    object["eval_episodes"] = count;
    object["eval_return_mean"] = e.mean;
    object["eval_return_std"] = e.std;
    object["eval_length_mean"] = e.mean_length;
    std::printf("%s\n", object.dump().c_str());
  } else {
    std::printf("%s: return %.2f +- %.2f, length %.1f over %d episodes after %lu steps\n",
                spec_of(options.environment()).name, e.mean, e.std, e.mean_length, count,
                (unsigned long)trained.algorithm->steps());
  }
  return 0;
}

}  // namespace gallop
