// gallop tetris: learns and plays the lecture's table of Tetris.
#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <optional>
#include <utility>

#include <gallop/host/clock.h>
#include <gallop/host/error.h>
#include <gallop/host/files/checkpoint_store.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/files/printable.h>
#include <gallop/host/learning/sample_mean.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/program/command_help.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/runs.h>
#include <gallop/host/program/terminal.h>
#include <gallop/host/runtime/processor.h>
#include <gallop/host/runtime/stop.h>
#include <gallop/host/studies/tetris_table.h>
#include <gallop/host/training/session.h>

namespace gallop {
namespace {

constexpr double kCheckpointSeconds = 30;

Command tetris_command() {
  return {
      .name = "tetris",
      .summary =
          "learns controllers of Tetris by the protocol of Szita and Lorincz, plays others, and "
          "writes the table",
      .flags = {{text_row("out", "", "folder to make (runs/tetris-table-SEED-TIME)"), "FOLDER"},
                {text_row("resume", "", "folder of a table to go on with"), "FOLDER"},
                {threads_row(), "N"},
                {device_row()},
                {boolean_row("json", false, "print one JSON object as the last line")},
                progress_flag(),
                {boolean_row("quiet", false, "no progress")}},
      .set_help = "an option of the table, as by its own flag below",
      .options = {tetris_table_rows().begin(), tetris_table_rows().end()},
      .more_help = [](const CommandLine&) {
        return "\nOptions of the table:\n" +
               options_help(Options(tetris_table_rows()), tetris_table_rows());
      }};
}

// The folder of a table that is there already, which says its options.
std::optional<RunFolder> open_table(const CommandLine& line, Options& options) {
  const auto set = [](Options& to, const GivenOption& given) {
    to.set(given.name, given.text, given.origin);
  };
  if (!line.given("resume")) {
    apply_given(line.options(), options, [&](const GivenOption& g) { set(options, g); });
    if (line.given("out")) RunFolder::refuse_existing(line.text("out"));
    return std::nullopt;
  }
  if (line.given("out")) throw usage_error("--out makes a new folder, --resume names an old one");
  RunFolder folder = open_run("tetris --resume", line.text("resume"));
  options.apply_toml(folder.config_toml(), folder.file("config.toml"));
  Options asked = options;
  apply_given(line.options(), asked, [&](const GivenOption& g) { set(asked, g); });
  for (const OptionDifference& d : options.difference(asked)) {
    throw value_error(
        fmt::format("{} is {} in the table, {} was asked for; go on with what it began "
                    "with, or begin another one",
                    d.name, d.mine, d.theirs));
  }
  return folder;
}

RunFolder new_table(const CommandLine& line, const Options& options) {
  const std::string toml = options.to_toml();
  if (line.given("out")) return RunFolder::create(line.text("out"), toml);
  return RunFolder::create_numbered(
      automatic_run_path("tetris", "table", options.integer("seed"), std::time(nullptr)), toml);
}

void print_json(const RunFolder& folder, const TetrisTable& table) {
  JsonValue object;
  object["folder"] = folder.path();
  for (int s = 0; s < kNumTetrisSchedules; s++) {
    std::vector<double> lines;
    for (const TetrisReport& r : table.last_reports(s)) lines.push_back(r.lines);
    object["lines"][kTetrisSchedules[s]] = lines;
  }
  std::vector<double> played(table.played().lines.begin(), table.played().lines.end());
  object["lines"]["dellacherie"] = sample_mean(played).mean;
  std::printf("%s\n", object.text().c_str());
}

class TableRun {
 public:
  TableRun(TetrisTable& table, const Options& options, const RunFolder& folder)
      : options_(options),
        folder_(folder),
        store_(folder.checkpoints(), 2, folder.files()),
        table_(table) {}

