#include <gallop/host/training/run_options.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

#include <gallop/host/error.h>
#include <gallop/host/files/durable_file.h>
#include <gallop/host/files/printable.h>
#include <gallop/host/files/sha256.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/options/toml_document.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/runtime/environments.h>
#include <gallop/host/runtime/parameter_values.h>
#include <gallop/host/training/run_folder.h>
#include <gallop/host/training/unknown_option.h>

namespace gallop {
namespace {

constexpr double kMaxSeconds = 1e6;
constexpr double kNoStopReturn = 1e30;

// Defaults here give way to the shipped configurations.
constexpr auto kRunRows = rows(
    text_row("environment", "", "what to learn on"),
    text_row("algorithm", "", "what to learn with"),
    integer_row("seed", 1, {.min = 0, .max = double(std::uint64_t(1) << 53)},
                "of everything random"),
    integer_row("steps", 200000, {.min = 1, .max = 1e15, .unit = "steps"},
                "environment steps to train for, rounded up to whole iterations"),
    choice_row(
        "mode", "strict", "strict,fast",
        "strict: the same bits on every device, thread count and split; fast: tensor cores "
        "on a GPU, in policies, gradients, values and products with the Fisher matrix (option "
        "fisher), repeatable on one model; on the CPU the two are the same"),
    text_row(
        "device", "auto",
        "where to compute: cpu, cuda, cuda:1 for the device of that number, or auto, which takes "
        "CUDA where it is there. Does not change the bits in strict mode"),
    integer_row("threads", 0, {.min = 0, .max = 4096},
                "of the CPU backend, 0 for all processors. Does not change the bits"),
    integer_row("eval_episodes", 100, {.min = 1, .max = 1 << 24, .unit = "episodes"},
                "of an evaluation with the most probable action"),
    integer_row("eval_interval", 0, {.min = 0, .max = 1e9, .unit = "iterations"},
                "between two evaluations during training, 0 for none but the last"),
    real_row("stop_return", kNoStopReturn, {.min = -kNoStopReturn, .max = kNoStopReturn},
             "mean return of an evaluation during training that ends the run before its steps are "
             "done; 1e30 for none"),
    real_row(
        "time_limit", 0, {.min = 0, .max = 1e9, .unit = "s"},
        "after which a part of the run, from its begin or from where it was resumed, ends with "
        "a checkpoint that --resume goes on from; it has done an iteration by then; 0 for none. "
        "Does not change the bits"),
    text_row("init_from", "",
             "run, or checkpoint file, whose policy, with the statistics of its observations, and "
             "whose value network where it fits, this run begins with"),
    integer_row("log_interval", 1, {.min = 1, .max = 1e9, .unit = "iterations"},
                "between two rows of the logs; iterations with an evaluation and the last one have "
                "rows too. Does not change the bits"),
    integer_row(
        "keep", 2, {.min = 1, .max = 1e6, .unit = "checkpoints"},
        "that stay, the newest ones; the best one by evaluation stays beside them. Does not "
        "change the bits"),
    integer_row("checkpoint_interval", 0, {.min = 0, .max = 1e9, .unit = "iterations"},
                "between two checkpoints, 0 to go by time alone"),
    choice_row(
        "nonfinite", "stop", "stop,reset",
        "an instance that gives a number which is not finite: stop ends the run; reset begins "
        "its next episode, leaves the spoilt one out of learning, and counts it"),
    assignments_row("randomize", "NAME=LOW..HIGH or NAME=LOW..HIGH:log",
                    "parameters of the environment that every episode draws anew, uniformly or by "
                    "their logarithms; none for none"),
    real_row("checkpoint_seconds", 5, {.min = 0, .max = kMaxSeconds, .unit = "s"},
             "after which the next iteration writes a checkpoint, 0 to go by iterations alone"));

// Rows that may differ between a run and its continuation: they change no bit.
bool is_free(std::string_view name) {
  return name == "device" || name == "threads" || name == "time_limit" || name == "log_interval" ||
         name == "keep";
}

constexpr const char* kProblemRow = "problem";  // of a fingerprint alone
constexpr const char* kSteps = "steps";

// Whether a run of `after` steps in all is one of `before`, extended.
bool is_extended(const std::string& before, const std::string& after) {
  std::int64_t numbers[2] = {};
  for (int k = 0; k < 2; k++) {
    const std::string& text = k == 0 ? before : after;
    const char* const end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data(), end, numbers[k]);
    if (error != std::errc() || last != end) return false;
  }
  return numbers[0] > 0 && numbers[0] < numbers[1];
}

}  // namespace

