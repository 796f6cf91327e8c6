// gallop optimize: minimises a test function with a black-box optimizer.
#include <fmt/format.h>

#include <cstdio>

#include <gallop/host/clock.h>
#include <gallop/host/error.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/learning/optimize.h>
#include <gallop/host/learning/test_function.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/options/synonyms.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/program/advice.h>
#include <gallop/host/program/command_help.h>
#include <gallop/host/program/command_line.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/terminal.h>
#include <gallop/host/program/text_layout.h>

namespace gallop {
namespace {

constexpr const char* kDefaultOptimizer = "cma_es";
constexpr double kOwnNoise = -1;

// Of the function, beside those of the optimizer.
constexpr auto kFunctionRows =
    rows(boolean_row("rotated", false, "the function of a random rotation of its argument"),
         real_row("value_noise", kOwnNoise, {.min = -1, .max = 1e300},
                  "standard deviation added to a value that the optimizer sees; -1 for the "
                  "function's own"));

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const TestFunctionDescriptor& f : test_functions()) names.emplace_back(f.name);
  return names;
}

// What to say behind "unknown option 'given'".
std::string explained(std::string_view given, const Options& known,
                      const OptimizerDescriptor& optimizer) {
  const std::string name = folded_name(given);
  const std::vector<std::string> names = known.names();
  for (const std::string& meant : names_meant(name, names)) {
    return fmt::format(": it is called '{}' here ({})", meant, flag_of(meant));
  }
  std::string others;
  for (const OptimizerDescriptor* other : all_optimizers()) {
    if (Options(other->options).has(name))
      others += (others.empty() ? "" : ", ") + std::string(other->name);
  }
  if (!others.empty()) {
    return fmt::format(": it is an option of {}, not of {}", others, optimizer.name);
  }
  return did_you_mean(name, names);
}

Options options_of(const OptimizerDescriptor& optimizer) {
  Options options(kFunctionRows);
  options.add(optimizer.options);
  options.explain_unknown([&optimizer](const Options& known, std::string_view name) {
    return explained(name, known, optimizer);
  });
  return options;
}

const OptimizerDescriptor& optimizer_of(const CommandLine& line) {
  return find_optimizer(line.given("algorithm") ? line.text("algorithm") : kDefaultOptimizer);
}

std::string optimize_help(const CommandLine& line) {
  std::vector<TextRow> functions;
  for (const TestFunctionDescriptor& f : test_functions()) {
    functions.push_back(
        {f.name, fmt::format("{}{}{}", f.formula, f.is_rotated ? ", rotated" : "",
                             f.noise > 0 ? fmt::format(", with noise of {:g}", f.noise) : "")});
  }
  const OptimizerDescriptor& optimizer = optimizer_of(line);
  const Options options = options_of(optimizer);
  return fmt::format(
      "\nFunctions, all with the minimum 0:\n{}\nOptions of the function:\n{}\nOptions of {}; "
      "--algorithm NAME --help shows another's:\n{}",
      two_columns(functions, 20), options_help(options, kFunctionRows), optimizer.name,
      options_help(options, optimizer.options));
}

// What --set and flags of their own may name.
std::vector<OptionSpec> options_of_optimizers() {
  std::vector<OptionSpec> all(kFunctionRows.begin(), kFunctionRows.end());
  for (const OptimizerDescriptor* optimizer : all_optimizers()) {
    all.insert(all.end(), optimizer->options.begin(), optimizer->options.end());
  }
  return all;
}

Command optimize_command(const std::string& names) {
  return {.name = "optimize",
          .summary = "minimises a test function with a black-box algorithm",
          .words = {{text_row("function", "", names.c_str()), "FUNCTION", true}},
          .flags = {{text_row("algorithm", kDefaultOptimizer,
                              "a black-box algorithm; 'gallop list' names all (cma_es)"),
                     "NAME"},
                    {integer_row("dimension", 10, {.min = 1, .max = 1 << 24},
                                 "of the function's argument (10)"),
                     "N"},
                    {seed_row("of the random numbers (1)"), "N"},
                    {integer_row("evaluations", 1000000, {.min = 1, .max = 1e15},
                                 "of the function at most, rounded up to generations (1000000)"),
                     "N"},
                    {real_row("target", 1e-8, {.min = -1e300, .max = 1e300},
                              "value that counts as solved (1e-8)"),
                     "VALUE"},
                    {device_row(), "DEVICE"},
                    {threads_row(), "N"},
                    {boolean_row("json", false, "print one JSON object")}},
          .set_help = "an option of the algorithm or the function, as by its own flag below",
          .options = options_of_optimizers(),
          .more_help = optimize_help};
}

