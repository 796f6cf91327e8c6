#include <gallop/host/training/signals.h>

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace gallop {
namespace {

// A handler can reach nothing but globals, and of those only lock-free atomics.
std::atomic<int> stop_signal{0};
constexpr std::int64_t kNever = INT64_MAX;
std::atomic<std::int64_t> stop_time{kNever};  // nanoseconds of the monotonic clock
std::atomic<int> stop_sender{0};
std::atomic<bool> checkpoint_wanted{false};
std::atomic<bool> guarded{false};
std::atomic<const char*> first_words{nullptr}, second_words{nullptr};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free &&
              std::atomic<std::int64_t>::is_always_lock_free &&
              std::atomic<const char*>::is_always_lock_free);

constexpr std::int64_t kMoment = 50'000'000;  // nanoseconds
constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
std::array<struct sigaction, kSignals.size()> previous_actions;

std::int64_t monotonic_time() {
  timespec time = {};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// What cannot be written is lost: there may be no terminal any more.
void say(const char* words) {
  if (words == nullptr) return;
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, words, std::strlen(words));
}

// Whether one process sends what it sent a moment ago.
bool is_repeated(int signal, const siginfo_t* info) {
  return signal == stop_signal.load() && info != nullptr && info->si_code == SI_USER &&
         info->si_pid == stop_sender.load() && info->si_pid != ::getpid() &&
         monotonic_time() - stop_time.load() < kMoment;
}

extern "C" void gallop_on_signal(int signal, siginfo_t* info, void*) {
  const int kept = errno;
  if (signal == SIGUSR1) {
    checkpoint_wanted.store(true);
    return;
  }
  int none = 0;
  if (stop_signal.compare_exchange_strong(none, signal)) {
    stop_time.store(monotonic_time());
    stop_sender.store(info != nullptr && info->si_code == SI_USER ? info->si_pid : 0);
    say(first_words.load());
  } else if (!is_repeated(signal, info)) {
    say(second_words.load());
    ::_exit(128 + signal);
  }
  errno = kept;
}

extern "C" void gallop_leave_at_signal(int signal) {
  say(first_words.load());
  ::_exit(128 + signal);
}

void restore(size_t n_signals) {
  for (size_t i = 0; i < n_signals; ++i) ::sigaction(kSignals[i], &previous_actions[i], nullptr);
  guarded.store(false);
}

bool stays_ignored(int signal) {
  struct sigaction before = {};
  return signal == SIGHUP && ::sigaction(signal, nullptr, &before) == 0 &&
         before.sa_handler == SIG_IGN;
}

}  // namespace

SignalGuard::SignalGuard(SignalWords words) {
  if (guarded.exchange(true)) throw internal_error("two SignalGuards at a time");
  stop_signal.store(0);
  stop_time.store(kNever);
  stop_sender.store(0);
  checkpoint_wanted.store(false);
  first_words.store(words.first);
  second_words.store(words.second);
  struct sigaction action = {};
  action.sa_sigaction = gallop_on_signal;
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < kSignals.size(); ++i) {
    const bool ignored = stays_ignored(kSignals[i]);
    if (::sigaction(kSignals[i], ignored ? nullptr : &action, &previous_actions[i]) == 0) continue;
    const int failed = errno;
    restore(i);
    throw io_error("handle", ::strsignal(kSignals[i]), failed);
  }
}

SignalGuard::~SignalGuard() { restore(kSignals.size()); }

bool SignalGuard::stop_requested() const {
  return stop_signal.load(std::memory_order_relaxed) != 0;
}

bool SignalGuard::stop_is_overdue(double seconds) const {
  return stop_requested() && double(monotonic_time() - stop_time.load()) > 1e9 * seconds;
}

ExitCode SignalGuard::stop_code() const {
  switch (stop_signal.load()) {
    case SIGINT:
      return ExitCode::interrupted;
    case SIGTERM:
      return ExitCode::terminated;
    case SIGHUP:
      return kHungUp;
    default:
      return ExitCode::ok;
  }
}

bool SignalGuard::take_checkpoint_request() { return checkpoint_wanted.exchange(false); }

void leave_at_signals(const char* words) {
  first_words.store(words);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    if (!stays_ignored(signal)) ::signal(signal, gallop_leave_at_signal);
  }
}

}  // namespace gallop
