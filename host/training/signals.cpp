#include "host/training/signals.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace gallop {
namespace {

// A handler can reach nothing but globals, and of those only lock-free atomics.
std::atomic<int> stop_signal{0};
std::atomic<bool> checkpoint_wanted{false};
std::atomic<bool> guarded{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGUSR1};
std::array<struct sigaction, kSignals.size()> previous_actions;

extern "C" void gallop_on_signal(int signal) {
  if (signal == SIGUSR1) {
    checkpoint_wanted.store(true);
    return;
  }
  int none = 0;
  if (!stop_signal.compare_exchange_strong(none, signal)) ::_exit(128 + signal);
}

void restore(size_t n_signals) {
  for (size_t i = 0; i < n_signals; ++i) ::sigaction(kSignals[i], &previous_actions[i], nullptr);
  guarded.store(false);
}

}  // namespace

SignalGuard::SignalGuard() {
  if (guarded.exchange(true)) throw internal_error("two SignalGuards at a time");
  stop_signal.store(0);
  checkpoint_wanted.store(false);
  struct sigaction action = {};
  action.sa_handler = gallop_on_signal;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < kSignals.size(); ++i) {
    if (::sigaction(kSignals[i], &action, &previous_actions[i]) == 0) continue;
    const int failed = errno;
    restore(i);
    throw io_error("handle", ::strsignal(kSignals[i]), failed);
  }
}

SignalGuard::~SignalGuard() { restore(kSignals.size()); }

bool SignalGuard::stop_requested() const {
  return stop_signal.load(std::memory_order_relaxed) != 0;
}

ExitCode SignalGuard::stop_code() const {
  const int signal = stop_signal.load();
  if (signal == SIGINT) return ExitCode::interrupted;
  return signal == SIGTERM ? ExitCode::terminated : ExitCode::ok;
}

bool SignalGuard::take_checkpoint_request() { return checkpoint_wanted.exchange(false); }

}  // namespace gallop
