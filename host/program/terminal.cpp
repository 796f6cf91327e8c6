#include <gallop/host/program/terminal.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include <gallop/host/error.h>
#include <gallop/host/files/printable.h>

namespace gallop {
namespace {

bool is_dumb_terminal() {
  const char* const term = std::getenv("TERM");
  return term == nullptr || *term == '\0' || std::string_view(term) == "dumb";
}

}  // namespace

void say(const std::string& text) {
  std::fprintf(stderr, "gallop: %s\n", printable(text, true).c_str());
}

void warn(const std::string& text) { say("warning: " + text); }

void print(const std::string& text) { std::fputs(printable(text, true).c_str(), stdout); }

ProgressForm progress_form(const std::string& asked, bool is_quiet) {
  if (asked != "auto" && asked != "line" && asked != "none") {
    throw value_error("--progress is '" + asked + "'; expected auto, line or none");
  }
  if (is_quiet || asked == "none") return ProgressForm::kNone;
  if (asked == "line") return ProgressForm::kLines;
  if (isatty(STDERR_FILENO) == 0) return ProgressForm::kNone;
  return is_dumb_terminal() ? ProgressForm::kLines : ProgressForm::kOverwritten;
}

int terminal_columns() {
  winsize size = {};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void write_to_terminal(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

SignalWords stopping_words(ProgressForm form) {
  if (form == ProgressForm::kOverwritten) {
    return {"\ngallop: stopping: what is done is kept; once more leaves at once, without it\n",
            "\ngallop: left at once; the run goes on from its last checkpoint\n"};
  }
  return {"gallop: stopping: what is done is kept; once more leaves at once, without it\n",
          "gallop: left at once; the run goes on from its last checkpoint\n"};
}

int run_until_signal(const std::function<int(SignalGuard&)>& work) {
  SignalGuard signals({"gallop: stopping\n", "gallop: left at once\n"});
  try {
    return work(signals);
  } catch (const Error& error) {
    if (error.code() != ExitCode::interrupted || !signals.stop_requested()) throw;
    throw Error(signals.stop_code(), "stopped; nothing was written");
  }
}

}  // namespace gallop
