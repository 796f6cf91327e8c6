// Trains PPO on this project's own environment (spring.h), in a run folder that `gallop eval` and
// `gallop train --resume` take too, given the plugin of the same header:
//
//   train_spring FOLDER [STEPS]
#include <cstdio>
#include <string>

#include <gallop/host/error.h>
#include <gallop/host/registry/registry.h>
#include <gallop/host/training/train.h>
#include "gallop_environments/spring.h"

namespace {

void train(const std::string& folder, const std::string& steps) {
  gallop::RunOptions options(gallop::kSpringEnvironment, gallop::find_algorithm("ppo"));
  options.set("steps", steps, "the command line");
  options.set("learning_rate", "0.003", "this program");
  options.set("value_learning_rate", "0.003", "this program");
  options.set("gamma", "0.95", "this program");
  const auto backend = gallop::make_cpu_backend(2);
  gallop::Training training(options, *backend);
  const gallop::RunFolder run = gallop::RunFolder::create(folder, options.to_toml());
  const gallop::TrainResult result = training.run(run, false, {});
  std::printf("return %.3f after %lu steps\nbits %s\n", result.evaluation.mean,
              static_cast<unsigned long>(result.steps), result.bits.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    std::fprintf(stderr, "usage: train_spring FOLDER [STEPS]\n");
    return 2;
  }
  try {
    train(argv[1], argc == 3 ? argv[2] : "200000");
  } catch (const gallop::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_status();
  }
}
