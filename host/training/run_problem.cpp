// The environment of a run: its parameters, what of them is drawn, and the file that describes it.
#include <fmt/format.h>

#include <algorithm>

#include <gallop/host/error.h>
#include <gallop/host/files/durable_file.h>
#include <gallop/host/files/mdp_file.h>
#include <gallop/host/files/printable.h>
#include <gallop/host/options/option_value.h>
#include <gallop/host/runtime/environments.h>
#include <gallop/host/runtime/parameter_values.h>
#include <gallop/host/training/run_folder.h>
#include <gallop/host/training/run_options.h>

namespace gallop {
namespace {

// The range of a parameter, empty for none.
std::string range_of(const Options& options, const char* row, const std::string& name) {
  for (const Assigned& one : assigned(options.text(row))) {
    if (one.name == name) return one.text;
  }
  return "";
}

}  // namespace

std::vector<std::string> RunOptions::settle(Options& changed, bool by_file) const {
  std::vector<std::string> given;
  const auto is_new = [&](const std::string& row) {
    return changed.origin(row) != values_.origin(row) ||
           changed.value_text(row) != values_.value_text(row);
  };
  const auto was_set = [&](const std::string& name) {
    return std::find(given_.begin(), given_.end(), name) != given_.end();
  };
  const EnvironmentSpec& spec = spec_of(*environment_);
  for (int k = 0; k < spec.n_parameters; k++) {
    const std::string name = spec.parameters[k].name, row = kPrefix + name;
    const std::string drawn = fmt::format("{}.{}", kRanges, name);
    const std::string range = range_of(changed, kRanges, name);
    const bool value_is_new = is_new(row);
    const bool range_is_new = !range.empty() && range != range_of(values_, kRanges, name);
    if (value_is_new) given.push_back(row);
    if (range_is_new) given.push_back(drawn);
    if (range.empty()) continue;
    const bool both =
        by_file
            ? value_is_new && range_is_new && changed.value_text(row) != changed.default_text(row)
            : (value_is_new && (range_is_new || was_set(drawn))) || (range_is_new && was_set(row));
    if (both) {
      throw value_error(
          fmt::format("parameter {} is given, as {}, and drawn for each episode, from {}; leave "
                      "one of them out",
                      name, changed.value_text(row), range));
    }
    if (value_is_new && !range_is_new) changed.set(drawn, "none", changed.origin(row));
    if (range_is_new && !value_is_new) changed.set(row, changed.default_text(row), "default");
  }
  return given;
}

EnvironmentProblem RunOptions::problem() const {
  const EnvironmentSpec& spec = spec_of(*environment_);
  EnvironmentProblem problem = {};
  std::vector<double> defaults;
  for (int k = 0; k < spec.n_parameters; k++) {
    problem.parameters.push_back(values_.real(kPrefix + std::string(spec.parameters[k].name)));
    defaults.push_back(spec.parameters[k].value);
  }
  const auto sizes_of = [&](const std::vector<double>& parameters) {
    return spec.sizes != nullptr ? spec.sizes(parameters.data())
                                 : Sizes{spec.observation_capacity, spec.action_capacity};
  };
  problem.time_limit = spec.time_limit;
  if (const std::optional<std::string> text = problem_text()) {
    MdpFile file = parse_mdp(*text, values_.text(kProblemFile));
    problem.parameters = {double(file.n_states), double(file.n_actions)};
    problem.table = std::move(file.table);
    problem.time_limit = file.horizon;
  } else if (spec.table_capacity > 0) {
    problem.table.resize(spec.table_capacity);
    spec.default_table(problem.table.data());
    const Sizes asked = sizes_of(problem.parameters), built_in = sizes_of(defaults);
    if (asked.observation != built_in.observation || asked.action != built_in.action) {
      throw value_error(fmt::format(
          "{} states and {} actions were asked for, but the built-in problem of {} has {} and {}; "
          "describe another one in a file and name it with --set file=FILE",
          asked.observation, asked.action, spec.name, built_in.observation, built_in.action));
    }
  }
  problem.sizes = sizes_of(problem.parameters);
  const std::string fault = parameters_fault(spec, problem.parameters);
  if (!fault.empty()) throw value_error(fault);
  ParameterRanges ranges(spec);
  for (const Assigned& one : assigned(values_.text(kRanges))) {
    const int index = parameter_index(spec, one.name);
    ranges.set(index, parse_range(one.name, one.text));
    problem.ranges.emplace_back(index, *ranges.find(index));
  }
  const std::string empty = ranges.fault(problem.parameters, problem.parameters);
  if (!empty.empty()) throw value_error(empty);
  return problem;
}

std::optional<std::string> RunOptions::problem_text() const {
  if (!values_.has(kProblemFile) || values_.text(kProblemFile).empty()) return std::nullopt;
  if (problem_text_ != nullptr) return *problem_text_;
  const std::string& file = values_.text(kProblemFile);
  if (stored_in_.empty()) return read_given_file(*posix_file_system(), file, kLargestProblem);
  throw value_error(
      fmt::format("the run in '{0}' has no copy of the file '{1}', which describes its problem, "
                  "and a file that "
                  "a run's configuration names is not opened; if it is the right one: cp {2} {3}",
                  stored_in_, file, shell_quoted(file), shell_quoted(stored_in_ + "/problem.mdp")));
}

void RunOptions::set_problem_text(std::string text) {
  problem_text_ = std::make_shared<const std::string>(std::move(text));
}

std::function<void(Environments&)> RunOptions::configure() const {
  return [problem = problem()](Environments& environments) {
    const EnvironmentSpec& spec = environments.spec();
    for (int k = 0; k < spec.n_parameters; k++) {
      environments.set_parameter(spec.parameters[k].name, problem.parameters[k]);
    }
    for (const auto& [index, range] : problem.ranges) {
      environments.randomize(spec.parameters[index].name, range);
    }
    if (!problem.table.empty()) environments.set_table(problem.table);
    environments.set_time_limit(problem.time_limit);
  };
}

}  // namespace gallop