std::span<const OptionSpec> run_rows() { return kRunRows; }

RunOptions::RunOptions(std::string_view environment, std::string_view algorithm)
    : RunOptions(find_environment(environment), find_algorithm(algorithm)) {}

RunOptions::RunOptions(const EnvironmentEntry& environment, const AlgorithmDescriptor& algorithm)
    : environment_(&environment),
      algorithm_(&algorithm),
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
  values_.explain_unknown([algorithm = algorithm_, environment = environment_](
                              const Options& options, std::string_view name) {
    const std::string text = explain_unknown_option(name, options, *algorithm, environment);
    return text.empty() ? did_you_mean(name.substr(name.find('.') + 1), short_names(options))
                        : text;
  });
  const std::string_view config = shipped_config(algorithm_->name, spec.name);
  if (!config.empty()) {
    values_.apply_toml(config, fmt::format("configs/{}/{}.toml", algorithm_->name, spec.name));
  }
}

std::vector<OptionSpec> RunOptions::parameter_rows() const {
  std::vector<OptionSpec> rows = values_.rows();
  std::erase_if(
      rows, [](const OptionSpec& row) { return !std::string_view(row.name).starts_with(kPrefix); });
  return rows;
}

void RunOptions::require_name(std::string_view row, std::string_view given,
                              std::string_view origin) const {
  const std::string& own = values_.text(row);
  const bool is_environment = row == "environment";
  if (is_environment && is_called(*environment_, given)) return;
  const std::string name =
      is_environment ? spec_of(find_environment(given)).name : find_algorithm(given).name;
  if (name == own) return;
  const bool by_set = origin == "--set" && row == "algorithm";
  throw value_error(fmt::format("{} is for {} '{}', but '{}' was asked for{}", origin, row, name,
                                own,
                                by_set ? fmt::format("; --algorithm {} asks for that", name) : ""));
}

// Takes the values over, but for the two names that all the others hang on.
void RunOptions::accept(Options changed, std::string_view origin) {
  for (const char* row : {"environment", "algorithm"}) {
    require_name(row, changed.text(row), origin);
    changed.set(row, values_.text(row), values_.origin(row));
  }
  // Another file describes the problem from now on.
  if (changed.has(kProblemFile) && changed.origin(kProblemFile) != values_.origin(kProblemFile)) {
    problem_text_.reset();
    stored_in_.clear();
  }
  values_ = std::move(changed);
}

void RunOptions::apply_config(std::string_view toml, std::string_view origin) {
  // Before its other keys, which another environment or algorithm does not have.
  for (const char* row : {"environment", "algorithm"}) {
    if (const auto name = toml_text_value(toml, row, origin)) require_name(row, *name, origin);
  }
  Options changed = values_;
  changed.apply_toml(toml, origin);
  settle(changed, true);
  accept(std::move(changed), origin);
}

void RunOptions::set(std::string_view name, std::string_view text, std::string_view origin) {
  Options changed = values_;
  changed.set(name, text, origin);
  const std::vector<std::string> given = settle(changed, false);
  accept(std::move(changed), origin);
  given_.insert(given_.end(), given.begin(), given.end());
}