JsonValue to_json(const CommandLine& line, const TestFunctionDescriptor& function,
                  const OptimizerDescriptor& optimizer, const OptimizeResult& result,
                  double seconds) {
  JsonValue json;
  json["function"] = function.name;
  json["algorithm"] = optimizer.name;
  json["dimension"] = line.integer("dimension");
  json["seed"] = line.integer("seed");
  json["evaluations"] = result.evaluations;
  json["generations"] = result.generations;
  json["best"] = result.best;
  json["solved"] = result.is_solved;
  json["target"] = line.real("target");
  json["stopped"] = result.is_solved ? "the target was met" : result.stopped;
  json["seconds"] = seconds;
  json["point"] = result.best_point;
  return json;
}

void print_result(const TestFunctionDescriptor& function, const OptimizerDescriptor& optimizer,
                  const CommandLine& line, const OptimizeResult& r, double seconds) {
  print(
      fmt::format("{} on {} in {} dimensions, seed {}: {} after {} evaluations, best value "
                  "{:.6g}, {:.3g} s{}\n",
                  optimizer.name, function.name, line.integer("dimension"), line.integer("seed"),
                  r.is_solved ? "solved" : "not solved", r.evaluations, r.best, seconds,
                  r.is_solved ? "" : "; " + r.stopped));
}

}  // namespace

int run_optimize(const std::vector<std::string>& arguments) {
  const std::string names = fmt::format("what to minimise: {}", fmt::join(function_names(), ", "));
  const std::optional<CommandLine> parsed = parse_command_line(optimize_command(names), arguments);
  if (!parsed) return 0;
  const CommandLine& line = *parsed;
  refuse_other_name("function", line.text("function"), function_names());
  const TestFunctionDescriptor& descriptor = find_test_function(line.text("function"));
  const OptimizerDescriptor& optimizer = optimizer_of(line);
  Options options = options_of(optimizer);
  apply_given(line.options(), options,
              [&](const GivenOption& given) { options.set(given.name, given.text, given.origin); });

  if (optimizer.require_dimension != nullptr) {
    optimizer.require_dimension(line.integer("dimension"));
  }
  const std::uint64_t seed = std::uint64_t(line.integer("seed"));
  const double noise = options.real("value_noise");
  const TestFunction function(descriptor, line.integer("dimension"),
                              {descriptor.is_rotated || options.flag("rotated"),
                               noise == kOwnNoise ? descriptor.noise : noise, seed});
  const std::unique_ptr<Backend> backend =
      make_backend(line.text("device"), int(line.integer("threads")), say);
  const std::unique_ptr<BlackBoxOptimizer> search =
      optimizer.create({*backend, options, seed, function.start()});
  return run_until_signal([&](SignalGuard& signals) {
    const double begin = seconds_now();
    const OptimizeResult result = minimize(
        *search,
        [&](auto x, auto member, auto generation) {
          return function.noisy_value(x, member, generation);
        },
        {.target = line.real("target"),
         .evaluations = std::uint64_t(line.integer("evaluations")),
         .stop_requested = [&] { return signals.stop_requested(); }},
        [&](auto x, auto, auto) { return function.value(x); });
    const double seconds = seconds_now() - begin;
    if (line.flag("json")) {
      std::printf("%s\n", to_json(line, descriptor, optimizer, result, seconds).text().c_str());
    } else {
      print_result(descriptor, optimizer, line, result, seconds);
    }
    return signals.stop_requested() ? int(signals.stop_code()) : 0;
  });
}

}  // namespace gallop
