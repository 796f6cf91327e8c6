// gallop study horizon: pathwise derivatives over the horizon, and what holds their variance.
#include <gallop/host/laboratory/horizon.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/measurement.h>

namespace gallop {
namespace {

Command horizon_command() {
  return {.name = "study horizon",
          .summary = "pathwise derivatives over the horizon: discounted, with V, with Q",
          .flags = measurement_flags(
              {{text_row("horizon", "1,2,5,10,20,50,100,200",
                         "steps of a path (1,2,5,10,20,50,100,200)"),
                "LIST"},
               {text_row("decay", "0.75,0.9,1.02",
                         "a - b k, what a step leaves of the state (0.75,0.9,1.02)"),
                "LIST"},
               {text_row("gamma", "0.9", "discounts of derivatives (0.9)"), "LIST"},
               {text_row("tail", "1,5", "steps before the value function (1,5)"), "LIST"},
               {real_row("policy_noise", 0.3, {.min = 0.0068, .max = 7.38},
                         "deviation of actions (0.3)"),
                "X"},
               {real_row("dynamics_noise", 0.1, {.min = 0, .max = 1e3},
                         "deviation of the noise of a step (0.1)"),
                "X"},
               {integer_row("samples", 16384, {.min = 2, .max = 2147483648.0},
                            "of each estimator at each horizon (16384)"),
                "N"}})};
}

HorizonSettings settings_of(const CommandLine& line) {
  HorizonSettings s;
  s.horizons = whole_numbers(line, "horizon");
  s.decays = parse_numbers(line.text("decay"), "--decay");
  s.gammas = parse_numbers(line.text("gamma"), "--gamma");
  s.tails = whole_numbers(line, "tail");
  s.policy_noise = line.real("policy_noise");
  s.dynamics_noise = line.real("dynamics_noise");
  s.samples = line.integer("samples");
  s.seed = std::uint64_t(line.integer("seed"));
  s.threads = measurement_threads(line);
  check_horizon(s);
  return s;
}

}  // namespace

int run_horizon(const std::vector<std::string>& arguments) {
  const std::optional<CommandLine> line = parse_command_line(horizon_command(), arguments);
  if (!line) return 0;
  const HorizonSettings settings = settings_of(*line);
  std::vector<HorizonResult> results;
  return run_measurement(
      *line, "horizon", horizon_toml(settings),
      [&](const auto& progress) { results = measure_horizon(settings, progress); },
      [&](bool json) { return json ? horizon_jsonl(results) : horizon_text(settings, results); },
      [&](const RunFolder& folder) { write_horizon_report(folder, settings, results); });
}

}  // namespace gallop
