#include "tests/campaign/session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>
#include <stdexcept>

#include <gallop/host/clock.h>

namespace gallop::campaign {
namespace {

constexpr std::size_t kLargestInput = std::size_t(1) << 20;
constexpr double kPatience = 60;  // seconds for one case
constexpr std::uint64_t kMostFindings = 20;

}  // namespace

struct Session::Shared {
  std::atomic<std::uint64_t> executions, kills, power_cuts, round;
  double end;
  std::size_t size;
  char input[kLargestInput];
};

bool Session::is_over() const { return seconds_now() >= shared_->end; }
std::uint64_t Session::round() const { return shared_->round; }
void Session::count_kill() { shared_->kills++; }
void Session::count_power_cut() { shared_->power_cuts++; }

void Session::try_case(std::string_view input) {
  shared_->size = std::min(input.size(), kLargestInput);
  std::memcpy(shared_->input, input.data(), shared_->size);
  shared_->executions++;
}

namespace {

void redirect(int fd, const char* path) {
  const int opened = ::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (opened < 0 || ::dup2(opened, fd) < 0) ::_exit(99);
  ::close(opened);
}

}  // namespace

Counts supervise(const std::string& name, const std::function<void(Session&)>& work, double seconds,
                 const std::string& findings) {
  void* memory = ::mmap(nullptr, sizeof(Session::Shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no shared memory");
  Session session;
  session.shared_ = new (memory) Session::Shared();
  Session::Shared& shared = *session.shared_;
  const double begin = seconds_now();
  shared.end = begin + seconds;
  std::filesystem::create_directories(findings);
  const std::string log = findings + "/" + name + ".log";

  Counts counts;
  while (counts.findings < kMostFindings && !session.is_over()) {
    shared.round++;
    const pid_t child = ::fork();
    if (child == 0) {
      ::setpgid(0, 0);
      redirect(1, "/dev/null");
      redirect(2, log.c_str());
      work(session);
      std::exit(0);  // which looks for leaks
    }
    int status = 0;
    bool hangs = false;
    std::uint64_t seen = shared.executions;
    double seen_at = seconds_now();
    while (::waitpid(child, &status, WNOHANG) != child) {
      ::usleep(5000);
      if (shared.executions != seen) {
        seen = shared.executions;
        seen_at = seconds_now();
      } else if (seconds_now() - seen_at > kPatience) {
        hangs = true;
        ::kill(-child, SIGKILL);
        ::waitpid(child, &status, 0);
        break;
      }
    }
    ::kill(-child, SIGKILL);  // what it started itself
    if (!hangs && WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
    std::string path;
    do {
      path = fmt::format("{}/{}-{}", findings, name, ++counts.findings);
    } while (std::filesystem::exists(path));
    std::ofstream(path, std::ios::binary).write(shared.input, std::streamsize(shared.size));
    std::ofstream(log, std::ios::app)
        << (hangs                 ? fmt::format("no end within {} s", kPatience)
            : WIFSIGNALED(status) ? fmt::format("ended by signal {}", WTERMSIG(status))
                                  : fmt::format("ended with status {}", WEXITSTATUS(status)))
        << "\n";
    std::filesystem::rename(log, path + ".log");
  }
  std::error_code ignored;
  std::filesystem::remove(log, ignored);
  counts.executions = shared.executions;
  counts.kills = shared.kills;
  counts.power_cuts = shared.power_cuts;
  counts.seconds = seconds_now() - begin;
  ::munmap(memory, sizeof(Session::Shared));
  return counts;
}

void finding(const std::string& what) {
  std::fprintf(stderr, "finding: %s\n", what.c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace gallop::campaign
