#pragma once

#include "host/error.h"

namespace gallop {

// While one lives, SIGINT and SIGTERM ask the training loop to write a checkpoint and leave, and
// SIGUSR1 to write one and go on. A second SIGINT or SIGTERM ends the process at once, with 130 or
// 143 by its own number. The handlers that were there before come back in the end. For programs: a
// library that is embedded makes none.
class SignalGuard {
 public:
  // Throws an internal error where another guard lives, an I/O error where the system refuses.
  SignalGuard();
  ~SignalGuard();
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

  // Cheap enough for every iteration: one relaxed load.
  bool stop_requested() const;
  // ExitCode::interrupted or ExitCode::terminated by the signal that came; ok where none did.
  ExitCode stop_code() const;
  // Whether SIGUSR1 came since the last call.
  bool take_checkpoint_request();
};

}  // namespace gallop
