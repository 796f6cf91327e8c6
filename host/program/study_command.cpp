// gallop study: runs all settings of a study over its seeds, and writes table, figures and numbers.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "host/error.h"
#include "host/logging/progress.h"
#include "host/program/command_line.h"
#include "host/studies/study_replay.h"
#include "host/studies/study_result.h"
#include "host/training/signals.h"

namespace gallop {
namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t(1) << 20;

struct StudyArguments {
  std::string name, out, device = "auto";
  std::int64_t seeds = 0, steps = 0, threads = 0;
  std::vector<std::string> assignments;
  bool json = false, quiet = false, resume = false;
};

void describe(CLI::App& app, StudyArguments& a) {
  app.add_option("study", a.name, "a study that ships with the program, or a path to a .toml file");
  app.add_option("--out", a.out, "folder to make (runs/study-NAME)");
  app.add_option("--seeds", a.seeds, "how many for each setting (the study's)")
      ->check(CLI::Range(std::int64_t(1), std::int64_t(1000)));
  app.add_option("--steps", a.steps, "of each run (the study's)")
      ->check(CLI::Range(std::int64_t(1), std::int64_t(1000000000000000)));
  app.add_option("--threads", a.threads, "of the CPU, 0 for all")
      ->check(CLI::Range(std::int64_t(0), std::int64_t(4096)));
  app.add_option("--device", a.device, "auto, cpu or cuda");
  app.add_option("--set", a.assignments, "key=value of the algorithm or the environment, all runs")
      ->allow_extra_args(false);
  app.add_flag("--resume", a.resume, "go on with the study in the folder; --seeds may have grown");
  app.add_flag("--json", a.json, "print the result as the last line");
  app.add_flag("--quiet", a.quiet, "no progress line");
}

bool is_path(const std::string& name) {
  return name.ends_with(".toml") || name.find('/') != std::string::npos;
}

Study asked_study(const StudyArguments& a) {
  if (a.name.empty()) {
    throw usage_error(fmt::format("gallop study needs a study: {}, or a path to a .toml file",
                                  fmt::join(shipped_studies(), ", ")));
  }
  const std::string text = is_path(a.name)
                               ? read_text_file(*posix_file_system(), a.name, kLargestFile)
                               : std::string(shipped_study(a.name));
  const std::string origin = is_path(a.name) ? a.name : "configs/studies/" + a.name + ".toml";
  Study study = parse_study(text, origin);
  if (a.seeds > 0) study.seeds = a.seeds;
  if (a.steps > 0) set_steps(study, a.steps);
  study.assignments.insert(study.assignments.end(), a.assignments.begin(), a.assignments.end());
  if (study.title.empty()) study.title = std::filesystem::path(a.name).stem().string();
  return study;
}

// The study in the folder must be the one that is asked for, but more seeds may be asked for.
void refuse_difference(const RunFolder& folder, const Study& asked) {
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

RunFolder study_folder(const StudyArguments& a, const Study& study) {
  const std::string path =
      a.out.empty() ? "runs/study-" + std::filesystem::path(a.name).stem().string() : a.out;
  const bool there = std::filesystem::exists(path);
  if (!a.resume) {
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

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void warn(const std::string& text) { std::fprintf(stderr, "gallop: warning: %s\n", text.c_str()); }

// One line that is written over, ten times a second at most.
class StudyProgress {
 public:
  explicit StudyProgress(bool shown) : shown_(shown) {}
  ~StudyProgress() {
    if (written_) std::fputc('\n', stderr);
  }

  void update(std::int64_t finished, std::int64_t total, const std::string& label,
              std::int64_t seed, double part) {
    const double time = now();
    if (begin_ < 0) {
      begin_ = time;
      first_ = double(finished);
    }
    if (!shown_ || time - last_ < 0.1) return;
    last_ = time;
    const double done = double(finished) + part - first_;
    const std::string left =
        done > 0
            ? short_duration((time - begin_) / done * (double(total) - double(finished) - part))
            : "?";
    std::fprintf(stderr, "\r\x1b[Krun %ld of %ld  %s, seed %ld  %.0f %%  %s left",
                 long(finished + 1), long(total), label.c_str(), long(seed), 100 * part,
                 left.c_str());
    std::fflush(stderr);
    written_ = true;
  }

 private:
  bool shown_, written_ = false;
  double begin_ = -1, first_ = 0, last_ = -1;
};

// The numbers of the study with where and how long, which its files leave out.
std::string printed_json(const StudyResult& result, const std::string& folder, double seconds) {
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(study_json(result));
  json["folder"] = folder;
  json["wall_seconds"] = seconds;
  return json.dump();
}

}  // namespace

int run_study(const std::vector<std::string>& arguments, double process_start) {
  StudyArguments a;
  CLI::App app("Compares algorithms or options over several seeds.", "study");
  describe(app, a);
  if (!parse_command_line(app, arguments)) return 0;
  const Study study = asked_study(a);
  std::vector<StudyCell> cells = study_cells(study);
  for (StudyCell& cell : cells) {
    cell.options.values().set("threads", std::to_string(a.threads), "--threads");
    cell.options.values().set("device", a.device, "--device");
  }
  const std::unique_ptr<Backend> backend = make_backend(
      a.device, int(a.threads),
      [](const std::string& note) { std::fprintf(stderr, "gallop: %s\n", note.c_str()); });
  // What is refused is refused before a folder is made.
  check_cells(cells, *backend);
  RunFolder folder = study_folder(a, study);
  if (a.resume) refuse_difference(folder, study);

  SignalGuard signals;
  std::vector<StudyRun> runs;
  try {
    StudyProgress progress(!a.quiet && isatty(STDERR_FILENO) != 0);
    StudyCallbacks callbacks;
    callbacks.stop_requested = [&] { return signals.stop_requested(); };
    callbacks.checkpoint_requested = [&] { return signals.take_checkpoint_request(); };
    callbacks.warn = warn;
    callbacks.progress = [&](std::int64_t finished, std::int64_t total, const std::string& label,
                             std::int64_t seed,
                             double part) { progress.update(finished, total, label, seed, part); };
    runs = run_cells(study, cells, folder, *backend, callbacks);
  } catch (const Error& error) {
    if (error.code() != ExitCode::interrupted || !signals.stop_requested()) throw;
    throw Error(signals.stop_code(),
                fmt::format("stopped, checkpoint written; continue with: gallop study {} --out {} "
                            "--resume and the flags it began with",
                            a.name, folder.path()));
  }
  const StudyResult result = summarise(study, cells, std::move(runs));
  atomic_write_file(folder.file("study.csv"), study_csv(result));
  atomic_write_file(folder.file("study.json"), study_json(result) + "\n");
  atomic_write_file(
      folder.file("report.html"),
      study_report(result, backend->name(), best_replays(result, folder, *backend, warn)));
  const double seconds = now() - process_start;
  if (a.json) {
    std::printf("%s\n", printed_json(result, folder.path(), seconds).c_str());
  } else {
    std::printf("%s%zu runs in %s\nfolder %s (report.html shows the figures)\n",
                study_text(result).c_str(), result.runs.size(), short_duration(seconds).c_str(),
                folder.path().c_str());
  }
  return 0;
}

}  // namespace gallop
