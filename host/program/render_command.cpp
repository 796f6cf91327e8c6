// gallop render: draws an episode into a film.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>

#include <gallop/host/error.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/learning/controller.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/runs.h>
#include <gallop/host/program/terminal.h>
#include <gallop/host/program/tetris_command.h>
#include <gallop/host/rendering/film_file.h>
#include <gallop/host/report/player.h>
#include <gallop/host/tetris/controllers.h>
#include <gallop/host/training/trained_policy.h>

namespace gallop {
namespace {

constexpr int kSmallest = 64, kLargest = 4096;  // width and height of a film
constexpr long kUnlimitedSteps = 1000;          // of environments without a time limit

std::vector<OptionSpec> option_rows_of_render() {
  std::vector<OptionSpec> rows = parameter_rows();
  rows.push_back(tetris_rows_row());
  return rows;
}

Command render_command() {
  return {
      .name = "render",
      .summary = "draws an episode of any environment, or a game of tetris",
      .words = {{text_row("target", "", "the folder of a run, an environment, or tetris"), "TARGET",
                 true}},
      .flags =
          {{text_row("out", "", "file to write: .gif, .mp4 (by ffmpeg) or .html"), "FILE", true},
           {text_row(
                "policy", "",
                "random, zero, a controller's name, a run folder or a checkpoint (the run's own; "
                "random for an environment)"),
            "POLICY"},
           {seed_row("of the episode (the run's, or 1)"), "N"},
           {integer_row("episode", 0, {.min = 0, .max = (1 << 24) - 1},
                        "which of an evaluation with that seed (0)"),
            "N"},
           {integer_row("max_steps", 1, {.min = 1, .max = 1000000},
                        "cuts the episode (its time limit, or 1000 where it has none)"),
            "N"},
           {real_row("fps", 50, {.min = 0.1, .max = 120},
                     "frames a second (one a step, at most 50; 25 for .gif; at most 500 frames but "
                     "for .mp4)"),
            "N"},
           {text_row("size", "480x360", "width x height in pixels (480x360)"), "WxH"},
           plugin_flag(),
           {boolean_row("sample", false, "draw actions instead of taking the most probable one")},
           {boolean_row("json", false, "print one JSON object")}},
      .set_help = "a parameter of the environment, as by its own flag",
      .options = option_rows_of_render()};
}

FilmSettings film_settings(const CommandLine& line) {
  FilmSettings settings;
  if (line.given("fps")) settings.fps = line.real("fps");
  const std::string& size = line.text("size");
  const char* end = size.data() + size.size();
  const auto [cross, bad_width] = std::from_chars(size.data(), end, settings.width);
  const bool has_cross = bad_width == std::errc() && cross != end && *cross == 'x';
  const auto [rest, bad_height] =
      std::from_chars(has_cross ? cross + 1 : end, end, settings.height);
  const auto fits = [](int pixels) { return pixels >= kSmallest && pixels <= kLargest; };
  if (!has_cross || bad_height != std::errc() || rest != end || !fits(settings.width) ||
      !fits(settings.height)) {
    throw value_error(fmt::format("--size is '{}'; expected WIDTHxHEIGHT of {} to {} pixels each",
                                  size, kSmallest, kLargest));
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

// The run that the command names, if it names one.
std::optional<RunFolder> target_run(const std::string& target) {
  if (!is_path(target)) return std::nullopt;
  return open_run_to_read("render", target);
}

std::optional<TrainedPolicy> trained_policy(Backend& backend, const std::string& policy,
                                            const std::optional<RunFolder>& run) {
  if (policy == "random" || policy == "zero") return std::nullopt;
  if (policy.empty()) {
    if (!run) return std::nullopt;
    return load_policy(backend, *run, warn);
  }
  if (policy.ends_with(".safetensors")) return load_policy_file(backend, policy);
  if (!is_path(policy)) {
    throw value_error(fmt::format(
        "--policy is '{}'; expected random, zero, a controller of the environment, a run "
        "folder or a .safetensors checkpoint",
        policy));
  }
  return load_policy(backend, open_run_to_read("render", policy), warn);
}

bool names_controller(const RunOptions& options, const std::string& policy) {
  const EnvironmentSpec& spec = spec_of(options.environment());
  return std::any_of(spec.controllers, spec.controllers + spec.n_controllers,
                     [&](const ControllerSpec& c) { return policy == c.name; });
}

void require_environment(const TrainedPolicy& trained, const RunOptions& asked) {
  const std::string its = spec_of(trained.options->environment()).name;
  const std::string other = spec_of(asked.environment()).name;
  if (its == other) return;
  throw checkpoint_error(
      fmt::format("checkpoint '{}' is of the environment {}, but {} is to be drawn; name {} or the "
                  "run itself",
                  trained.checkpoint, its, other, its));
}

void print_result(const CommandLine& line, const Film& film, const Episode& e,
                  const std::string& policy, const EpisodeRequest& request) {
  const double sum = e.return_before(e.length());
  const char* end = e.terminated ? "terminated" : e.truncated ? "truncated" : "cut";
  if (!line.flag("json")) {
    print(fmt::format("{}, episode {} of seed {}, policy {}: return {:.2f} over {} steps, {}\n",
                      e.spec().name, request.number, request.seed, policy, sum, e.length(), end));
    print(fmt::format("{} frames, {:.4g} a second: {}\n", film.n_frames(), film.fps(),
                      line.text("out")));
    return;
  }
  JsonValue object;
  object["file"] = line.text("out");
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
  std::printf("%s\n", object.text().c_str());
}

int render(const CommandLine& line) {
  const std::string& target = line.text("target");
  const std::string& asked = line.text("policy");
  // What is refused is refused before the work.
  const FilmSettings settings = film_settings(line);
  const FilmFormat format = require_film_format(line.text("out"), settings);
  if (is_tetris(target)) return render_tetris(line, settings, format);
  const std::optional<RunFolder> run = target_run(target);
  RunOptions options = run ? RunOptions::from_folder(*run) : RunOptions(target, kDefaultAlgorithm);
  apply_options(line, options, true);
  const std::unique_ptr<Backend> backend = make_cpu_backend(1);
  std::optional<Controller> controller;
  if (names_controller(options, asked)) {
    controller.emplace(*backend, options.environment(), asked, options.configure());
  }
  const std::optional<TrainedPolicy> trained =
      controller ? std::nullopt : trained_policy(*backend, asked, run);
  if (trained) require_environment(*trained, options);

  EpisodeRequest request;
  request.environment = &options.environment();
  request.configure = options.configure();
  request.deterministic = !line.flag("sample");
  request.seed = line.given("seed") ? std::uint64_t(line.integer("seed")) : options.seed();
  request.number = std::uint32_t(line.integer("episode"));
  const int limit = options.problem().time_limit;
  request.max_steps = line.given("max_steps") ? line.integer("max_steps")
                      : limit > 0             ? limit
                                              : kUnlimitedSteps;
  using Actions = EpisodeRequest::Actions;
  request.actions = trained || controller ? Actions::kPolicy
                    : asked == "zero"     ? Actions::kZero
                                          : Actions::kRandom;
  if (trained) request.policy = trained->algorithm->policy();
  if (controller) request.policy = controller->view();
  const Episode episode = record_episode(*backend, request);
  if (episode.nonfinite_step >= 0) {
    throw Error(
        ExitCode::non_finite,
        fmt::format(
            "the state or the reward of {} is not finite after {} steps of episode {} with seed {}",
            episode.spec().name, episode.nonfinite_step, request.number, request.seed));
  }
  const Film film(episode, settings_for(format, settings));
  write_film(film, format, line.text("out"));
  const std::string policy = trained           ? trained->checkpoint
                             : controller      ? asked
                             : asked == "zero" ? "zero"
                                               : "random";
  print_result(line, film, episode, policy, request);
  return 0;
}

}  // namespace

int run_render(const std::vector<std::string>& arguments) {
  const std::optional<CommandLine> line = parse_command_line(render_command(), arguments);
  if (!line) return 0;
  leave_at_signals("gallop: stopped; no film was written\n");
  return render(*line);
}

}  // namespace gallop
