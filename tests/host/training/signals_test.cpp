#include <gallop/host/training/signals.h>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "tests/host/expect_error.h"

namespace gallop {
namespace {

using test::expect_error_with;

// The status with which a child that runs `body` ends.
int child_status(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

TEST(SignalGuard, TheFirstSignalIsARequest) {
  for (const auto& [signal, code] : {std::pair{SIGINT, ExitCode::interrupted},
                                     {SIGTERM, ExitCode::terminated},
                                     {SIGHUP, kHungUp}}) {
    SignalGuard guard;
    EXPECT_FALSE(guard.stop_requested());
    EXPECT_EQ(guard.stop_code(), ExitCode::ok);
    ::raise(signal);
    EXPECT_TRUE(guard.stop_requested());
    EXPECT_EQ(guard.stop_code(), code);
    EXPECT_TRUE(guard.stop_is_overdue(0));
    EXPECT_FALSE(guard.stop_is_overdue(60));
    EXPECT_FALSE(guard.take_checkpoint_request());
  }
  const SignalGuard fresh;
  EXPECT_FALSE(fresh.stop_requested());
  EXPECT_FALSE(fresh.stop_is_overdue(0));
}

TEST(SignalGuard, UsrOneIsACheckpointAndNoStop) {
  SignalGuard guard;
  EXPECT_FALSE(guard.take_checkpoint_request());
  for (int i = 0; i < 3; ++i) {
    ::raise(SIGUSR1);
    ::raise(SIGUSR1);
    EXPECT_TRUE(guard.take_checkpoint_request());
    EXPECT_FALSE(guard.take_checkpoint_request());
  }
  EXPECT_FALSE(guard.stop_requested());
}

TEST(SignalGuard, TheSecondSignalEndsTheProcess) {
  for (const int first : {SIGINT, SIGTERM, SIGHUP}) {
    for (const int second : {SIGINT, SIGTERM, SIGHUP}) {
      const int status = child_status([=] {
        SignalGuard guard;
        ::raise(first);
        ::raise(SIGUSR1);
        ::raise(second);
        return 0;
      });
      EXPECT_TRUE(WIFEXITED(status));
      EXPECT_EQ(WEXITSTATUS(status), 128 + second);
    }
  }
}

TEST(SignalGuard, TheHandlersBeforeComeBack) {
  const int status = child_status([] {
    { SignalGuard guard; }
    ::raise(SIGTERM);
    return 0;
  });
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  const int ignoring = child_status([] {
    ::signal(SIGUSR1, SIG_IGN);
    { SignalGuard guard; }
    ::raise(SIGUSR1);
    return 7;
  });
  EXPECT_EQ(WEXITSTATUS(ignoring), 7);
}

// What a child that runs `body` writes to standard error, and the status with which it ends.
std::pair<std::string, int> child_words(const std::function<int()>& body) {
  int words[2];
  EXPECT_EQ(::pipe(words), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(words[1], STDERR_FILENO);
    ::close(words[0]);
    ::close(words[1]);
    ::_exit(body());
  }
  ::close(words[1]);
  std::string text;
  char piece[256];
  for (ssize_t n; (n = ::read(words[0], piece, sizeof(piece))) > 0;) text.append(piece, size_t(n));
  ::close(words[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return {text, status};
}

TEST(SignalGuard, TellsAtOnceWhatItHeard) {
  const auto [first, ended] = child_words([] {
    SignalGuard guard({"stopping\n", "leaving\n"});
    ::raise(SIGUSR1);
    ::raise(SIGTERM);
    return guard.stop_requested() ? 7 : 8;
  });
  EXPECT_EQ(first, "stopping\n");
  EXPECT_EQ(WEXITSTATUS(ended), 7);
  const auto [both, left] = child_words([] {
    SignalGuard guard({"stopping\n", "leaving\n"});
    ::raise(SIGHUP);
    ::raise(SIGINT);
    return 0;
  });
  EXPECT_EQ(both, "stopping\nleaving\n");
  EXPECT_EQ(WEXITSTATUS(left), 130);
}

TEST(SignalGuard, AHangUpThatIsIgnoredStaysSo) {
  const int status = child_status([] {
    ::signal(SIGHUP, SIG_IGN);
    SignalGuard guard;
    ::raise(SIGHUP);
    return guard.stop_requested() ? 1 : 0;
  });
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// `timeout` sends its signal to the process and to its group.
TEST(SignalGuard, OneThatIsSentTwiceAtOnceIsOne) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    SignalGuard guard;
    if (::write(ready[1], "r", 1) != 1) ::_exit(1);
    while (!guard.stop_requested()) std::this_thread::yield();
    if (::write(ready[1], "s", 1) != 1) ::_exit(1);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    ::_exit(9);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::kill(child, SIGTERM);
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);  // the first one was heard
  ::kill(child, SIGTERM);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 9) << "it went on";
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(SignalGuard, CommandsWithNothingToKeepLeaveAtOnce) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const auto [text, status] = child_words([=] {
      leave_at_signals("gone\n");
      ::raise(signal);
      return 0;
    });
    EXPECT_EQ(text, "gone\n");
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 128 + signal);
  }
}

TEST(SignalGuard, OneAtATime) {
  SignalGuard guard;
  expect_error_with(
      ExitCode::internal, [] { SignalGuard second; }, "SignalGuard");
  ::raise(SIGINT);
  EXPECT_TRUE(guard.stop_requested());
}

// A signal from another process reaches a loop that polls, and system calls go on as if nothing
// were.
TEST(SignalGuard, ALoopLeavesByItself) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    SignalGuard guard;
    if (::write(ready[1], "r", 1) != 1) ::_exit(1);
    while (!guard.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ::_exit(static_cast<int>(guard.stop_code()));
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::kill(child, SIGTERM);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 143);
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace
}  // namespace gallop
