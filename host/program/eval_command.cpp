// gallop eval: evaluates the policy of a run's newest good checkpoint.
#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "host/checkpoint/checkpoint_store.h"
#include "host/error.h"
#include "host/program/command_line.h"
#include "host/training/train.h"

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
  const RunOptions options =
      RunOptions::from_toml(folder.config_toml(), folder.file("config.toml"));
  CheckpointStore store(folder.checkpoints());
  const LoadResult loaded = store.load_newest_good();
  for (const std::string& warning : loaded.warnings) {
    std::fprintf(stderr, "gallop: warning: %s\n", warning.c_str());
  }
  if (!loaded.checkpoint) {
    throw checkpoint_error(fmt::format("run '{}' has no checkpoint yet; resume it first", run));
  }
  std::unique_ptr<Backend> backend = make_backend(device, int(threads), nullptr);
  const AlgorithmContext context = {*backend, options.environment(), options.values(),
                                    options.seed(), options.configure()};
  const std::unique_ptr<Algorithm> algorithm = options.algorithm().create(context);
  algorithm->load(loaded.checkpoint->file);
  const int count = int(episodes > 0 ? episodes : options.values().integer("eval_episodes"));
  const Evaluation e = evaluate_policy(*backend, options.environment(), algorithm->policy(), count,
                                       seed >= 0 ? std::uint64_t(seed) : options.seed(), !sample,
                                       options.configure());
  if (json) {
    nlohmann::ordered_json object;
    object["environment"] = spec_of(options.environment()).name;
    object["algorithm"] = options.algorithm().name;
    object["checkpoint"] = loaded.checkpoint->path;
    object["steps"] = algorithm->steps();
    object["eval_episodes"] = count;
    object["eval_return_mean"] = e.mean;
    object["eval_return_std"] = e.std;
    object["eval_length_mean"] = e.mean_length;
    std::printf("%s\n", object.dump().c_str());
  } else {
    std::printf("%s: return %.2f +- %.2f, length %.1f over %d episodes after %lu steps\n",
                spec_of(options.environment()).name, e.mean, e.std, e.mean_length, count,
                (unsigned long)algorithm->steps());
  }
  return 0;
}

}  // namespace gallop
