// gallop study outline: which way to a policy's gradient is best where.
#include <algorithm>

#include <gallop/host/laboratory/outline.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/measurement.h>

namespace gallop {
namespace {

Command outline_command() {
  return {.name = "study outline",
          .summary =
              "finite differences, evolution, likelihood ratio and pathwise: which is best where",
          .flags = measurement_flags(
              {{text_row("horizon", "3,5,10,20,50", "steps of a path (3,5,10,20,50)"), "LIST"},
               {text_row("policy_noise", "0.1,0.3,1", "deviations of actions (0.1,0.3,1)"), "LIST"},
               {text_row("dynamics_noise", "0,0.3", "deviations of the noise of a step (0,0.3)"),
                "LIST"},
               {text_row("width", "1,0.1,0.01,0",
                         "of the ramp over which the prize begins, 0 for a jump "
                         "(1,0.1,0.01,0); without a prize is always there"),
                "LIST"},
               {text_row("displacement", "0.03,0.1,0.3",
                         "of finite differences and evolution strategies (0.03,0.1,0.3)"),
                "LIST"},
               {real_row("jump", 1, {.min = -1e6, .max = 1e6}, "height of the prize (1)"), "X"},
               {real_row("budget", 1e5, {.min = 1, .max = 1e15},
                         "environment steps that a gradient may cost (1e5)"),
                "N"},
               {real_row("seconds", 1e-3, {.min = 1e-9, .max = 1e9},
                         "of one core that it may cost in the other map (0.001)"),
                "X"},
               {integer_row("samples", 32768, {.min = 2, .max = 2147483648.0},
                            "of each estimator in each cell (32768)"),
                "N"},
               {integer_row("pilot", 1024, {.min = 64, .max = 1048576},
                            "paths that a baseline is fitted on (1024)"),
                "N"}})};
}

OutlineSettings settings_of(const CommandLine& line) {
  OutlineSettings s;
  const auto list = [&](const char* name) {
    std::string flag = name;
    std::replace(flag.begin(), flag.end(), '_', '-');
    return parse_numbers(line.text(name), "--" + flag);
  };
  s.horizons = whole_numbers(line, "horizon");
  s.policy_noise = list("policy_noise");
  s.dynamics_noise = list("dynamics_noise");
  s.widths = list("width");
  s.displacements = list("displacement");
  s.jump = line.real("jump");
  s.steps = line.real("budget");
  s.seconds = line.real("seconds");
  s.samples = line.integer("samples");
  s.pilot = int(line.integer("pilot"));
  s.seed = std::uint64_t(line.integer("seed"));
  s.threads = measurement_threads(line);
  check_outline(s);
  return s;
}

}  // namespace

int run_outline(const std::vector<std::string>& arguments) {
  const std::optional<CommandLine> line = parse_command_line(outline_command(), arguments);
  if (!line) return 0;
  const OutlineSettings settings = settings_of(*line);
  std::vector<OutlineCell> cells;
  return run_measurement(
      *line, "outline", outline_toml(settings),
      [&](const auto& progress) { cells = measure_outline(settings, progress); },
      [&](bool json) {
        return json ? outline_jsonl(settings, cells) : outline_text(settings, cells);
      },
      [&](const RunFolder& folder) { write_outline_report(folder, settings, cells); });
}

}  // namespace gallop
