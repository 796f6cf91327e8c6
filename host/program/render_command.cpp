// gallop render: draws an episode into a film.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "host/error.h"
#include "host/program/command_line.h"
#include "host/rendering/film_file.h"
#include "host/training/trained_policy.h"

namespace gallop {
namespace {

constexpr int kSmallest = 64, kLargest = 4096;  // width and height of a film
constexpr long kUnlimitedSteps = 1000;          // of environments without a time limit

struct RenderArguments {
  std::string target, policy, out, size = "480x360";
  std::vector<std::string> assignments;
  std::int64_t seed = -1, episode = 0, max_steps = 0;
  double fps = 0;
  bool sample = false, json = false;
};

void describe(CLI::App& app, RenderArguments& a) {
  app.add_option("target", a.target, "run folder, or environment")->required();
  app.add_option("--policy", a.policy,
                 "random, zero, a run folder or a checkpoint (the run's own; random for an "
                 "environment)");
  app.add_option("--out", a.out, "file to write: .gif, .mp4 (by ffmpeg) or .html")->required();
  app.add_option("--seed", a.seed, "of the episode (the run's, or 1)")
      ->check(CLI::Range(std::int64_t(0), std::int64_t(1) << 53));
  app.add_option("--episode", a.episode, "which of an evaluation with that seed (0)")
      ->check(CLI::Range(std::int64_t(0), (std::int64_t(1) << 24) - 1));
  app.add_option("--max-steps", a.max_steps,
                 "cuts the episode (its time limit, or 1000 where it has none)")
      ->check(CLI::Range(std::int64_t(1), std::int64_t(1000000)));
  app.add_option("--fps", a.fps,
                 "frames a second (one a step, at most 50; 25 for .gif; at most 500 frames but for "
                 ".mp4)")
      ->check(CLI::Range(0.1, 120.0));
  app.add_option("--size", a.size, "width x height in pixels (480x360)");
  app.add_option("--set", a.assignments, "parameter=value of the environment")
      ->allow_extra_args(false);
  app.add_flag("--sample", a.sample, "draw actions instead of taking the most probable one");
  app.add_flag("--json", a.json, "print one JSON object");
}

FilmSettings film_settings(const RenderArguments& a) {
  FilmSettings settings;
  if (!std::isfinite(a.fps)) {
    throw value_error(fmt::format("--fps is {}; expected 0.1 to 120", a.fps));
  }
  settings.fps = a.fps;
  const char* end = a.size.data() + a.size.size();
  const auto [cross, bad_width] = std::from_chars(a.size.data(), end, settings.width);
  const bool has_cross = bad_width == std::errc() && cross != end && *cross == 'x';
  const auto [rest, bad_height] =
      std::from_chars(has_cross ? cross + 1 : end, end, settings.height);
  const auto fits = [](int pixels) { return pixels >= kSmallest && pixels <= kLargest; };
  if (!has_cross || bad_height != std::errc() || rest != end || !fits(settings.width) ||
      !fits(settings.height)) {
    throw value_error(fmt::format("--size is '{}'; expected WIDTHxHEIGHT of {} to {} pixels each",
                                  a.size, kSmallest, kLargest));
  }
  return settings;
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

// What is no name of an environment is a path.
bool is_path(const std::string& text) {
  return text.find('/') != std::string::npos || is_folder(text);
}

void warn(const std::string& text) { std::fprintf(stderr, "gallop: warning: %s\n", text.c_str()); }

// The run that the command names, if it names one.
std::optional<RunFolder> target_run(const RenderArguments& a) {
  if (!is_path(a.target)) return std::nullopt;
  return RunFolder::open(a.target);
}

std::optional<TrainedPolicy> trained_policy(Backend& backend, const RenderArguments& a,
                                            const std::optional<RunFolder>& run) {
  if (a.policy == "random" || a.policy == "zero") return std::nullopt;
  if (a.policy.empty()) {
    if (!run) return std::nullopt;
    return load_policy(backend, *run, warn);
  }
  if (a.policy.ends_with(".safetensors")) return load_policy_file(backend, a.policy);
  if (!is_path(a.policy)) {
    throw value_error(fmt::format(
        "--policy is '{}'; expected random, zero, a run folder or a .safetensors checkpoint",
        a.policy));
  }
  if (run && is_folder(a.policy) && std::filesystem::equivalent(run->path(), a.policy)) {
    return load_policy(backend, *run, warn);
  }
  return load_policy(backend, RunFolder::open(a.policy), warn);
}

void print_result(const RenderArguments& a, const Film& film, const std::string& policy,
                  const EpisodeRequest& request) {
  const Episode& e = film.episode();
  const double sum = e.return_before(e.length());
  const char* end = e.terminated ? "terminated" : e.truncated ? "truncated" : "cut";
  if (!a.json) {
    std::printf("%s, episode %u of seed %lu, policy %s: return %.2f over %d steps, %s\n",
                e.spec().name, request.number, (unsigned long)request.seed, policy.c_str(), sum,
                e.length(), end);
    std::printf("%d frames, %.4g a second: %s\n", film.n_frames(), film.fps(), a.out.c_str());
    return;
  }
  nlohmann::ordered_json object;
  object["file"] = a.out;
  object["environment"] = e.spec().name;
  object["policy"] = policy;
  object["seed"] = request.seed;
  object["episode"] = request.number;
  object["return"] = sum;
  object["length"] = e.length();
  object["end"] = end;
  object["frames"] = film.n_frames();
  object["fps"] = film.fps();
  object["width"] = film.width();
  object["height"] = film.height();
  std::printf("%s\n", object.dump().c_str());
}

int render(const RenderArguments& a) {
  // What is refused is refused before the work.
  const FilmSettings settings = film_settings(a);
  const FilmFormat format = require_film_format(a.out, settings);
  const std::optional<RunFolder> run = target_run(a);
  RunOptions options = run ? RunOptions::from_toml(run->config_toml(), run->file("config.toml"))
                           : RunOptions(a.target, "ppo");
  for (const std::string& assignment : a.assignments) options.set_assignment(assignment, "--set");
  const std::unique_ptr<Backend> backend = make_cpu_backend(1);
  const std::optional<TrainedPolicy> trained = trained_policy(*backend, a, run);

  EpisodeRequest request;
  request.environment = &options.environment();
  request.configure = options.configure();
  request.deterministic = !a.sample;
  request.seed = a.seed >= 0 ? std::uint64_t(a.seed) : options.seed();
  request.number = std::uint32_t(a.episode);
  const int limit = options.problem().time_limit;
  request.max_steps = a.max_steps > 0 ? a.max_steps : limit > 0 ? limit : kUnlimitedSteps;
  using Actions = EpisodeRequest::Actions;
  request.actions = trained              ? Actions::kPolicy
                    : a.policy == "zero" ? Actions::kZero
                                         : Actions::kRandom;
  if (trained) request.policy = trained->algorithm->policy();
  const Episode episode = record_episode(*backend, request);
  if (episode.nonfinite_step >= 0) {
    throw Error(
        ExitCode::non_finite,
        fmt::format(
            "the state or the reward of {} is not finite after {} steps of episode {} with seed {}",
            episode.spec().name, episode.nonfinite_step, request.number, request.seed));
  }
  const Film film(episode, settings_for(format, settings));
  write_film(film, format, a.out);
  const std::string policy = trained ? trained->checkpoint : a.policy == "zero" ? "zero" : "random";
  print_result(a, film, policy, request);
  return 0;
}

}  // namespace

int run_render(const std::vector<std::string>& arguments) {
  RenderArguments a;
  CLI::App app("Draws an episode of any environment.", "render");
  describe(app, a);
  if (!parse_command_line(app, arguments)) return 0;
  return render(a);
}

}  // namespace gallop
