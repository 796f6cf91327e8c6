#pragma once

#include <stdexcept>
#include <string>
#include <system_error>

namespace gallop {

// What a program that stops on an error returns to its caller. The numbers are part of the
// interface.
enum class ExitCode : int {
  ok = 0,
  internal = 1,    // a broken promise inside the library: a defect
  usage = 2,       // unknown command, flag, environment, algorithm or key
  value = 3,       // a value out of range, malformed TOML, wrong shape, a resume that differs
  checkpoint = 4,  // corrupted, truncated or hostile checkpoint, or none that is good
  io = 5,          // disk full, permission, a device that fails
  unsupported_processor = 6,  // no AVX2 and FMA
  cuda = 7,                   // CUDA asked for and absent, or a CUDA error
  non_finite = 8,             // a NaN or an infinity where the policy says to stop
  interrupted = 130,          // SIGINT, after a checkpoint
  terminated = 143,           // SIGTERM, after a checkpoint
};

// The one exception type of the library: a message for a person, a code for a program.
// A message names the thing, the value it had, what was expected, and what to do.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  ExitCode code() const noexcept { return code_; }
  int exit_status() const noexcept { return static_cast<int>(code_); }

 private:
  ExitCode code_;
};

inline Error internal_error(const std::string& message) {
  return Error(ExitCode::internal, message);
}
inline Error usage_error(const std::string& message) { return Error(ExitCode::usage, message); }
inline Error value_error(const std::string& message) { return Error(ExitCode::value, message); }
inline Error checkpoint_error(const std::string& message) {
  return Error(ExitCode::checkpoint, message);
}

// `action` reads as what was tried ("write", "rename to X"); `error_number` is an errno value.
inline Error io_error(const std::string& action, const std::string& path, int error_number) {
  return Error(ExitCode::io, "cannot " + action + " '" + path +
                                 "': " + std::generic_category().message(error_number));
}

}  // namespace gallop
