#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace gallop {

// "950", "12.3 k", "4.56 M", "7.89 G": three digits and a unit.
std::string short_count(double value);

// "0:07", "12:34", "3:07:12", "2 d 3:07:12".
std::string short_duration(double seconds);

// One line on a terminal that is written over as the run goes on: part done, steps, steps/s,
// return, time left. Says nothing where there is no terminal. Time is the caller's, in seconds from
// any start.
class Progress {
 public:
  using Write = std::function<void(std::string_view)>;

  // `first_step` is where this part of the run begins (after a resume), `total_steps` where the run
  // ends.
  Progress(Write write, bool is_terminal, uint64_t total_steps, uint64_t first_step = 0);

  // Writes at most ten times a second, whatever the number of calls. A return that is NaN is left
  // out.
  void update(uint64_t step, double mean_return, double seconds);

  // The last line, complete, with its end; nothing where nothing was written.
  void finish(uint64_t step, double mean_return, double seconds);

  // The line itself, without control characters.
  std::string line(uint64_t step, double mean_return, double seconds) const;

 private:
  Write write_;
  bool is_terminal_;
  uint64_t total_steps_;
  uint64_t first_step_;
  double last_seconds_ = -1;
};

}  // namespace gallop
