#include <gallop/host/program/run_main.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <new>

#include <gallop/host/error.h>
#include <gallop/host/files/printable.h>

namespace gallop {
namespace {

// A result that did not arrive (a full disk, a closed pipe) is an error like any other.
int with_output(int code) {
  if (code == 0 && (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)) {
    throw io_error("write to", "standard output", errno);
  }
  return code;
}

}  // namespace

int run_main(int argc, char** argv,
             const std::function<int(const std::vector<std::string>&)>& command) {
  // A closed pipe and a limit of file sizes are errors of the write that meets them.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    try {
      return with_output(command({argv + 1, argv + argc}));
    } catch (const Error& error) {
      std::fprintf(stderr, "gallop: %s\n", printable(error.what(), true).c_str());
      return error.exit_status();
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "gallop: internal error: %s\n", printable(error.what(), true).c_str());
      return int(ExitCode::internal);
    }
  } catch (const std::bad_alloc&) {  // also of what was to be said
    std::fprintf(stderr, "gallop: out of memory\n");
    return int(ExitCode::internal);
  }
}

}  // namespace gallop
