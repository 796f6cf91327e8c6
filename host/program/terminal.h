#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <gallop/host/logging/progress_line.h>
#include <gallop/host/training/signals.h>

namespace gallop {

// What a command says to people beside its result, on standard error. Texts may hold what stands in
// files: nothing of them is obeyed by a terminal.
void say(const std::string& text);   // "gallop: TEXT"
void warn(const std::string& text);  // "gallop: warning: TEXT"

// Prints a text on standard output in the same way; line breaks are kept.
void print(const std::string& text);

// How progress is shown: as `asked`, one of auto, line and none. auto is one line that is written
// over on a terminal, lines on one that knows no control characters (TERM=dumb), nothing elsewhere.
ProgressForm progress_form(const std::string& asked, bool is_quiet);
// The width of the terminal at standard error, 0 where there is none.
int terminal_columns();
void write_to_terminal(std::string_view text);

// What is said at a signal to work that keeps what it has done, on a line of its own where progress
// stands on the terminal.
SignalWords stopping_words(ProgressForm form);

// Runs `work` under a guard whose signals end the operations of a backend: what they interrupt ends
// with the signal's own code, and leaves nothing behind.
int run_until_signal(const std::function<int(SignalGuard&)>& work);

}  // namespace gallop
