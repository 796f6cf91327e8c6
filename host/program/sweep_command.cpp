#include <gallop/host/program/sweep_command.h>

#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include <gallop/host/clock.h>
#include <gallop/host/error.h>
#include <gallop/host/files/printable.h>
#include <gallop/host/logging/progress.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/program/runs.h>
#include <gallop/host/program/terminal.h>
#include <gallop/host/runtime/processor.h>
#include <gallop/host/studies/sweep_report.h>
#include <gallop/host/training/session.h>
#include <gallop/host/training/signals.h>

namespace gallop {
namespace {

constexpr double kPatience = 0.5;  // seconds until an iteration is given up

// The sweep in the folder must be the one that is asked for, but more settings may be asked for.
void refuse_difference(const RunFolder& folder, const OptionSweep& asked) {
  require_folder_of(folder, "study");
  const std::string file = folder.file("config.toml");
  if (!is_sweep(folder.config_toml(), file)) {
    throw value_error(fmt::format("the study in '{}' is no sweep", folder.path()));
  }
  OptionSweep stored = parse_sweep(folder.config_toml(), file);
  if (stored.settings > asked.settings) {
    throw value_error(
        fmt::format("the sweep in '{}' has {} settings, {} were asked for; there may only be more",
                    folder.path(), stored.settings, asked.settings));
  }
  stored.settings = asked.settings;
  if (sweep_toml(stored) == sweep_toml(asked)) return;
  throw value_error(
      fmt::format("the sweep in '{}' is another one, see its config.toml; continue it with what it "
                  "began with, or choose another --out",
                  folder.path()));
}

RunFolder folder_of(const OptionSweep& sweep, const std::string& path, bool resumed) {
  const bool there = exists(*posix_file_system(), path);
  if (!resumed && !there) return RunFolder::create(path, sweep_toml(sweep));
  if (resumed && there) {
    RunFolder folder = RunFolder::open(path);
    refuse_difference(folder, sweep);
    return folder;
  }
  throw value_error(
      resumed
          ? fmt::format("there is no '{}' to resume; leave --resume out, or give the sweep's --out",
                        path)
          : fmt::format("the folder '{}' exists already; go on with its sweep by --resume, or "
                        "choose another --out",
                        path));
}

void take_flags(OptionSweep& sweep, const CommandLine& line) {
  if (line.given("seeds")) sweep.seeds = line.integer("seeds");
  if (line.given("steps")) sweep.steps = line.integer("steps");
  for (const GivenOption& given : line.options()) {
    sweep.assignments.push_back(given.name + "=" + given.text);
  }
  const std::string& device = line.text("device");
  if (device == "cpu" || device == "auto") return;
  throw value_error(fmt::format(
      "--device is {}, but the runs of a sweep stand side by side on the processor; expected cpu",
      in_quotes(device)));
}

}  // namespace

int run_sweep_command(OptionSweep sweep, const std::string& path, const CommandLine& line,
                      const std::vector<std::string>& words, double process_start) {
  take_flags(sweep, line);
  const std::string text = sweep_toml(sweep);
  if (sweep_toml(parse_sweep(text, "the text of this sweep")) != text) {
    throw internal_error("the sweep does not come back from its text");
  }
  check_sweep(sweep);
  const ProgressForm form = progress_form(line.text("progress"), line.flag("quiet"));
  const int asked = int(line.integer("threads"));
  const int threads = asked > 0 ? asked : available_processors();
  RunFolder folder =
      folder_of(sweep, line.given("out") ? line.text("out") : path, line.flag("resume"));
  if (folder.config_toml() != text) folder.write("config.toml", text);
  const std::unique_ptr<Backend> backend = make_cpu_backend(1);
  record_session(folder, provenance_of(*backend, threads, words));
  SignalGuard signals(stopping_words(form));
  ProgressLine shown(form, write_to_terminal, terminal_columns);
  SweepCallbacks callbacks;
  callbacks.command = words;
  callbacks.stop_requested = [&] { return signals.stop_requested(); };
  callbacks.stop_overdue = [&] { return signals.stop_is_overdue(kPatience); };
  callbacks.warn = [&](const std::string& message) {
    shown.clear();
    warn(message);
  };
  callbacks.progress = [&](std::int64_t finished, std::int64_t total, double best) {
    const double time = seconds_now();
    if (!shown.is_due(time)) return;
    shown.show(time, [&](int) {
      return std::vector<ProgressPart>{{fmt::format("run {} of {}", finished, total), 0},
                                       {fmt::format("best {:.2f}", best), 1}};
    });
  };
  std::vector<SweepSetting> settings;
  try {
    settings = run_sweep(sweep, folder, threads, callbacks);
  } catch (const Error& error) {
    if (error.code() != ExitCode::interrupted || !signals.stop_requested()) throw;
    throw Error(signals.stop_code(),
                fmt::format("stopped, checkpoints written; continue with: gallop study {} --out {} "
                            "--resume and the flags it began with",
                            shell_quoted(line.text("study")), shell_quoted(folder.path())));
  }
  shown.clear();
  folder.write("study.csv", sweep_csv(sweep, settings));
  JsonValue json = sweep_json(sweep, settings);
  folder.write("study.json", json.text() + "\n");
  folder.write("report.html", sweep_report(sweep, settings));
  const double seconds = seconds_now() - process_start;
  if (line.flag("json")) {
    json["folder"] = utf8_text(folder.path());
    json["wall_seconds"] = seconds;
    std::printf("%s\n", json.text().c_str());
  } else {
    print(fmt::format("{}{} settings in {}\nfolder {} (report.html shows the figures)\n",
                      sweep_text(sweep, settings), settings.size(), short_duration(seconds),
                      folder.path()));
  }
  return 0;
}

}  // namespace gallop
