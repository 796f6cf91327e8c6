#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/logging/progress_line.h>

namespace gallop {

// "950", "12.3 k", "4.56 M", "7.89 G": three digits and a unit.
std::string short_count(double value);

// "0:07", "12:34", "3:07:12", "2 d 3:07:12".
std::string short_duration(double seconds);

// How far a run has come: part done, steps, steps/s, return, time left. Time is the caller's, in
// seconds from any start.
class Progress {
 public:
  // `first_step` is where this part of the run begins (after a resume), `total_steps` where the run
  // ends.
  Progress(ProgressForm form, ProgressLine::Write write, ProgressLine::Columns columns,
           uint64_t total_steps, uint64_t first_step = 0);

  // Writes when it is due, whatever the number of calls. A return that is NaN is left out.
  void update(uint64_t step, double mean_return, double seconds);

  // The last line, complete, with its end; over a line, nothing where there was none.
  void finish(uint64_t step, double mean_return, double seconds);

  // See ProgressLine::clear.
  void clear() { line_.clear(); }

  // The line itself, without control characters, in so many columns.
  std::string line(uint64_t step, double mean_return, double seconds, int columns = 1000) const;

 private:
  std::vector<ProgressPart> parts(uint64_t step, double mean_return, double seconds,
                                  int columns) const;

  ProgressLine line_;
  uint64_t total_steps_;
  uint64_t first_step_;
};

}  // namespace gallop
