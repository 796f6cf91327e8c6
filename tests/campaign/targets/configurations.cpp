// Configurations: TOML as such, the options of a run, studies, and files that describe a problem.
#include <cmath>
#include <cstring>

#include <gallop/host/error.h>
#include <gallop/host/files/mdp_file.h>
#include <gallop/host/options/option_value.h>
#include <gallop/host/options/toml_document.h>
#include <gallop/host/runtime/environments.h>
#include <gallop/host/studies/study.h>
#include <gallop/host/studies/sweep.h>
#include <gallop/host/training/run_options.h>
#include "tests/campaign/fuzz_target.h"
#include "tests/campaign/session.h"
#include "tests/campaign/small_run.h"

namespace gallop::campaign {
namespace {

using Texts = std::vector<std::string>;

Texts toml_words() {
  return {"=",    "[",      "]",      "{",   "}",          ".",  ",",  "\n",   "\"",
          "'",    "\"\"\"", "'''",    "#",   "\\u00e9",    "\\", "\t", "\r\n", "\xef\xbb\xbf",
          "true", "false",  "[[",     "]]",  "1979-05-27", "0x", "_",  "é",    "\xff",
          "a = ", "[t]\n",  "[1, 2]", "nan", "inf",        "-",  "+"};
}

Texts with(Texts texts, const Texts& more) {
  texts.insert(texts.end(), more.begin(), more.end());
  return texts;
}

std::string run_toml(std::string_view input) {
  const std::vector<TomlEntry> entries = read_toml(input, "fuzz.toml");
  for (const TomlEntry& entry : entries) {
    if (const double* real = std::get_if<double>(&entry.value)) {
      if (!std::isfinite(*real)) continue;  // options never hold such numbers
    }
    const std::string text = "v = " + option_toml(entry.value);
    const std::vector<TomlEntry> again = read_toml(text, "again");
    if (again.size() != 1 || again[0].value != entry.value) finding("another value: " + text);
  }
  return "read";
}

Texts toml_seeds() {
  return {"# c\na = 1\nb.c = 'x'\n[t]\nd = [1, 2]\ne = -1.5e3\n'quoted key' = true\n",
          "a = \"\\u00e9 \\\"q\\\" \\n\"\nb = [1.0, 64]\nc = 0x1f\nd = 1_000\ne = false\n",
          "k = {a = 1, b = [1, 2]}\n", "[[a]]\nb = 1\n[[a]]\nb = 2\n",
          "\xef\xbb\xbf"
          "a = 'é'\r\nb = 2\r\n"};
}

// An environment and an algorithm of each kind, with their tables made once.
const RunOptions& base(unsigned number) {
  static const std::vector<RunOptions> all = [] {
    std::vector<RunOptions> options;
    for (const auto& [environment, algorithm] :
         {std::pair("cartpole", "ppo"), std::pair("pendulum", "trpo"),
          std::pair("mdp", "reinforce"), std::pair("lqr", "npg"),
          std::pair("cartpole", "vpg_line_search")}) {
      options.emplace_back(environment, algorithm);
    }
    return options;
  }();
  return all[number % all.size()];
}

void expect_round_trip(const RunOptions& options) {
  const std::string text = options.to_toml();
  const RunOptions again = RunOptions::from_toml(text, "again");
  if (again.to_toml() != text) finding("another configuration: " + text);
  const std::string difference = again.difference_from(options.fingerprint(), "again");
  if (!difference.empty()) finding("a difference from itself: " + difference);
}

std::string run_options(std::string_view input) {
  const unsigned number = take_byte(input);
  RunOptions options = base(number / 2);
  if (number % 2 == 0) {
    options.apply_config(input, "fuzz.toml");
  } else {
    while (!input.empty()) {
      const std::size_t end = std::min(input.find('\n'), input.size());
      const std::string before = options.to_toml();
      try {
        options.set_assignment(input.substr(0, end), "--set");
      } catch (const Error&) {
        if (options.to_toml() != before) finding("a refused value was taken");
        throw;
      }
      input.remove_prefix(std::min(end + 1, input.size()));
    }
  }
  expect_round_trip(options);
  const EnvironmentProblem problem = options.problem();
  return problem.table.empty() ? "taken" : "taken with a table";
}

Texts option_seeds() {
  Texts seeds = {std::string("\1") + "gamma=0.9\nlr=1e-3\nhidden=[64, 64]\nseed=1k\n",
                 std::string("\3") + "parameters.gravity=9\nGravity=10\n",
                 std::string("\5") + "n_states=3\nfile=problem.mdp\n"};
  for (unsigned i = 0; i < 5; i++) seeds.push_back(std::string(1, char(2 * i)) + base(i).to_toml());
  return seeds;
}

Texts option_words() {
  Texts words = toml_words();
  for (unsigned i = 0; i < 5; i++) {
    for (const std::string& name : base(i).values().names()) words.push_back(name);
  }
  return with(words, {"learning-rate", "lr", "num_envs", "discount", "environment", "algorithm",
                      "parameters", "[parameters]\n", "auto", "cuda:1", "strict", "fast", "tanh"});
}

std::string run_sweep_text(std::string_view input) {
  const OptionSweep sweep = parse_sweep(input, "fuzz.toml");
  const std::string text = sweep_toml(sweep);
  if (sweep_toml(parse_sweep(text, "again")) != text) finding("another sweep: " + text);
  return sweep.is_random() ? "a random sweep" : "a sweep";
}
std::string run_study(std::string_view input) {
  if (is_sweep(input, "fuzz.toml")) return run_sweep_text(input);
  const Study study = parse_study(input, "fuzz.toml");
  const std::string text = study_toml(study);
  if (study_toml(parse_study(text, "again")) != text) finding("another study: " + text);
  std::size_t places = study.variants.size() + 1;
  for (const StudyAxis& axis : study.axes) places *= axis.values.size();
  if (places * study.environments.size() > 12) return "a large study";  // takes its time
  const std::vector<StudyCell> cells = study_cells(study);
  return cells.empty() ? "a study of nothing" : "a study";
}

Texts study_seeds() {
  const std::string head = "environment = \"cartpole\"\nalgorithm = \"trpo\"\nsteps = 1000\n";
  return {head +
              "seeds = 2\nthreshold = 475\nvariants = [{name = \"No VF\", gae_lambda = 1}]\n"
              "[grid]\ngamma = [0.9, 1]\ngae_lambda = [0, 0.5]\n[options]\nn_envs = 4\n",
          "title = \"T\"\nabout = \"a\"\nx_axis = \"seconds\"\nscore = \"average\"\nsteps = 10\n"
          "[[environments]]\nname = \"pendulum\"\nthreshold = -200\nhidden = [8]\n"
          "[[environments]]\nname = \"mdp\"\n[[variants]]\nname = \"a\"\nalgorithm = \"npg\"\n",
          head + "[grid]\nhidden = [[8], [8, 8]]\n[curves]\nhidden = [8]\n",
          head +
              "settings = 20\nsearch = \"cma_es\"\nearly_stop = \"none\"\n[search_options]\n"
              "sigma = 0.2\n[sweep]\nlearning_rate = {low = 1e-4, high = 1e-1, scale = \"log\"}\n"
              "activation = {values = [\"tanh\", \"relu\"]}\n"};
}

Texts study_words() {
  return with(
      toml_words(),
      {"title",      "about",     "environment", "environments",  "algorithm",
       "variants",   "grid",      "options",     "curves",        "seeds",
       "steps",      "threshold", "x_axis",      "score",         "name",
       "cartpole",   "pendulum",  "mdp",         "ppo",           "trpo",
       "npg",        "gamma",     "hidden",      "n_envs",        "gravity",
       "iterations", "final",     "file",        "seed",          "[[variants]]\nname = \"b\"\n",
       "[grid]\n",   "[sweep]\n", "search",      "settings",      "generation",
       "early_stop", "none",      "cma_es",      "low",           "high",
       "scale",      "\"log\"",   "values",      "search_options"});
}

// A process that was accepted is also one that instances can live in.
std::string run_problem(std::string_view input) {
  const MdpFile file = parse_mdp(input, "fuzz.mdp");
  static const std::unique_ptr<Backend> backend = make_cpu_backend(1);
  Environments environments(*backend, find_environment("mdp"), {.n_envs = 4, .seed = 3});
  environments.set_parameter("n_states", file.n_states);
  environments.set_parameter("n_actions", file.n_actions);
  environments.set_table(file.table);
  environments.set_time_limit(file.horizon);
  environments.reset();
  float action[4], observation[4], reward[4];
  StepOutput out = {};
  out.observation = observation;
  out.observation_stride = 4;
  out.reward = reward;
  for (int t = 0; t < 4; t++) {
    for (int i = 0; i < 4; i++) action[i] = float((t + i) % file.n_actions);
    environments.step(action, out);
    for (int i = 0; i < 4; i++) {
      if (!(observation[i] >= 0 && observation[i] < float(file.n_states))) finding("no state");
      if (!std::isfinite(reward[i])) finding("a reward that is not finite");
    }
  }
  return "a process";
}

Texts problem_seeds() {
  return {
      "states 3\nactions 1\nhorizon 4\nstart 1 0 0\nstep 0 0 -0.1 0.1 0.8 0.1\n"
      "step 1 0 1 0 0 1\nstep 2 0 0 1 0 0\nterminal 2\n",
      "states 1  # one\nactions 2\nstart 1\nstep 0 0 1 1\nstep 0 1 2.5e-3 1\n",
      "actions 2\nstates 2\nstart 0.5 0.5\nstep 0 0 1 0.25 0.75\nstep 0 1 1 1 0\n"
      "step 1 0 0 0 1\nstep 1 1 0 0.5 0.5\n"};
}

Texts problem_words() {
  return {"states ", "actions ", "horizon ", "start ", "step ", "terminal ", "\n", " ",
          "#",       "0.5",      "1e-7",     "64",     "16",    "-0",        "\t", "\r\n"};
}

}  // namespace

FuzzTarget toml_target() { return {"toml", run_toml, toml_seeds, toml_words, 1.5}; }
FuzzTarget options_target() { return {"options", run_options, option_seeds, option_words, 4}; }
FuzzTarget study_target() { return {"study", run_study, study_seeds, study_words, 1.5}; }
FuzzTarget problem_target() { return {"problem", run_problem, problem_seeds, problem_words, 2}; }

}  // namespace gallop::campaign
