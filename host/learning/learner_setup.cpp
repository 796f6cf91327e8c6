#include <gallop/host/learning/learner_setup.h>

#include <fmt/format.h>

#include <gallop/host/error.h>
#include <gallop/host/files/tensor_file.h>

namespace gallop {

void require_size(const AlgorithmContext& context, const char* name, std::uint64_t size,
                  const char* options) {
  if (context.checkpoint == nullptr) return;
  const TensorShape& shape = context.checkpoint->tensor(name).shape;
  if (shape == TensorShape{size}) return;
  throw checkpoint_error(
      fmt::format("tensor '{}' has the shape {}, but {} of the run makes it [{}]", name,
                  shape_text(shape), options, size));
}

EnvironmentOptions environment_options(const AlgorithmContext& context) {
  const std::uint64_t n_envs = std::uint64_t(context.options.integer("n_envs"));
  require_size(context, "environments/elapsed", (n_envs + 63) / 64 * 64, "n_envs");
  EnvironmentOptions options;
  options.n_envs = int(context.options.integer("n_envs"));
  options.seed = context.seed;
  if (context.options.text("mode") == "fast") options.arithmetic = Arithmetic::kFast;
  return options;
}

bool resets_nonfinite(const Options& options) {
  return options.has("nonfinite") && options.text("nonfinite") == "reset";
}

// The numbers of steps and episodes have to be possible together.
std::uint64_t checked_steps(const TensorFile& file, const Environments& environments,
                            std::uint64_t rollout_steps) {
  const std::uint64_t n_envs = std::uint64_t(environments.n_envs());
  const std::uint64_t time = environments.time(), taken = time * n_envs;
  if (time % rollout_steps != 0) {
    throw checkpoint_error(
        fmt::format("tensor 'environments/time' is {}; expected a multiple of n_steps, which is {}",
                    time, rollout_steps));
  }
  const std::uint64_t steps = file.get_scalar<std::uint64_t>("steps");
  if (steps < taken || (time == 0 && steps > 0)) {
    throw checkpoint_error(
        fmt::format("tensor 'steps' is {}, but {} instances have taken {} steps each, {} in all",
                    steps, n_envs, time, taken));
  }
  // An episode takes a step, and a rollout may begin and end with a reset.
  std::vector<std::uint32_t> episode(file.tensor("environments/episode").bytes.size() /
                                     sizeof(std::uint32_t));
  file.get<std::uint32_t>("environments/episode", {episode.size()}, episode);
  for (const std::uint32_t number : episode) {
    if (number <= 3 * time) continue;
    throw checkpoint_error(
        fmt::format("tensor 'environments/episode' holds {}; expected at most {} episodes in {} "
                    "steps",
                    number, 3 * time, time));
  }
  return steps;
}

}  // namespace gallop
