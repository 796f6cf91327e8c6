#pragma once

#include <functional>
#include <string>
#include <vector>

#include <gallop/host/studies/study_result.h>

namespace gallop {

// One for each environment of the study, in its order: an evaluation episode of the best setting's
// best run. Empty where no run has a score. Equal runs give equal bytes. Throws a checkpoint error
// where the run has none.
std::vector<StudyReplay> best_replays(const StudyResult& result, const RunFolder& folder,
                                      Backend& backend,
                                      const std::function<void(const std::string&)>& warn);

}  // namespace gallop
