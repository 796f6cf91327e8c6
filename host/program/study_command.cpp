// gallop study: runs all settings of a study over its seeds, and writes table, figures and numbers.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <map>

#include <gallop/host/clock.h>
#include <gallop/host/error.h>
#include <gallop/host/files/printable.h>
#include <gallop/host/logging/progress.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/program/advice.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/runs.h>
#include <gallop/host/program/sweep_command.h>
#include <gallop/host/program/terminal.h>
#include <gallop/host/runtime/processor.h>
#include <gallop/host/studies/measured_study.h>
#include <gallop/host/studies/study_replay.h>
#include <gallop/host/studies/study_result.h>
#include <gallop/host/studies/study_scaling.h>
#include <gallop/host/studies/table_reader.h>
#include <gallop/host/training/session.h>
#include <gallop/host/training/signals.h>

namespace gallop {
namespace {

constexpr double kPatience = 0.5;  // seconds until an iteration is given up
constexpr std::uint64_t kLargestFile = std::uint64_t(1) << 20;

Command study_command() {
  return {
      .name = "study",
      .summary = "compares algorithms or options over several seeds",
      .words = {{text_row(
                     "study", "",
                     "a study that ships with the program ('gallop list' names them; some have "
                     "flags of their own), or a path to a .toml file"),
                 "STUDY"}},
      .flags = {{text_row("out", "", "folder to make (runs/study-NAME)"), "FOLDER"},
                {integer_row("seeds", 1, {.min = 1, .max = 1000},
                             "how many for each setting (the study's)"),
                 "N"},
                {integer_row("steps", 1, {.min = 1, .max = 1e15}, "of each run (the study's)"),
                 "N"},
                {threads_row(), "N"},
                {device_row()},
                plugin_flag(),
                {boolean_row("resume", false,
                             "go on with the study in the folder; --seeds may have grown")},
                {boolean_row("json", false, "print the result as the last line")},
                progress_flag(),
                {boolean_row("quiet", false, "no progress")}},
      .set_help =
          "an option of all runs, as by its own flag; 'gallop train ENVIRONMENT --help' lists them",
      .options = run_option_rows()};
}

std::string study_stem(const std::string& name) {
  return std::filesystem::path(name).stem().string();
}

bool is_path(const std::string& name) {
  return name.ends_with(".toml") || name.find('/') != std::string::npos;
}

// Options have names of their own in each run; here their spelling decides.
void refuse_twice(const CommandLine& line) {
  std::map<std::string, std::string> origins;
  if (line.given("steps")) origins["steps"] = "--steps";
  for (const GivenOption& given : line.options()) {
    const auto [place, first] = origins.insert({option_key(given.name), given.origin});
    if (first) continue;
    throw usage_error(
        fmt::format("option '{}' is given twice, by {} and by {}; leave one of them out",
                    place->first, place->second, given.origin));
  }
}

// The commands of the measured studies; each takes what follows the name.
constexpr struct {
  std::string_view name;
  int (*run)(const std::vector<std::string>& arguments);
} kMeasured[] = {{"horizon", run_horizon}, {"outline", run_outline}};

// The exit code where the first word, behind --help or not, names a measured study.
std::optional<int> run_measured_study(const std::vector<std::string>& arguments) {
  const bool help = !arguments.empty() && (arguments[0] == "-h" || arguments[0] == "--help");
  const std::size_t at = help ? 1 : 0;
  if (at >= arguments.size()) return {};
  std::vector<std::string> rest = arguments;
  rest.erase(rest.begin() + std::ptrdiff_t(at));
  for (const auto& measured : kMeasured) {
    if (folded_name(arguments[at]) == measured.name) return measured.run(rest);
  }
  return {};
}

// As it is called here, capitals aside; a path as it is.
std::string study_name(const CommandLine& line) {
  const std::string& word = line.text("study");
  return is_path(word) ? word : folded_name(word);
}

// The text of a study, and where it is from.
struct StudyText {
  std::string text, origin;
};

StudyText asked_text(const CommandLine& line) {
  const std::string name = study_name(line);
  if (name.empty()) {
    throw usage_error(fmt::format("gallop study needs a study: {}, or a path to a .toml file",
                                  fmt::join(study_names(), ", ")));
  }
  if (!is_path(name)) refuse_other_name("study", name, study_names());
  if (measured_study_called(name) != nullptr) {
    throw usage_error(
        fmt::format("the study '{0}' has flags of its own, behind its name: gallop study {0} "
                    "[flags]; 'gallop study {0} --help' names them",
                    name));
  }
  if (!is_path(name))
    return {std::string(shipped_study(name)), "configs/studies/" + name + ".toml"};
  return {read_given_file(*posix_file_system(), name, kLargestFile), name};
}

Study asked_study(const CommandLine& line, const StudyText& text) {
  Study study = parse_study(text.text, text.origin);
  if (line.given("seeds")) study.seeds = line.integer("seeds");
  if (line.given("steps")) set_steps(study, line.integer("steps"));
  refuse_twice(line);
  for (const GivenOption& given : line.options()) {
    study.assignments.push_back(given.name + "=" + given.text);
  }
  if (study.title.empty()) study.title = study_stem(study_name(line));
  return study;
}

// The study in the folder must be the one that is asked for, but more seeds may be asked for.
void refuse_difference(const RunFolder& folder, const Study& asked) {
  require_folder_of(folder, "study");
  Study stored = parse_study(folder.config_toml(), folder.file("config.toml"));
  const std::int64_t seeds = stored.seeds;
  stored.seeds = std::max(stored.seeds, asked.seeds);
  const std::string mine = study_toml(stored), theirs = study_toml(asked);
  if (mine == theirs) return;
  std::size_t at = 0;
  while (at < mine.size() && at < theirs.size() && mine[at] == theirs[at]) at++;
  const auto line = [at](const std::string& text) {
    const std::size_t before = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  throw value_error(
      asked.seeds < seeds
          ? fmt::format("the study in '{}' has {} seeds, {} were asked for; there may only be more",
                        folder.path(), seeds, asked.seeds)
          : fmt::format("the study in '{}' is another one: there it says\n  {}\nasked for is\n  "
                        "{}\nContinue it with what it began with, or choose another --out",
                        folder.path(), line(mine), line(theirs)));
}

// What the folder will say has to be what this study is, or nobody can go on with it.
void refuse_unreadable(const Study& study) {
  const std::string text = study_toml(study);
  if (study_toml(parse_study(text, "the text of this study")) == text) return;
  throw internal_error("the study does not come back from its text");
}

std::string default_folder(const CommandLine& line) {
  return "runs/study-" + study_stem(study_name(line));
}

RunFolder study_folder(const CommandLine& line, const Study& study) {
  const std::string path = line.given("out") ? line.text("out") : default_folder(line);
  const bool there = std::filesystem::exists(path);
  if (!line.flag("resume")) {
    if (!there) return RunFolder::create(path, study_toml(study));
    throw value_error(fmt::format(
        "the folder '{}' exists already; go on with its study by --resume, or choose another --out",
        path));
  }
  if (!there) {
    throw value_error(fmt::format(
        "there is no '{}' to resume; leave --resume out, or give the study's --out", path));
  }
  return RunFolder::open(path);
}

// What stands on the line of progress.
class StudyProgress {
 public:
  explicit StudyProgress(ProgressForm form) : line_(form, write_to_terminal, terminal_columns) {}

  void update(std::int64_t finished, std::int64_t total, const std::string& label,
              std::int64_t seed, double part) {
    const double time = seconds_now();
    if (begin_ < 0) {
      begin_ = time;
      first_ = double(finished);
    }
    if (!line_.is_due(time)) return;
    const double done = double(finished) + part - first_;
    const std::string left =
        done > 0
            ? short_duration((time - begin_) / done * (double(total) - double(finished) - part))
            : "?";
    line_.show(time, [&](int) {
      return std::vector<ProgressPart>{{fmt::format("run {} of {}", finished + 1, total), 0},
                                       {fmt::format("{}, seed {}", printable(label), seed), 3},
                                       {fmt::format("{:.0f} %", 100 * part), 1},
                                       {left + " left", 2}};
    });
  }
  void clear() { line_.clear(); }

 private:
  ProgressLine line_;
  double begin_ = -1, first_ = 0;
};

// The numbers of the study with where and how long, which its files leave out.
std::string printed_json(const StudyResult& result, const std::string& folder, double seconds) {
  JsonValue json = study_json(result);
  json["folder"] = folder;
  json["wall_seconds"] = seconds;
  return json.text();
}

}  // namespace

int run_study(const std::vector<std::string>& arguments, double process_start) {
  if (const std::optional<int> code = run_measured_study(arguments)) return *code;
  const std::optional<CommandLine> parsed = parse_command_line(study_command(), arguments);
  if (!parsed) return 0;
  const CommandLine& line = *parsed;
  const ProgressForm form = progress_form(line.text("progress"), line.flag("quiet"));
  std::vector<std::string> words = {"gallop", "study"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const std::string& device = line.text("device");
  const std::int64_t asked_threads = line.integer("threads");
  const StudyText text = asked_text(line);
  if (is_sweep(text.text, text.origin)) {
    refuse_twice(line);
    OptionSweep sweep = parse_sweep(text.text, text.origin);
    return run_sweep_command(std::move(sweep), default_folder(line), line, words, process_start);
  }
  const Study study = asked_study(line, text);
  refuse_unreadable(study);
  std::vector<StudyCell> cells = study_cells(study);
  for (StudyCell& cell : cells) {
    cell.options.values().set("threads", std::to_string(asked_threads), "--threads");
    cell.options.values().set("device", device, "--device");
  }
  const std::unique_ptr<Backend> backend = make_backend(device, int(asked_threads), say);
  // What is refused is refused before a folder is made.
  check_cells(cells, *backend);
  RunFolder folder = study_folder(line, study);
  if (line.flag("resume")) refuse_difference(folder, study);

  const int threads = asked_threads > 0 ? int(asked_threads) : available_processors();
  record_session(folder, provenance_of(*backend, threads, words));
  SignalGuard signals(stopping_words(form));
  StudyResult result;
  std::vector<StudyScaling> scaling;
  try {
    StudyProgress progress(form);
    StudyCallbacks callbacks;
    callbacks.stop_requested = [&] { return signals.stop_requested(); };
    callbacks.checkpoint_requested = [&] { return signals.take_checkpoint_request(); };
    callbacks.stop_overdue = [&] { return signals.stop_is_overdue(kPatience); };
    callbacks.command = words;
    callbacks.warn = [&](const std::string& text) {
      progress.clear();
      warn(text);
    };
    callbacks.progress = [&](std::int64_t finished, std::int64_t total, const std::string& label,
                             std::int64_t seed,
                             double part) { progress.update(finished, total, label, seed, part); };
    result = summarise(study, cells, run_cells(study, cells, folder, *backend, callbacks));
    scaling = measure_scaling(result, folder, callbacks);
  } catch (const Error& error) {
    if (error.code() != ExitCode::interrupted || !signals.stop_requested()) throw;
    throw Error(signals.stop_code(),
                fmt::format("stopped, checkpoint written; continue with: gallop study {} --out {} "
                            "--resume and the flags it began with",
                            shell_quoted(line.text("study")), shell_quoted(folder.path())));
  }
  folder.write("study.csv", study_csv(result));
  if (!study.threads.empty()) folder.write("scaling.csv", scaling_csv(result, scaling));
  folder.write("study.json", study_json(result).text() + "\n");
  folder.write("report.html",
               study_report(result, backend->name(), best_replays(result, folder, *backend, warn),
                            scaling_html(result, scaling)));
  const double seconds = seconds_now() - process_start;
  if (line.flag("json")) {
    std::printf("%s\n", printed_json(result, folder.path(), seconds).c_str());
  } else {
    print(fmt::format("{}{} runs in {}\nfolder {} (report.html shows the figures)\n",
                      study_text(result), result.runs.size(), short_duration(seconds),
                      folder.path()));
  }
  return 0;
}

}  // namespace gallop