void RunOptions::set_assignment(std::string_view assignment, std::string_view origin) {
  const Assignment parts = split_assignment(assignment, origin);
  set(parts.name, parts.text, origin);
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

RunOptions RunOptions::from_config(const std::string& toml, const std::string& origin,
                                   const std::string& environment, const std::string& algorithm) {
  const auto named = [&](const std::string& given, const char* key) {
    return given.empty() ? toml_text_value(toml, key, origin).value_or("") : given;
  };
  const std::string name = named(environment, "environment"), by = named(algorithm, "algorithm");
  if (name.empty()) {
    throw usage_error(
        fmt::format("{} names no environment; expected a line environment = \"...\" "
                    "in it, or the name on the command line: 'gallop list' names all",
                    origin));
  }
  RunOptions options(name, by.empty() ? kDefaultAlgorithm : by);
  options.apply_config(toml, origin);
  return options;
}

RunOptions RunOptions::from_folder(const RunFolder& folder) {
  RunOptions options = from_toml(folder.config_toml(), folder.file("config.toml"));
  options.set_stored(folder.path(),
                     options.values_.has(kProblemFile) ? folder.problem() : std::nullopt);
  return options;
}

void RunOptions::set_stored(std::string place, std::optional<std::string> problem_text) {
  stored_in_ = std::move(place);
  if (problem_text) set_problem_text(std::move(*problem_text));
}

std::string RunOptions::fingerprint() const {
  std::string text;
  for (const std::string& name : values_.names()) {
    if (!is_free(name)) text += name + "=" + values_.value_text(name) + "\n";
  }
  if (values_.has(kProblemFile) && !values_.text(kProblemFile).empty()) {
    const EnvironmentProblem now = problem();
    Sha256 hash;
    hash.update(std::as_bytes(std::span(now.table)));
    text += fmt::format("{}={}x{}, {} steps, {}\n", kProblemRow, now.sizes.observation,
                        now.sizes.action, now.time_limit, hash.hex_digest());
  }
  return text;
}

std::vector<std::pair<std::string, std::string>> fingerprint_rows(std::string_view fingerprint) {
  std::vector<std::pair<std::string, std::string>> rows;
  while (!fingerprint.empty()) {
    const std::string_view line = fingerprint.substr(0, fingerprint.find('\n'));
    const std::size_t equals = std::min(line.find('='), line.size());
    rows.emplace_back(line.substr(0, equals), line.substr(std::min(equals + 1, line.size())));
    fingerprint.remove_prefix(std::min(line.size() + 1, fingerprint.size()));
  }
  return rows;
}

std::string RunOptions::difference_from(const std::string& fingerprint,
                                        const std::string& mine) const {
  const auto theirs = fingerprint_rows(fingerprint), own = fingerprint_rows(this->fingerprint());
  const auto value_in = [](const auto& rows, const std::string& name) -> const std::string* {
    for (const auto& [key, value] : rows) {
      if (key == name) return &value;
    }
    return nullptr;
  };
  std::string list;
  const auto differ = [&](const std::string& name, const std::string* their,
                          const std::string* value) {
    list +=
        fmt::format("\n  {} is {} in the checkpoint, {} in {}",
                    name == kProblemRow ? "the file that describes its problem" : in_quotes(name),
                    their == nullptr ? "absent" : in_quotes(*their),
                    value == nullptr ? "absent" : in_quotes(*value), mine);
  };
  // Of another environment or algorithm all else differs too.
  for (const char* name : {"environment", "algorithm"}) {
    const std::string *their = value_in(theirs, name), *value = value_in(own, name);
    if (their == nullptr || *their != *value) differ(name, their, value);
  }
  if (!list.empty()) return list;
  for (const auto& [name, value] : own) {
    const std::string* their = value_in(theirs, name);
    if (their == nullptr && name != kProblemRow && value == values_.default_text(name)) continue;
    if (their != nullptr && name == kSteps && is_extended(*their, value)) continue;
    if (their == nullptr || *their != value) differ(name, their, &value);
  }
  for (const auto& [name, value] : theirs) {
    if (value_in(own, name) == nullptr) differ(name, &value, nullptr);
  }
  return list;
}

bool RunOptions::is_extended_by(const RunOptions& asked) const {
  return values_.integer(kSteps) < asked.values_.integer(kSteps);
}

void RunOptions::refuse_difference(const RunOptions& asked, bool may_extend) const {
  std::string list;
  for (const OptionDifference& d : values_.difference(asked.values())) {
    if (is_free(d.name)) continue;
    if (may_extend && d.name == kSteps && is_extended_by(asked)) continue;
    list += fmt::format("\n  {} is {} in the run, {} was asked for", d.name,
                        d.mine.empty() ? "absent" : d.mine, d.theirs.empty() ? "none" : d.theirs);
  }
  if (list.empty()) return;
  throw value_error("a resumed run must have the options it began with:" + list +
                    (may_extend ? "\nLeave these flags out, or begin a new run; only its steps may "
                                  "become more"
                                : "\nLeave these flags out, or begin a new run"));
}

}  // namespace gallop
