// gallop trace: single transitions from a given state, for comparison with a reference.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include <gallop/host/error.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/options/split.h>
#include <gallop/host/program/advice.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/runs.h>
#include <gallop/host/registry/registry.h>
#include <gallop/host/runtime/state_values.h>
#include <gallop/host/training/run_options.h>
#include <gallop/kernels/environment/environment_table.h>

namespace gallop {
namespace {

Command trace_command() {
  return {
      .name = "trace",
      .summary = "steps one instance from a state: one JSON object a step",
      .words = {{text_row("environment", "", "which; 'gallop list' names all"), "ENVIRONMENT",
                 true}},
      .flags = {{text_row("actions", "", "steps separated by ';', components by ','"), "ACTIONS",
                 true},
                {text_row("state", "", "components separated by ',' (an initial state)"), "STATE"},
                {choice_row("precision", "double", "float,double", "of the arithmetic (double)"),
                 "TYPE"},
                {seed_row("of initial state and noise (1)"), "N"},
                {integer_row("elapsed", 0, {.min = 0, .max = 1 << 30},
                             "steps of the episode before the first one (0)"),
                 "N"},
                plugin_flag()},
      .set_help = "a parameter of the environment, as by its own flag",
      .options = parameter_rows()};
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

// What a step gives; null stands for what is not finite.
JsonValue step_object(const EnvironmentSpec& spec, const std::vector<double>& state,
                      const std::vector<double>& observation, double reward, bool terminated,
                      bool truncated, const std::vector<double>& terms) {
  JsonValue object;
  object["state"] = state;
  object["observation"] = observation;
  object["reward"] = reward;
  object["terminated"] = terminated;
  object["truncated"] = truncated;
  for (int k = 0; k < spec.n_terms; k++) object["info"][spec.term_names[k]] = terms[k];
  return object;
}

// "1;0;1" or "0.5,1;0,1": steps separated by semicolons, components by commas.
std::vector<std::vector<double>> parse_actions(const EnvironmentSpec& spec, const Sizes& sizes,
                                               const std::string& text) {
  std::vector<std::vector<double>> steps;
  std::vector<std::string> parts = split_list(text, ';');
  if (!parts.empty() && parts.back().empty()) parts.pop_back();  // "1;0;"
  for (const std::string& part : parts) {
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

void require_state_size(const EnvironmentSpec& spec, int n) {
  if (n == spec.n_state || n == spec.n_given_state || (spec.sizes != nullptr && n < spec.n_state)) {
    return;
  }
  const std::string whole = spec.n_given_state < spec.n_state
                                ? fmt::format(", or {} with those that follow", spec.n_state)
                                : "";
  throw value_error(fmt::format("--state has {} components; {} has {}{}", n, spec.name,
                                spec.n_given_state, whole));
}

// Evaluates what the given components determine, where the rest was left open.
void complete_state(const EnvironmentSpec& spec, const TransitionTable& table, bool in_float,
                    int n_given, const Sizes& sizes, const std::vector<double>& parameters,
                    std::vector<double>& state) {
  if (n_given == spec.n_state && !is_open(spec, sizes, state)) return;
  const auto complete = in_float ? table.complete_float : table.complete_double;
  complete(parameters.data(), state.data());
}

int trace(const CommandLine& line) {
  refuse_no_environment("trace", line.text("environment"));
  RunOptions options(line.text("environment"), kDefaultAlgorithm);
  apply_options(line, options, true);
  const std::uint64_t seed = std::uint64_t(line.integer("seed"));
  const EnvironmentSpec& spec = spec_of(options.environment());
  const TransitionTable& table = *options.environment().transitions();
  const EnvironmentProblem problem = options.problem();
  if (!problem.ranges.empty()) {
    throw usage_error(
        "trace steps under the parameters that it is given and draws none; --set gives "
        "a value, --randomize is for runs");
  }
  const std::vector<double>& parameters = problem.parameters;
  const Sizes sizes = problem.sizes;
  const Shared shared = {sizes, problem.table.data()};

  std::vector<double> state(spec.n_state, 0.0);
  if (!line.given("state")) {
    table.initial_state(shared, parameters.data(), seed, 0, state.data());
  } else {
    const std::vector<double> given = parse_numbers(line.text("state"), "--state");
    require_state_size(spec, int(given.size()));
    std::copy(given.begin(), given.end(), state.begin());
    complete_state(spec, table, line.text("precision") == "float", int(given.size()), sizes,
                   parameters, state);
    for (int k = 0; k < spec.n_state; k++) {
      const std::string fault = state_fault(spec, sizes, k, state[k]);
      if (!fault.empty()) throw value_error("--state: " + fault);
    }
  }
  const bool index = spec.observation_kind == SpaceKind::kDiscrete;
  std::vector<double> observation(std::max(spec.observation_capacity, 1)), terms(spec.n_terms);
  const auto transition =
      line.text("precision") == "float" ? table.transition_float : table.transition_double;
  const int begun = int(line.integer("elapsed"));
  int elapsed = begun;
  for (const std::vector<double>& given : parse_actions(spec, sizes, line.text("actions"))) {
    std::vector<double> action(std::max(spec.action_capacity, 1), 0.0);
    std::copy(given.begin(), given.end(), action.begin());
    double reward = 0;
    const int terminated = transition(shared, parameters.data(), seed, elapsed, state.data(),
                                      action.data(), observation.data(), &reward, terms.data());
    elapsed++;
    const bool truncated = problem.time_limit > 0 && elapsed >= problem.time_limit;
    const std::vector<double> shown(observation.begin(),
                                    observation.begin() + (index ? 1 : sizes.observation));
    const JsonValue object =
        step_object(spec, state, shown, reward, terminated != 0, truncated, terms);
    std::printf("%s\n", object.text().c_str());
    require_finite(spec, elapsed - begun, state, observation, reward);
  }
  return 0;
}

}  // namespace

int run_trace(const std::vector<std::string>& arguments) {
  const std::optional<CommandLine> line = parse_command_line(trace_command(), arguments);
  return line ? trace(*line) : 0;
}

}  // namespace gallop
