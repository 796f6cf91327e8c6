#pragma once

#include <gallop/host/error.h>

namespace gallop {

// What is written to standard error at a signal, while the handler runs; null for nothing. The
// texts outlive the guard.
struct SignalWords {
  const char* first = nullptr;   // the signal asks to stop
  const char* second = nullptr;  // the process ends at once
};

// Of SIGHUP, after a checkpoint.
constexpr ExitCode kHungUp = ExitCode(129);

// While one lives, SIGINT, SIGTERM and SIGHUP ask the program to keep what it has done and to
// leave, and SIGUSR1 to write a checkpoint and go on. A second one of the three ends the process at
// once, with 130, 143 or 129 by its own number; one that the same process sends within a moment is
// taken for the first, since `timeout` and shells send theirs to a process and to its group. A
// SIGHUP that was ignored (nohup) stays so. The handlers that were there before come back in the
// end. For programs: a library that is embedded makes none.
class SignalGuard {
 public:
  // Throws an internal error where another guard lives, an I/O error where the system refuses.
  explicit SignalGuard(SignalWords words = {});
  ~SignalGuard();
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

  // Cheap enough for every iteration: one relaxed load. From any thread.
  bool stop_requested() const;
  // Whether that was asked for so long ago.
  bool stop_is_overdue(double seconds) const;
  // ExitCode::interrupted, terminated or kHungUp by the signal that came; ok where none did.
  ExitCode stop_code() const;
  // Whether SIGUSR1 came since the last call.
  bool take_checkpoint_request();
};

// Until the end of the process its first SIGINT, SIGTERM or SIGHUP writes these words and ends it
// with 130, 143 or 129: for commands that have nothing to keep.
void leave_at_signals(const char* words);

}  // namespace gallop
