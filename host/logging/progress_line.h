#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gallop {

// Columns that a terminal gives to a text in UTF-8 without control characters.
int columns_of(std::string_view text);

// A part of a line: where there is no room for all of them, the greatest rank goes first.
struct ProgressPart {
  std::string text;
  int rank = 0;
  std::string before = "  ";  // what separates it from the part before it
};

// The parts that fit into so many columns, in their order; the last that is left is cut to them.
std::string fitted(std::vector<ProgressPart> parts, int columns);

enum class ProgressForm {
  kNone,         // nothing is written
  kOverwritten,  // one line on a terminal, written over as the work goes on
  kLines         // a line now and then, for files and for terminals that only print
};

// How far some work has come, told on a line. Time is the caller's, in seconds from any start.
class ProgressLine {
 public:
  using Write = std::function<void(std::string_view)>;
  // The width of the terminal now; 0 or less where nobody knows. Asked at each line, so that the
  // line follows a window that changes.
  using Columns = std::function<int()>;

  ProgressLine(ProgressForm form, Write write, Columns columns = nullptr);
  ~ProgressLine();  // ends a line that is not finished
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Whether the time has come for a line: ten times a second at most, or every ten seconds.
  bool is_due(double seconds) const;
  // Writes a line whether it is due or not. `parts` gets the columns that there are, so that it can
  // suit them; a great number where there is no limit.
  using Parts = std::function<std::vector<ProgressPart>(int columns)>;
  void show(double seconds, const Parts& parts);
  // The last line, complete, with its end. A line that is written over comes only where there was
  // one.
  void finish(const Parts& parts);
  // Takes the line off the terminal, so that something else can be said there; it comes back.
  void clear();

 private:
  std::string line(const Parts& parts) const;

  ProgressForm form_;
  Write write_;
  Columns columns_;
  double last_seconds_ = -1;
  bool is_open_ = false;  // a line without its end stands on the terminal
};

}  // namespace gallop
