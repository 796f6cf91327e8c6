// gallop tetris: learns and plays the lecture's table of Tetris.
#include <fmt/format.h>

#include <cstdio>
#include <ctime>

#include <gallop/host/clock.h>
#include <gallop/host/error.h>
#include <gallop/host/files/checkpoint_store.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/learning/sample_mean.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/program/command_help.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/runs.h>
#include <gallop/host/program/terminal.h>
#include <gallop/host/studies/tetris_table.h>

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
                {boolean_row("json", false, "print one JSON object as the last line")}},
      .set_help = "an option of the table, as by its own flag below",
      .options = {tetris_table_rows().begin(), tetris_table_rows().end()},
      .more_help = [](const CommandLine&) {
        return "\nOptions of the table:\n" +
               options_help(Options(tetris_table_rows()), tetris_table_rows());
      }};
}

struct Place {
  RunFolder folder;
  bool is_new;
};

// Where the table is, with the options that it has there.
Place open_place(const CommandLine& line, Options& options) {
  const auto set = [](Options& to, const GivenOption& given) {
    to.set(given.name, given.text, given.origin);
  };
  if (!line.given("resume")) {
    apply_given(line.options(), options, [&](const GivenOption& g) { set(options, g); });
    const std::string toml = options.to_toml();
    return {line.given("out") ? RunFolder::create(line.text("out"), toml)
                              : RunFolder::create_numbered(
                                    automatic_run_path("tetris", "table", options.integer("seed"),
                                                       std::time(nullptr)),
                                    toml),
            true};
  }
  if (line.given("out")) throw usage_error("--out makes a new folder, --resume names an old one");
  RunFolder folder = open_run("tetris", line.text("resume"));
  options.apply_toml(folder.config_toml(), folder.file("config.toml"));
  Options asked = options;
  apply_given(line.options(), asked, [&](const GivenOption& g) { set(asked, g); });
  for (const OptionDifference& d : options.difference(asked)) {
    throw value_error(
        fmt::format("{} is {} in the table, {} was asked for; go on with what it began "
                    "with, or begin another one",
                    d.name, d.mine, d.theirs));
  }
  return {std::move(folder), false};
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
  TableRun(Backend& backend, const Options& options, RunFolder& folder)
      : options_(options),
        folder_(folder),
        store_(folder.checkpoints(), 2, folder.files()),
        table_(backend, options) {}

  TetrisTable& table() { return table_; }

  void load() {
    store_.remove_leftovers();
    LoadResult found = store_.load_newest_good();
    for (const std::string& warning : found.warnings) warn(warning);
    if (!found.checkpoint) return;
    table_.load(found.checkpoint->file);
    step_ = found.checkpoint->step;
  }
  void save() {
    TensorFile file;
    file.set_text("options", options_.to_toml());
    table_.save(file);
    store_.save(++step_, file);
  }
  // Goes on until it is done or the signal comes.
  void run(const SignalGuard& signals) {
    ProgressLine progress(progress_form("auto", false), write_to_terminal, terminal_columns);
    double saved = seconds_now();
    std::size_t told = table_.reports().size();
    while (!table_.is_done() && !signals.stop_requested()) {
      table_.advance();
      for (; told < table_.reports().size(); told++) {
        progress.clear();
        const TetrisReport& r = table_.reports()[told];
        say(fmt::format("{} noise, run {}, iteration {}: {:.0f} +- {:.0f} lines",
                        kTetrisSchedules[r.schedule], r.run + 1, r.iteration, r.lines,
                        r.standard_error));
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
  const Options& options_;
  RunFolder& folder_;
  CheckpointStore store_;
  TetrisTable table_;
  std::uint64_t step_ = 0;
};

}  // namespace

int run_tetris(const std::vector<std::string>& arguments) {
  const std::optional<CommandLine> line = parse_command_line(tetris_command(), arguments);
  if (!line) return 0;
  SignalGuard signals(stopping_words(progress_form("auto", false)));
  Options options(tetris_table_rows());
  Place place = open_place(*line, options);
  const std::unique_ptr<Backend> backend =
      make_backend(line->text("device"), int(line->integer("threads")), say);
  TableRun run(*backend, options, place.folder);
  if (!place.is_new) run.load();
  run.run(signals);
  if (!run.table().is_done()) {
    say(fmt::format("stopped at {}; go on with it: gallop tetris --resume {}", run.table().where(),
                    place.folder.path()));
    return int(signals.stop_code());
  }
  write_tetris_table(place.folder, run.table(), options);
  if (line->flag("json")) {
    print_json(place.folder, run.table());
  } else {
    print(tetris_table_text(run.table(), options));
    print("\nreport " + place.folder.file("report.html") + "\n");
  }
  return 0;
}

}  // namespace gallop
