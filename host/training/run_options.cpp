#include "host/training/run_options.h"

#include <fmt/format.h>

#include <span>

#include "host/checkpoint/sha256.h"
#include "host/environment_files/mdp_file.h"
#include "host/error.h"
#include "host/options/nearest.h"
#include "host/options/toml_document.h"
#include "host/runtime/environments.h"

namespace gallop {
namespace {

constexpr double kMaxSeconds = 1e6;
constexpr double kNoStopReturn = 1e30;

// Rows of every run; defaults here give way to the shipped configurations.
constexpr OptionSpec kRunRows[] = {
    {"environment", OptionType::text, "", -kUnbounded, kUnbounded, nullptr, "", "what to learn on"},
    {"algorithm", OptionType::text, "", -kUnbounded, kUnbounded, nullptr, "", "what to learn with"},
    {"seed", OptionType::integer, "1", 0, double(std::uint64_t(1) << 53), nullptr, "",
     "of everything random"},
    {"steps", OptionType::integer, "200000", 1, 1e15, nullptr, "steps",
     "environment steps to train for, rounded up to whole iterations"},
    {"mode", OptionType::choice, "strict", -kUnbounded, kUnbounded, "strict,fast", "",
     "strict: the same bits on every device, thread count and split; fast: tensor cores on a GPU, "
     "in policies, gradients, values and products with the Fisher matrix (option fisher), "
     "repeatable on one model; on the CPU the two are the same"},
    {"device", OptionType::choice, "auto", -kUnbounded, kUnbounded, "auto,cpu,cuda", "",
     "where to compute; auto takes CUDA where it is there. Does not change the bits in strict "
     "mode"},
    {"threads", OptionType::integer, "0", 0, 4096, nullptr, "",
     "of the CPU backend, 0 for all processors. Does not change the bits"},
    {"eval_episodes", OptionType::integer, "100", 1, 1 << 24, nullptr, "episodes",
     "of an evaluation with the most probable action"},
    {"eval_interval", OptionType::integer, "0", 0, 1e9, nullptr, "iterations",
     "between two evaluations during training, 0 for none but the last"},
    {"stop_return", OptionType::real, "1e30", -kNoStopReturn, kNoStopReturn, nullptr, "",
     "mean return of an evaluation during training that ends the run before its steps are done; "
     "1e30 for none"},
    {"checkpoint_interval", OptionType::integer, "0", 0, 1e9, nullptr, "iterations",
     "between two checkpoints, 0 to go by time alone"},
    {"checkpoint_seconds", OptionType::real, "5", 0, kMaxSeconds, nullptr, "s",
     "after which the next iteration writes a checkpoint, 0 to go by iterations alone"},
};

// Rows that may differ between a run and its continuation: they change no bit.
bool is_free(std::string_view name) { return name == "device" || name == "threads"; }

constexpr const char* kPrefix = "parameters.";

}  // namespace

std::span<const OptionSpec> run_rows() { return kRunRows; }

RunOptions::RunOptions(std::string_view environment, std::string_view algorithm)
    : environment_(&find_environment(environment)),
      algorithm_(&find_algorithm(algorithm)),
      texts_(std::make_shared<std::vector<std::string>>()) {
  const EnvironmentSpec& spec = spec_of(*environment_);
  values_.add(kRunRows);
  values_.set("environment", spec.name, "command");
  values_.set("algorithm", algorithm_->name, "command");
  values_.add(algorithm_->options);

  texts_->reserve(2 * spec.n_parameters);
  std::vector<OptionSpec> rows;
  for (int k = 0; k < spec.n_parameters; k++) {
    const ParameterSpec& p = spec.parameters[k];
    texts_->push_back(std::string(kPrefix) + p.name);
    const char* name = texts_->back().c_str();
    texts_->push_back(fmt::format("{}", p.value));
    rows.push_back(
        {name, OptionType::real, texts_->back().c_str(), p.low, p.high, nullptr, p.unit, p.help});
  }
  if (spec.table_capacity > 0) {
    rows.push_back({"parameters.file", OptionType::text, "", -kUnbounded, kUnbounded, nullptr, "",
                    "description of the problem; the built-in one where empty"});
  }
  values_.add(rows);
  const std::string_view config = shipped_config(algorithm_->name, spec.name);
  if (!config.empty()) {
    values_.apply_toml(config, fmt::format("configs/{}/{}.toml", algorithm_->name, spec.name));
  }
}

void RunOptions::apply_config(std::string_view toml, std::string_view origin) {
  Options changed = values_;
  changed.apply_toml(toml, origin);
  for (const char* name : {"environment", "algorithm"}) {
    if (changed.text(name) == values_.text(name)) continue;
    throw value_error(fmt::format("{} is for {} '{}', but '{}' was asked for", origin, name,
                                  changed.text(name), values_.text(name)));
  }
  values_ = changed;
}

void RunOptions::set_assignment(std::string_view assignment, std::string_view origin) {
  const std::string_view name = assignment.substr(0, assignment.find('='));
  if (values_.has(name) || name.size() == assignment.size()) {
    values_.set_assignment(assignment, origin);
  } else if (values_.has(kPrefix + std::string(name))) {
    values_.set_assignment(kPrefix + std::string(assignment), origin);
  } else {
    std::vector<std::string> known = values_.names();
    for (std::string& k : known) {
      if (k.starts_with(kPrefix)) k.erase(0, std::string_view(kPrefix).size());
    }
    throw usage_error(fmt::format("unknown option '{}' ({}){}", name.substr(0, 80), origin,
                                  did_you_mean(name, known)));
  }
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
  if (spec.table_capacity > 0 && !values_.text("parameters.file").empty()) {
    MdpFile file = read_mdp_file(values_.text("parameters.file"));
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
  return problem;
}

std::function<void(Environments&)> RunOptions::configure() const {
  return [problem = problem()](Environments& environments) {
    const EnvironmentSpec& spec = environments.spec();
    for (int k = 0; k < spec.n_parameters; k++) {
      environments.set_parameter(spec.parameters[k].name, problem.parameters[k]);
    }
    if (!problem.table.empty()) environments.set_table(problem.table);
    environments.set_time_limit(problem.time_limit);
  };
}

std::optional<double> RunOptions::stop_return() const {
  const double value = values_.real("stop_return");
  return value < kNoStopReturn ? std::optional(value) : std::nullopt;
}

std::string RunOptions::to_toml() const { return values_.to_toml(); }

RunOptions RunOptions::from_toml(const std::string& toml, const std::string& origin) {
  // The two names decide which rows the document may have.
  const auto named = [&](const char* key) {
    const std::optional<std::string> name = toml_text_value(toml, key, origin);
    if (!name) throw value_error(fmt::format("{} has no key '{}'", origin, key));
    return *name;
  };
  RunOptions options(named("environment"), named("algorithm"));
  options.apply_config(toml, origin);
  return options;
}

std::string RunOptions::fingerprint() const {
  std::string text;
  for (const std::string& name : values_.names()) {
    if (!is_free(name)) text += name + "=" + values_.value_text(name) + "\n";
  }
  if (values_.has("parameters.file") && !values_.text("parameters.file").empty()) {
    const EnvironmentProblem now = problem();
    Sha256 hash;
    hash.update(std::as_bytes(std::span(now.table)));
    text += fmt::format("problem={}x{}, {} steps, {}\n", now.sizes.observation, now.sizes.action,
                        now.time_limit, hash.hex_digest());
  }
  return text;
}

void RunOptions::refuse_difference(const RunOptions& asked) const {
  std::string list;
  for (const OptionDifference& d : values_.difference(asked.values())) {
    if (is_free(d.name)) continue;
    list += fmt::format("\n  {} is {} in the run, {} was asked for", d.name,
                        d.mine.empty() ? "absent" : d.mine, d.theirs.empty() ? "none" : d.theirs);
  }
  if (list.empty()) return;
  throw value_error("a resumed run must have the options it began with:" + list +
                    "\nLeave these flags out, or begin a new run");
}

}  // namespace gallop
