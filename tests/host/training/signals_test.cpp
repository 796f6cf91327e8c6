#include "host/training/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
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
  for (const auto& [signal, code] :
       {std::pair{SIGINT, ExitCode::interrupted}, {SIGTERM, ExitCode::terminated}}) {
    SignalGuard guard;
    EXPECT_FALSE(guard.stop_requested());
    EXPECT_EQ(guard.stop_code(), ExitCode::ok);
    ::raise(signal);
    EXPECT_TRUE(guard.stop_requested());
    EXPECT_EQ(guard.stop_code(), code);
    EXPECT_FALSE(guard.take_checkpoint_request());
  }
  const SignalGuard fresh;
  EXPECT_FALSE(fresh.stop_requested());
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
  for (const int first : {SIGINT, SIGTERM}) {
    for (const int second : {SIGINT, SIGTERM}) {
      const int status = child_status([=] {
        SignalGuard guard;
        ::raise(first);
        ::raise(SIGUSR1);
        ::raise(second);
        return 0;
      });
      EXPECT_TRUE(WIFEXITED(status));
      EXPECT_EQ(WEXITSTATUS(status), second == SIGINT ? 130 : 143);
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
