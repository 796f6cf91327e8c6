// gallop trace: single transitions from a given state, for comparison with a reference.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <sstream>

#include "host/error.h"
#include "host/program/command_line.h"
#include "host/registry/registry.h"
#include "host/runtime/processor.h"
#include "host/training/run_options.h"

namespace gallop {
namespace {

struct TraceArguments {
  std::string environment, state, actions, precision = "double";
  std::vector<std::string> assignments;
  std::int64_t seed = 1;
  int elapsed = 0;
};

// 17 significant digits; JSON has no other name for what is not finite than null.
std::string number(double x) { return std::isfinite(x) ? fmt::format("{:.17g}", x) : "null"; }

std::string numbers(const std::vector<double>& values, int count) {
  std::string text = "[";
  for (int k = 0; k < count; k++) text += (k == 0 ? "" : ", ") + number(values[k]);
  return text + "]";
}

// A step is printed all the same, with null for what is not finite.
void require_finite(const EnvironmentSpec& spec, int step, const std::vector<double>& state,
                    const std::vector<double>& observation, double reward) {
  const auto refuse = [&](const std::string& what, double value) {
    if (std::isfinite(value)) return;
    throw Error(ExitCode::non_finite,
                fmt::format("{} of {} is {} after step {}", what, spec.name, value, step));
  };
  for (int k = 0; k < spec.n_state; k++) refuse(spec.state_names[k], state[k]);
  for (const double x : observation) refuse("an observation", x);
  refuse("the reward", reward);
}

// What the environment tells beside the reward: `, "info": {...}`, or nothing.
std::string named_terms(const EnvironmentSpec& spec, const std::vector<double>& terms) {
  if (spec.n_terms == 0) return "";
  std::string text = ", \"info\": {";
  for (int k = 0; k < spec.n_terms; k++) {
    text += fmt::format("{}\"{}\": {}", k == 0 ? "" : ", ", spec.term_names[k], number(terms[k]));
  }
  return text + "}";
}

// "1;0;1" or "0.5,1;0,1": steps separated by semicolons, components by commas.
std::vector<std::vector<double>> parse_actions(const EnvironmentSpec& spec, const Sizes& sizes,
                                               const std::string& text) {
  std::vector<std::vector<double>> steps;
  std::stringstream stream(text);
  std::string part;
  while (std::getline(stream, part, ';')) {
    steps.push_back(parse_numbers(part, fmt::format("action {}", steps.size())));
    const std::vector<double>& action = steps.back();
    const bool discrete = spec.action_kind == SpaceKind::kDiscrete;
    const std::size_t expected = discrete ? 1 : std::size_t(sizes.action);
    if (action.size() != expected) {
      throw value_error(fmt::format("action {} has {} components; {} takes {}", steps.size() - 1,
                                    action.size(), spec.name, expected));
    }
    if (discrete &&
        !(action[0] >= 0 && action[0] < sizes.action && action[0] == std::floor(action[0]))) {
      throw value_error(fmt::format("action {} is {}; expected a whole number from 0 to {}",
                                    steps.size() - 1, action[0], sizes.action - 1));
    }
  }
  if (steps.empty()) throw value_error("--actions is empty; expected at least one action");
  return steps;
}

int trace(const TraceArguments& a) {
  RunOptions options(a.environment, "ppo");
  for (const std::string& assignment : a.assignments) options.set_assignment(assignment, "--set");
  const EnvironmentSpec& spec = spec_of(options.environment());
  const EnvironmentTable& table = environment_table(options.environment(), processor_isa());
  const EnvironmentProblem problem = options.problem();
  const std::vector<double>& parameters = problem.parameters;
  const Sizes sizes = problem.sizes;
  const Shared shared = {sizes, problem.table.data()};

  std::vector<double> state(spec.n_state, 0.0);
  if (a.state.empty()) {
    table.initial_state(shared, parameters.data(), std::uint64_t(a.seed), 0, state.data());
  } else {
    const std::vector<double> given = parse_numbers(a.state, "--state");
    if (int(given.size()) > spec.n_state ||
        (int(given.size()) < spec.n_given_state && spec.sizes == nullptr)) {
      throw value_error(fmt::format("--state has {} components; {} has {}", given.size(), spec.name,
                                    spec.n_given_state));
    }
    std::copy(given.begin(), given.end(), state.begin());
  }
  const bool index = spec.observation_kind == SpaceKind::kDiscrete;
  std::vector<double> observation(std::max(spec.observation_capacity, 1)), terms(spec.n_terms);
  const auto transition = a.precision == "float" ? table.transition_float : table.transition_double;
  int elapsed = a.elapsed;
  for (const std::vector<double>& given : parse_actions(spec, sizes, a.actions)) {
    std::vector<double> action(std::max(spec.action_capacity, 1), 0.0);
    std::copy(given.begin(), given.end(), action.begin());
    double reward = 0;
    const int terminated =
        transition(shared, parameters.data(), std::uint64_t(a.seed), elapsed, state.data(),
                   action.data(), observation.data(), &reward, terms.data());
    elapsed++;
    const bool truncated = problem.time_limit > 0 && elapsed >= problem.time_limit;
    std::printf(
        "{\"state\": %s, \"observation\": %s, \"reward\": %s, \"terminated\": %s, "
        "\"truncated\": %s%s}\n",
        numbers(state, spec.n_state).c_str(),
        numbers(observation, index ? 1 : sizes.observation).c_str(), number(reward).c_str(),
        terminated != 0 ? "true" : "false", truncated ? "true" : "false",
        named_terms(spec, terms).c_str());
    require_finite(spec, elapsed - a.elapsed, state, observation, reward);
  }
  return 0;
}

}  // namespace

int run_trace(const std::vector<std::string>& arguments) {
  TraceArguments a;
  CLI::App app("Steps one instance from a state: one JSON object a step.", "trace");
  app.add_option("environment", a.environment, "which; 'gallop list' names all")->required();
  app.add_option("--state", a.state, "components separated by commas (an initial state)");
  app.add_option("--actions", a.actions, "steps separated by ';', components by ','")->required();
  app.add_option("--precision", a.precision, "float or double (double)")
      ->check(CLI::IsMember({"float", "double"}));
  app.add_option("--set", a.assignments, "parameter=value of the environment")
      ->allow_extra_args(false);
  app.add_option("--seed", a.seed, "of initial state and noise")
      ->check(CLI::Range(std::int64_t(0), std::int64_t(1) << 53));
  app.add_option("--elapsed", a.elapsed, "steps of the episode before the first one")
      ->check(CLI::Range(0, 1 << 30));
  if (!parse_command_line(app, arguments)) return 0;
  return trace(a);
}

}  // namespace gallop
