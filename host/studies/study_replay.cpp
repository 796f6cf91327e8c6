#include <gallop/host/studies/study_replay.h>

#include <fmt/format.h>

#include <cmath>

#include <gallop/host/report/policy_replay.h>
#include <gallop/host/training/trained_policy.h>

namespace gallop {
namespace {

// The run of a cell with the greatest evaluation return; the first one of equals.
const StudyRun* best_run(const StudyResult& result, std::size_t cell) {
  const StudyRun* best = nullptr;
  for (const StudyRun& run : result.runs) {
    if (run.cell != cell || !std::isfinite(run.evaluation_return)) continue;
    if (best == nullptr || run.evaluation_return > best->evaluation_return) best = &run;
  }
  return best;
}

}  // namespace

std::vector<StudyReplay> best_replays(const StudyResult& result, const RunFolder& folder,
                                      Backend& backend,
                                      const std::function<void(const std::string&)>& warn) {
  std::vector<StudyReplay> replays(result.study.environments.size());
  for (std::size_t e = 0; e < replays.size(); e++) {
    const StudyRow* const row = best_row(result, e);
    const StudyRun* const run = row == nullptr ? nullptr : best_run(result, row->cell);
    if (run == nullptr) continue;
    const StudyCell& cell = result.cells[run->cell];
    const RunFolder at =
        RunFolder::open_to_read(study_run_path(folder, cell, run->seed), folder.files());
    const TrainedPolicy trained = load_policy(backend, at, warn);
    replays[e].title = fmt::format("An evaluation episode: {} on {}, seed {}",
                                   cell.label.empty() ? cell.options.algorithm().name : cell.label,
                                   spec_of(cell.options.environment()).name, run->seed);
    replays[e].html = policy_replay(backend, *trained.options, trained.algorithm->policy());
  }
  return replays;
}

}  // namespace gallop
