// gallop study outline: which way to a policy's gradient is best where.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include <gallop/host/clock.h>
#include <gallop/host/error.h>
#include <gallop/host/laboratory/outline.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/program/command_line.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/terminal.h>
#include <gallop/host/runtime/processor.h>
#include <gallop/host/training/run_folder.h>
#include <gallop/host/training/signals.h>

namespace gallop {
namespace {

Command outline_command() {
  return {
      .name = "study outline",
      .summary =
          "finite differences, evolution, likelihood ratio and pathwise: which is best where",
      .flags = {
          {text_row("horizon", "3,5,10,20,50", "steps of a path (3,5,10,20,50)"), "LIST"},
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
           "N"},
          {seed_row("of the random numbers (1)"), "N"},
          {threads_row(), "N"},
          {text_row("out", "", "folder to make (runs/study-outline-SEED-TIME)"), "FOLDER"},
          {boolean_row("json", false, "one JSON object for each cell and estimator; no folder")}}};
}

OutlineSettings settings_of(const CommandLine& line) {
  OutlineSettings s;
  const auto list = [&](const char* name) {
    std::string flag = name;
    std::replace(flag.begin(), flag.end(), '_', '-');
    return parse_numbers(line.text(name), "--" + flag);
  };
  s.horizons.clear();
  for (const double horizon : list("horizon")) {
    if (!(horizon >= 1 && horizon <= 1e6) || horizon != double(int(horizon))) {
      throw value_error(
          fmt::format("--horizon has {}; expected whole numbers from 1 to 1000", horizon));
    }
    s.horizons.push_back(int(horizon));
  }
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
  s.threads = line.integer("threads") > 0 ? int(line.integer("threads")) : available_processors();
  check_outline(s);
  return s;
}

}  // namespace

int run_outline(const std::vector<std::string>& arguments) {
  const std::optional<CommandLine> line = parse_command_line(outline_command(), arguments);
  if (!line) return 0;
  const OutlineSettings settings = settings_of(*line);
  const std::string& out = line->text("out");
  if (!out.empty()) RunFolder::refuse_existing(out);
  leave_at_signals("gallop: stopped; an outline is whole or not there: nothing was written\n");
  ProgressLine progress(progress_form("auto", false), write_to_terminal, terminal_columns);
  const std::vector<OutlineCell> cells = measure_outline(settings, [&](double part) {
    if (!progress.is_due(seconds_now())) return;
    progress.show(seconds_now(), [&](int) {
      return std::vector<ProgressPart>{{fmt::format("{:3.0f} %", 100 * part)}};
    });
  });
  progress.clear();
  const bool json = line->flag("json");
  std::fputs(json ? outline_jsonl(settings, cells).c_str() : outline_text(settings, cells).c_str(),
             stdout);
  if (out.empty() && json) return 0;
  const std::string toml = outline_toml(settings);
  const RunFolder folder =
      out.empty()
          ? RunFolder::create_numbered(
                automatic_run_path("study", "outline", line->integer("seed"), std::time(nullptr)),
                toml)
          : RunFolder::create(out, toml);
  write_outline_report(folder, settings, cells);
  if (!json) print("\nreport " + folder.file("report.html") + "\n");
  return 0;
}

}  // namespace gallop