  void load() {
    store_.remove_leftovers();
    LoadResult found = store_.load_newest_good();
    for (const std::string& warning : found.warnings) warn(warning);
    if (!found.checkpoint) return;
    require_own(*found.checkpoint);
    try {
      table_.load(found.checkpoint->file);
    } catch (const Error& error) {
      if (error.code() != ExitCode::checkpoint) throw;
      throw checkpoint_error(fmt::format("'{}': {}", found.checkpoint->path, error.what()));
    }
    step_ = found.checkpoint->step;
  }
  // Goes on until it is done or the signal comes.
  void run(const SignalGuard& signals, ProgressForm form) {
    ProgressLine progress(form, write_to_terminal, terminal_columns);
    double saved = seconds_now();
    std::size_t told = table_.reports().size();
    while (!table_.is_done() && advance(signals)) {
      for (; told < table_.reports().size(); told++) {
        progress.clear();
        if (form != ProgressForm::kNone) tell(table_.reports()[told]);
      }
      if (progress.is_due(seconds_now())) {
        progress.show(seconds_now(), [&](int) {
          return std::vector<ProgressPart>{{fmt::format("{:3.0f} %", 100 * table_.part_done())},
                                           {table_.where()}};
        });
      }
      if (seconds_now() - saved < kCheckpointSeconds) continue;
      save();
      saved = seconds_now();
    }
    progress.clear();
    save();
  }

 private:
  // False where the signal came.
  bool advance(const SignalGuard& signals) {
    if (signals.stop_requested()) return false;
    try {
      table_.advance();
      return true;
    } catch (const Error& error) {
      if (error.code() != ExitCode::interrupted || !signals.stop_requested()) throw;
      return false;
    }
  }
  static void tell(const TetrisReport& r) {
    say(fmt::format("{} noise, run {}, iteration {}: {:.0f} +- {:.0f} lines",
                    kTetrisSchedules[r.schedule], r.run + 1, r.iteration, r.lines,
                    r.standard_error));
  }
  void save() {
    TensorFile file;
    file.set_text("options", options_.to_toml());
    table_.save(file);
    store_.save(++step_, file);
  }
  // A table that began with other options would go on from this one's state all the same.
  void require_own(const LoadedCheckpoint& checkpoint) const {
    const std::string& text = checkpoint.file.text("options");
    Options theirs(tetris_table_rows());
    try {
      theirs.apply_toml(text, checkpoint.path);
    } catch (const Error& error) {
      throw checkpoint_error(fmt::format("checkpoint '{}' is not one of a table of tetris: {}",
                                         checkpoint.path, error.what()));
    }
    std::string list;
    for (const OptionDifference& d : options_.difference(theirs)) {
      list += fmt::format("\n  '{}' is '{}' in the checkpoint, '{}' in '{}'", d.name, d.theirs,
                          d.mine, folder_.file("config.toml"));
    }
    if (list.empty()) return;
    throw checkpoint_error(
        fmt::format("checkpoint '{}' belongs to a table with other options:{}\nPut back what "
                    "belongs to it",
                    checkpoint.path, list));
  }

  const Options& options_;
  const RunFolder& folder_;
  CheckpointStore store_;
  TetrisTable& table_;
  std::uint64_t step_ = 0;
};

}  // namespace

int run_tetris(const std::vector<std::string>& arguments) {
  const std::optional<CommandLine> line = parse_command_line(tetris_command(), arguments);
  if (!line) return 0;
  const ProgressForm form = progress_form(line->text("progress"), line->flag("quiet"));
  SignalGuard signals(stopping_words(form));
  Options options(tetris_table_rows());
  std::optional<RunFolder> given = open_table(*line, options);
  const int asked_threads = int(line->integer("threads"));
  const std::unique_ptr<Backend> backend = make_backend(line->text("device"), asked_threads, say);
  TetrisTable table(*backend, options);
  // What is refused is refused before a folder is made.
  const RunFolder folder = given ? std::move(*given) : new_table(*line, options);
  const StopScope scope(*backend, [&] { return signals.stop_requested(); });
  TableRun run(table, options, folder);
  if (given) run.load();
  std::vector<std::string> words = {"gallop", "tetris"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  record_session(
      folder,
      provenance_of(*backend, asked_threads > 0 ? asked_threads : available_processors(), words));
  run.run(signals, form);
  if (!table.is_done()) {
    throw Error(signals.stop_code(),
                fmt::format("stopped at {}, checkpoint written; continue with: gallop tetris "
                            "--resume {}",
                            table.where(), shell_quoted(folder.path())));
  }
  write_tetris_table(folder, table, options);
  if (line->flag("json")) {
    print_json(folder, table);
  } else {
    print(tetris_table_text(table, options));
    print("\nreport " + folder.file("report.html") + "\n");
  }
  return 0;
}

}  // namespace gallop
