#pragma once

#include <string>
#include <vector>

#include <gallop/host/files/json_value.h>
#include <gallop/host/studies/study_run.h>

namespace gallop {

// What a study found at one of its places, over the seeds.
struct StudyRow {
  std::size_t cell;  // index
  StudyMean final_return, average_return, evaluation_return, steps_to_threshold;
  StudyMean equal_time_return;  // where the study has curves over seconds; see equal_time
  std::int64_t seeds = 0, failed = 0;

  const StudyMean& score(const std::string& name) const {
    return name == "average"      ? average_return
           : name == "evaluation" ? evaluation_return
                                  : final_return;
  }
};

// A finished study; the parts refer to each other by index.
struct StudyResult {
  Study study;
  std::vector<StudyCell> cells;
  std::vector<StudyRun> runs;
  std::vector<StudyRow> rows;  // one for each cell
};

StudyResult summarise(const Study& study, const std::vector<StudyCell>& cells,
                      std::vector<StudyRun> runs);

// Seconds of training that all settings of an environment had: those of the one that was done
// first, in the mean over its seeds. Returns are compared there, each the mean over the last tenth
// of that time; a run that was interrupted counts the time of its sessions.
double equal_time(const std::vector<StudyCell>& cells, const std::vector<StudyRun>& runs,
                  std::size_t environment);

// The row with the greatest score of an environment; none where nothing has a score.
const StudyRow* best_row(const StudyResult& result, std::size_t environment);

// "final return" and the like: what the study ranks by, in words.
std::string score_text(const std::string& score);

// A field of a CSV file: quoted where a comma, a quote or a break is in it.
std::string csv_field(const std::string& text);

// "472.1 ± 8.3"; "-" where there is no number.
std::string mean_text(const StudyMean& mean);

// Head and lines of the table: one line a place.
std::vector<std::vector<std::string>> study_table(const StudyResult& result);

// What a reader might take for a fault of the figures: settings whose runs were a single iteration,
// since that is longer than the steps that were asked for.
std::vector<std::string> study_remarks(const StudyResult& result);

// The table for a terminal, with aligned columns, the best place of each environment,
// and the remarks.
std::string study_text(const StudyResult& result);

// One line a run. Like study_json a pure function of the runs' numbers: equal runs, equal bytes,
// however often the study was interrupted.
std::string study_csv(const StudyResult& result);
JsonValue study_json(const StudyResult& result);

// An episode that the page shows, as HTML.
struct StudyReplay {
  std::string title, html;
};

// A page with heat maps, learning curves and a replay for each environment; replays [environments],
// those without HTML are left out.
// What was measured besides, as HTML, stands before the table of all settings.
std::string study_report(const StudyResult& result, const std::string& device,
                         const std::vector<StudyReplay>& replays, const std::string& measured);

}  // namespace gallop
