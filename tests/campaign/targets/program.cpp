// Words of the command line: single steps from any state under any actions, and every command's
// words and flags.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/program/advice.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/registry/registry.h>
#include "tests/campaign/fuzz_target.h"
#include "tests/campaign/session.h"

namespace gallop::campaign {
namespace {

using Texts = std::vector<std::string>;

Texts split(std::string_view text, char separator, std::size_t most) {
  Texts parts;
  while (!text.empty() && parts.size() < most) {
    const std::size_t end = std::min(text.find(separator), text.size());
    std::string part(text.substr(0, end));
    std::erase(part, '\0');  // which no argument has
    parts.push_back(std::move(part));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// Environment, precision; then actions and, behind a line break, a state and parameters.
std::string run_trace_words(std::string_view input) {
  const auto environments = all_environments();
  const EnvironmentSpec& spec = spec_of(*environments[take_byte(input) % environments.size()]);
  const unsigned how = take_byte(input);
  const Texts lines = split(input.substr(0, 2000), '\n', 4);
  Texts words = {spec.name, "--precision", how % 2 == 0 ? "double" : "float"};
  const char* const flags[] = {"--actions", "--state", "--set", "--elapsed"};
  for (std::size_t k = 0; k < lines.size(); k++) {
    if (lines[k].empty() && k > 0) continue;
    words.push_back(flags[k]);
    words.push_back(lines[k]);
  }
  try {
    return gallop::run_trace(words) == 0 ? "traced" : "a code without an error";
  } catch (const Error& error) {
    const ExitCode code = error.code();
    if (code != ExitCode::value && code != ExitCode::usage && code != ExitCode::non_finite &&
        code != ExitCode::io) {
      finding(error.what());
    }
    throw;
  }
}

Texts trace_seeds() {
  Texts seeds;
  const auto environments = all_environments();
  for (unsigned e = 0; e < environments.size(); e++) {
    const EnvironmentSpec& spec = spec_of(*environments[e]);
    std::string action = "0", state = "0.1";
    for (int k = 1; k < spec.action_capacity && spec.action_kind == SpaceKind::kBox; k++)
      action += ",0.5";
    for (int k = 1; k < spec.n_given_state; k++) state += ",0.1";
    if (spec.state_range != nullptr) state = "1";
    for (char how = 0; how < 2; how++) {
      seeds.push_back(std::string{char(e), how} + action + ";" + action);
      seeds.push_back(std::string{char(e), how} + action + "\n" + state);
      seeds.push_back(std::string{char(e), how} + action + "\n" + state + "\n" +
                      (spec.n_parameters > 0 ? spec.parameters[0].name : "none") + "=1\n3");
    }
  }
  return seeds;
}

Texts trace_words() {
  Texts words = {",", ";", "\n",   "-",   "nan", "inf", "1e308", "0x1",
                 " ", "=", "1e30", "3.5", "-1",  "1e5", "65"};
  for (const EnvironmentEntry* entry : all_environments()) {
    const EnvironmentSpec& spec = spec_of(*entry);
    for (int k = 0; k < spec.n_parameters; k++) words.push_back(spec.parameters[k].name);
  }
  return words;
}

// One word a line; the first is the command. What would take long is refused at its end: the
// folder of the results is the current one, which is there.
std::string run_words(std::string_view input) {
  static const bool moved = [] {
    const std::string empty = std::filesystem::temp_directory_path() / "gallop-campaign-empty";
    std::filesystem::create_directories(empty);
    std::filesystem::current_path(empty);
    return true;
  }();
  static_cast<void>(moved);
  Texts words = split(input.substr(0, 600), '\n', 24);
  if (words.empty()) return "no command";
  const std::string command = folded_name(words.front());
  words.erase(words.begin());
  // Those that ship have places that take long to look at.
  std::erase_if(words, [](const std::string& word) { return word == "methods" || word == "gae"; });
  if (command == "train" || command == "study") {
    words.insert(words.end(), {"--out", "."});
    return (command == "train" ? gallop::run_train(words, 0) : gallop::run_study(words, 0)) == 0
               ? "done"
               : "a code without an error";
  }
  if (command == "render") words.insert(words.end(), {"--out", "."});
  if (command == "estimators") words.insert(words.end(), {"--samples", "1", "--out", "."});
  if (command == "estimators") return gallop::run_estimators(words) == 0 ? "done" : "a code";
  if (command == "render") return gallop::run_render(words) == 0 ? "done" : "a code";
  if (command == "eval") return gallop::run_eval(words) == 0 ? "done" : "a code";
  if (command == "list") return gallop::run_list(words) == 0 ? "done" : "a code";
  if (command == "export") return gallop::run_export(words) == 0 ? "done" : "a code";
  if (command == "trace") return gallop::run_trace(words) == 0 ? "done" : "a code";
  return "advice " + advice_on_command(command) + advice_on_environment("train", command) +
         advice_on_run("eval", command);
}

Texts word_seeds() {
  return {"train\ncartpole\n--algorithm\nppo\n--seed\n3\n--set\ngamma=0.9\nn_envs=8",
          "train\ncartpole\n--gamma=0.9\n--lr\n1e-3",
          "train\n--config\nx.toml\n--print-config",
          "train\n--resume\nruns/x\n--steps\n100k",
          "train\npendulum\n--print-config\n--Gravity\n9",
          "train\ncartpole\n--help",
          "eval\nruns/x\n--episodes\n10\n--sample\n--json",
          "render\ncartpole\n--size\n480x360\n--fps\n25\n--policy\nzero",
          "study\nmethods\n--seeds\n2\n--quiet",
          "trace\npendulum\n--actions\n0.5;1\n--state\n1,0.5",
          "estimators\nmdp\n--seed\n1\n--json",
          "list\ncartpole\n--json",
          "list"};
}

Texts flag_words() {
  Texts words = {"\n",
                 "\n--",
                 "train",
                 "eval",
                 "render",
                 "study",
                 "trace",
                 "estimators",
                 "list",
                 "cartpole",
                 "pendulum",
                 "mdp",
                 "ppo",
                 "trpo",
                 "methods",
                 "bandit",
                 "--help",
                 "--set\n",
                 "=",
                 "--seed\n",
                 "--steps\n",
                 "--threads\n",
                 "--device\n",
                 "cuda:1",
                 "--config\n",
                 "/dev/null",
                 "--json",
                 "--quiet",
                 "--progress\nline",
                 "--out\nx",
                 "--resume",
                 "--algorithm\n",
                 "--print-config",
                 "--lr\n",
                 "--no-x",
                 "-h",
                 "-",
                 "--",
                 "",
                 "100k",
                 "1e-3",
                 "\xff"};
  return words;
}

}  // namespace

FuzzTarget trace_target() { return {"trace", run_trace_words, trace_seeds, trace_words, 16}; }
FuzzTarget words_target() { return {"words", run_words, word_seeds, flag_words, 20}; }

}  // namespace gallop::campaign
