#include <gallop/host/program/advice.h>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <unordered_set>

#include <gallop/host/error.h>
#include <gallop/host/files/printable.h>
#include <gallop/host/learning/test_function.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/split.h>
#include <gallop/host/options/synonyms.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/registry/registry.h>
#include <gallop/host/studies/measured_study.h>
#include <gallop/host/tetris/controllers.h>

namespace gallop {
namespace {

// Flags of other programs, or of other commands, by command ("*" for all).
struct FlagAdvice {
  std::string_view commands, words, answer;
};

constexpr FlagAdvice kFlags[] = {
    {"train", "env env_id env_name environment_id environment_name gym_id task game domain",
     "the environment is the first word: gallop train cartpole"},
    {"train optimize", "algo alg algorithm_name agent method learner trainer optimizer",
     "it is called --algorithm here"},
    {"optimize", "dim d n dims dimensions n_dim ndim", "it is called --dimension here"},
    {"optimize",
     "budget max_evaluations max_evals maxfevals evals steps n_evaluations iterations generations",
     "it is called --evaluations here"},
    {"optimize", "tol tolerance ftarget threshold precision", "it is called --target here"},
    {"optimize", "popsize pop_size lambda population_size n_members",
     "it is called --population here"},
    {"optimize", "sigma0 sigma_init std init_std", "it is called --sigma here"},
    {"train eval study bench optimize", "gpu gpus cuda use_gpu use_cuda",
     "it is --device cuda here"},
    {"train eval study bench optimize", "cpu no_cuda no_gpu", "it is --device cpu here"},
    {"train", "fast tf32 bf16 fp16 amp mixed_precision", "it is --mode fast here"},
    {"train", "strict deterministic", "it is --mode strict, the default"},
    {"*", "verbose v debug log_level progress", "progress is shown on a terminal anyway"},
    {"train study", "silent q no_progress no_progress_bar", "it is called --quiet here"},
    {"train", "render render_mode human video record visualize watch gif mp4",
     "'gallop render RUN --out film.gif' draws the policy of a run"},
    {"train", "test evaluate eval eval_only play",
     "each run ends with an evaluation, of --eval-episodes; 'gallop eval RUN' evaluates again"},
    {"train", "tensorboard tb tensorboard_log use_tensorboard wandb track csv log",
     "a run folder always holds metrics.csv, metrics.jsonl and TensorBoard events"},
    {"train",
     "output output_dir outdir out_dir log_dir logdir log_path save_dir save_path save run_dir "
     "run_name exp_name experiment experiment_name name folder dir directory model_dir results_dir",
     "it is called --out here"},
    {"render study estimators",
     "output output_file outfile o file save save_path filename folder dir",
     "it is called --out here"},
    {"export", "out output output_file outfile o file path filename save onnx",
     "it is called --to here"},
    {"train",
     "continue restore restore_from load load_model load_path load_dir checkpoint ckpt "
     "resume_from from_checkpoint",
     "it is called --resume here; --init-from begins a new run with the policy of another"},
    {"train", "cfg conf config_file config_path yaml toml settings options_file hparams params",
     "it is called --config here"},
    {"train", "print_cfg show_config dump_config dry_run dryrun",
     "it is called --print-config here"},
    {"eval",
     "n_episodes num_episodes n_eval_episodes num_eval_episodes eval_episodes n_eval games trials",
     "it is called --episodes here"},
    {"eval render", "stochastic explore random_actions", "it is called --sample here"},
    {"eval render", "deterministic greedy",
     "actions are the most probable ones unless --sample is given"},
    {"eval", "steps max_steps n_steps num_steps iterations",
     "whole episodes are played: --episodes says how many"},
    {"eval", "render video gif", "'gallop render RUN --out film.gif' draws the policy of a run"},
    {"eval render", "checkpoint ckpt model model_path load load_path run_dir",
     "the run folder is the first word"},
    {"render", "width height resolution dimensions", "it is --size 480x360 here"},
    {"render", "framerate frame_rate frames_per_second", "it is called --fps here"},
    {"study", "n_seeds num_seeds seed runs n_runs repeats repetitions trials",
     "it is called --seeds here: how many"},
    {"study",
     "algorithm environment algorithms environments algo algos alg method methods env envs env_id "
     "task tasks",
     "a study's file names its algorithms and environments; 'gallop list' names the studies"},
    {"estimators graph", "n n_samples num_samples paths n_paths episodes",
     "it is called --samples here"},
    {"train", "controller",
     "'gallop eval ENVIRONMENT --controller NAME' plays one, and needs no training"},
    {"eval differences", "policy", "it is called --controller here"},
    {"render", "controller", "it is called --policy here: the name of a controller"},
    {"differences", "n n_samples num_samples", "it is called --samples here: 1,4,16"},
    {"tetris", "games n_games num_games episodes",
     "a report plays --report-games, Dellacherie's controller --dellacherie-games"},
    {"tetris", "height board_height n_rows num_rows", "it is called --rows here"},
    {"tetris", "pieces steps max_steps", "it is called --max-pieces here"},
    {"tetris", "controller policy weights",
     "'gallop eval tetris --controller NAME' plays a controller"},
    {"tetris", "algorithm algo alg method optimizer",
     "the table is learnt by the cross-entropy method alone"},
    {"trace", "action a", "it is called --actions here: --actions '1;0;1'"},
    {"*", "format output_format as_json", "it is --json here"},
};

// Our commands with the words of others for them.
struct CommandAdvice {
  std::string_view command, words;
};

constexpr CommandAdvice kCommands[] = {
    {"gallop train ENVIRONMENT", "run start learn fit training begin go"},
    {"gallop train --resume RUN", "resume continue restore restart"},
    {"gallop eval RUN", "evaluate evaluation score validate predict"},
    {"gallop render RUN --out film.gif",
     "play watch show draw video film animate animation visualize visualise record view enjoy plot "
     "gif"},
    {"gallop export RUN --to FILE", "convert deploy onnx to_onnx torchscript save_policy"},
    {"gallop compare RUN RUN", "comparison diff versus"},
    {"gallop study NAME", "sweep grid tune search experiment studies ablation"},
    {"gallop trace ENVIRONMENT --actions ...", "step simulate sim debug rollout"},
    {"gallop optimize FUNCTION",
     "optimise minimize minimise optimizer optimiser blackbox black_box function"},
    {"gallop estimators PROBLEM", "estimator gradients gradient estimate lab laboratory"},
    {"gallop bench SUITE", "benchmark benchmarks speed perf profile measure"},
    {"gallop list", "ls envs environments algorithms algos algorithm env options info describe"},
    {"gallop --help", "man usage commands"},
};

constexpr std::size_t kLeastNear = 4;  // shorter words are near to all short names

constexpr const char* kOfTetris =
    ": it is a game of controllers; gallop eval tetris --controller dellacherie plays one, gallop "
    "tetris learns them, and gallop list tetris names them";

bool has_word(std::string_view list, std::string_view word) {
  const std::vector<std::string> words = split_list(list, ' ');
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_environment(const std::string& word) { return environment_called(word) != nullptr; }
bool is_algorithm(const std::string& word) { return algorithm_called(word) != nullptr; }
bool is_study(const std::string& word) {
  const std::vector<std::string> studies = study_names();
  return std::find(studies.begin(), studies.end(), word) != studies.end();
}

// What the controller of that name plays: an environment, or tetris; empty where there is none.
std::string player_called(const std::string& name) {
  for (const EnvironmentEntry* entry : all_environments()) {
    const EnvironmentSpec& spec = spec_of(*entry);
    for (int k = 0; k < spec.n_controllers; k++) {
      if (name == spec.controllers[k].name) return spec.name;
    }
  }
  for (const TetrisWeights& known : published_tetris_controllers()) {
    if (name == known.name) return "tetris";
  }
  return "";
}

bool is_run(const std::string& word) {
  std::error_code ignored;
  return std::filesystem::exists(word + "/config.toml", ignored);
}

}  // namespace

std::string advice_on_flag(const Command& command, const std::string& name) {
  const std::string first = command.name.substr(0, command.name.find(' '));
  for (const FlagAdvice& advice : kFlags) {
    const bool here = advice.commands == "*" || has_word(advice.commands, first);
    if (here && has_word(advice.words, name)) return ": " + std::string(advice.answer);
  }
  std::vector<std::string> flags;
  for (const Argument& flag : command.flags) flags.emplace_back(flag.row.name);
  // A command that explains its options knows which of them it has at hand.
  if (!command.explain) {
    for (const OptionSpec& row : command.options) flags.emplace_back(row.name);
  }
  for (const std::string& meant : names_meant(name, flags)) {
    return fmt::format(": it is called {} here", flag_of(meant));
  }
  return "";
}

std::string nearest_flags(const Command& command, const std::string& name) {
  std::vector<std::string> flags;
  std::unordered_set<std::string> known;
  const auto add = [&](std::string flag) {
    if (known.insert(flag).second) flags.push_back(std::move(flag));
  };
  for (const Argument& flag : command.flags) add(flag_of(flag.row.name));
  add("--help");
  if (!command.set_help.empty()) {
    add("--set");
    for (const OptionSpec& row : command.options) add(flag_of(row.name));
  }
  return did_you_mean(flag_of(name), flags);
}

std::string advice_on_word(const Command& command, const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals != std::string::npos && equals > 0 && !command.set_help.empty()) {
    return ": options are given by --set " + word;
  }
  if (command.name == "train") {
    if (is_algorithm(word)) return ": the algorithm is given by --algorithm " + word;
    if (is_run(word)) return ": a run is continued by gallop train --resume " + word;
    if (is_environment(word)) return ": a run has one environment; 'gallop study' compares several";
  }
  return command.words.empty() ? ": it takes no word"
                               : fmt::format(": it takes {}", command.words.back().value);
}

std::string advice_on_command(const std::string& word) {
  const std::string name = folded_name(word);
  if (name == "test") return ": ./gallop test, in the source tree, builds and runs the tests";
  if (word.starts_with('-')) {
    return fmt::format(": the command comes first, as in gallop train cartpole {} ...", word);
  }
  for (const CommandAdvice& advice : kCommands) {
    if (has_word(advice.words, name)) return ": it is '" + std::string(advice.command) + "' here";
  }
  return advice_on_name(word);
}

std::string advice_on_name(const std::string& word) {
  const std::string name = folded_name(word);
  if (is_environment(word)) return ": it is an environment; gallop train " + word;
  if (is_algorithm(word)) {
    return ": it is an algorithm; gallop train ENVIRONMENT --algorithm " + word;
  }
  if (is_study(name)) return ": it is a study; gallop study " + name;
  if (is_tetris(word)) return kOfTetris;
  const std::string player = player_called(name);
  if (!player.empty()) {
    return fmt::format(": it is a controller of {0}; gallop eval {0} --controller {1} plays it",
                       player, name);
  }
  for (const TestFunctionDescriptor& function : test_functions()) {
    if (function.name == name) return ": it is a function; gallop optimize " + name;
  }
  if (is_run(word)) {
    return fmt::format(": it is a run; gallop eval {0}, or gallop train --resume {0}",
                       shell_quoted(word));
  }
  return "";
}

void refuse_other_name(const char* kind, const std::string& word,
                       std::span<const std::string> names) {
  if (std::find(names.begin(), names.end(), folded_name(word)) != names.end()) return;
  const std::string advice = advice_on_name(word);
  if (advice.empty()) return;
  throw usage_error(fmt::format("{} is no {}{}. There are: {}", in_quotes(word), kind, advice,
                                fmt::join(names, ", ")));
}

std::string advice_on_near_name(const std::string& word) {
  std::vector<std::string> names = study_names();
  for (const EnvironmentEntry* entry : all_environments()) {
    names.emplace_back(spec_of(*entry).name);
  }
  for (const AlgorithmDescriptor* algorithm : all_algorithms()) {
    names.emplace_back(algorithm->name);
  }
  const std::vector<std::string> near = nearest_names(word, names, 1);
  if (near.empty() || word.size() < kLeastNear) return "";
  return fmt::format(": the nearest name is '{}'{}", near[0], advice_on_name(near[0]));
}

std::string sentence(const std::string& answer) {
  return answer + (answer.ends_with('?') ? "" : ".");
}

bool asks_for_all(const std::string& word) {
  return has_word(
      "all environments environment envs env tasks task algorithms algorithm algos algo "
      "optimizers optimizer studies study problems problem functions function games game "
      "controllers controller",
      folded_name(word));
}

std::string advice_on_environment(const std::string& command, const std::string& word) {
  if (is_tetris(word)) return kOfTetris;
  if (is_run(word)) {
    return command == "train"
               ? ": it is a run; gallop train --resume " + shell_quoted(word)
               : fmt::format(": it is a run; gallop eval {} plays its policy", shell_quoted(word));
  }
  if (folded_name(word) == "help") return ": 'gallop train --help' explains the command";
  return is_algorithm(word) ? "" : advice_on_name(word);
}

void refuse_no_environment(const std::string& command, const std::string& word) {
  if (is_environment(word)) return;
  const std::string advice = advice_on_environment(command, word);
  if (advice.empty()) return;
  throw usage_error(fmt::format("{} is no environment{}", in_quotes(word), advice));
}

std::string advice_on_run(const std::string& command, const std::string& word) {
  if (is_tetris(word)) return kOfTetris;
  if (command.starts_with("tetris")) return "";
  const EnvironmentEntry* const environment = environment_called(word);
  if (environment != nullptr) {
    const EnvironmentSpec& spec = spec_of(*environment);
    if (command == "eval" && spec.n_controllers > 0) {
      return fmt::format(
          ": it is an environment; gallop eval {0} --controller {1} plays a controller that comes "
          "with it, gallop train {0} --out RUN makes a run, then gallop eval RUN",
          word, spec.controllers[0].name);
    }
    return fmt::format(
        ": it is an environment; gallop train {} --out RUN makes a run, then gallop "
        "{} RUN",
        word, command);
  }
  return is_run(word) ? "" : advice_on_name(word);
}

}  // namespace gallop
