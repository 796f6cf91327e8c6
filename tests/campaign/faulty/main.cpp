// The gallop program with a fault on request: before the system call on files, or at the
// allocation, of number GALLOP_FAULT_AT it is killed or the call fails, as GALLOP_FAULT says: kill,
// memory, EIO, ENOSPC, EINTR or EMFILE. How many there were in all stands in the file
// GALLOP_FAULT_COUNT when the program ends. The calls of this file take the place of the C
// library's for all that is linked.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/campaign/failing_memory.h"

int gallop_main(int argc, char** argv);  // host/program/main.cpp

namespace {

std::atomic<long> n_calls{0};
bool counts = false;  // since main() has begun
long at = -1;
int error = 0;  // 0: kill

// The system's own call, with errno as the C library sets it.
long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  if (result >= 0 || result < -4095) return result;
  errno = static_cast<int>(-result);
  return -1;
}

// Whether the call fails now; `opens`: EMFILE is an error of those calls alone.
bool fails(bool opens = false) {
  if (!counts || n_calls.fetch_add(1) != at) return false;
  if (error == 0) call(SYS_kill, call(SYS_getpid), SIGKILL);
  if (error == EMFILE && !opens) return false;
  errno = error;
  return true;
}

long opened(int folder, const char* path, int flags, unsigned mode) {
  if (fails(true)) return -1;
  return call(SYS_openat, folder, reinterpret_cast<long>(path), flags, mode);
}

unsigned mode_of(int flags, va_list list) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, unsigned) : 0;
}

void write_count() {
  const char* path = std::getenv("GALLOP_FAULT_COUNT");
  const long allocations = gallop::campaign::stop_failing();
  counts = false;
  std::FILE* file = path == nullptr ? nullptr : std::fopen(path, "w");
  if (file == nullptr) return;
  std::fprintf(file, "%ld %ld\n", n_calls.load(), allocations);
  std::fclose(file);
}

}  // namespace

extern "C" {

#define GALLOP_OPEN(name)                                         \
  int name(const char* path, int flags, ...) {                    \
    va_list list;                                                 \
    va_start(list, flags);                                        \
    const unsigned mode = mode_of(flags, list);                   \
    va_end(list);                                                 \
    return static_cast<int>(opened(AT_FDCWD, path, flags, mode)); \
  }
#define GALLOP_OPENAT(name)                                     \
  int name(int folder, const char* path, int flags, ...) {      \
    va_list list;                                               \
    va_start(list, flags);                                      \
    const unsigned mode = mode_of(flags, list);                 \
    va_end(list);                                               \
    return static_cast<int>(opened(folder, path, flags, mode)); \
  }
GALLOP_OPEN(open)
GALLOP_OPEN(open64)
GALLOP_OPENAT(openat)
GALLOP_OPENAT(openat64)

ssize_t write(int fd, const void* bytes, size_t size) {
  return fails() ? -1 : call(SYS_write, fd, reinterpret_cast<long>(bytes), static_cast<long>(size));
}
ssize_t read(int fd, void* bytes, size_t size) {
  return fails() ? -1 : call(SYS_read, fd, reinterpret_cast<long>(bytes), static_cast<long>(size));
}
ssize_t pread(int fd, void* bytes, size_t size, off_t offset) {
  return fails() ? -1
                 : call(SYS_pread64, fd, reinterpret_cast<long>(bytes), static_cast<long>(size),
                        offset);
}
int fsync(int fd) { return fails() ? -1 : static_cast<int>(call(SYS_fsync, fd)); }
int ftruncate(int fd, off_t size) noexcept {
  return fails() ? -1 : static_cast<int>(call(SYS_ftruncate, fd, size));
}
// One that reports an error has closed all the same.
int close(int fd) {
  const int result = static_cast<int>(call(SYS_close, fd));
  return fails() ? -1 : result;
}
int rename(const char* from, const char* to) noexcept {
  return fails() ? -1
                 : static_cast<int>(
                       call(SYS_rename, reinterpret_cast<long>(from), reinterpret_cast<long>(to)));
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return fails() ? -1
                 : static_cast<int>(call(SYS_renameat, from_folder, reinterpret_cast<long>(from),
                                         to_folder, reinterpret_cast<long>(to)));
}
int unlink(const char* path) noexcept {
  return fails() ? -1 : static_cast<int>(call(SYS_unlink, reinterpret_cast<long>(path)));
}
int unlinkat(int folder, const char* path, int flags) noexcept {
  return fails()
             ? -1
             : static_cast<int>(call(SYS_unlinkat, folder, reinterpret_cast<long>(path), flags));
}
int mkdir(const char* path, mode_t mode) noexcept {
  return fails() ? -1 : static_cast<int>(call(SYS_mkdir, reinterpret_cast<long>(path), mode));
}
int mkdirat(int folder, const char* path, mode_t mode) noexcept {
  return fails() ? -1
                 : static_cast<int>(call(SYS_mkdirat, folder, reinterpret_cast<long>(path), mode));
}
int rmdir(const char* path) noexcept {
  return fails() ? -1 : static_cast<int>(call(SYS_rmdir, reinterpret_cast<long>(path)));
}
long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  long words[6];
  for (long& word : words) word = va_arg(list, long);
  va_end(list);
  const bool opens = number == SYS_openat2;
  if ((opens || number == SYS_renameat2) && fails(opens)) return -1;
  return call(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

}  // extern "C"

int main(int argc, char** argv) {
  const char* fault = std::getenv("GALLOP_FAULT");
  const char* number = std::getenv("GALLOP_FAULT_AT");
  const long k = number == nullptr ? -1 : std::atol(number);
  const bool memory = fault != nullptr && std::strcmp(fault, "memory") == 0;
  if (fault != nullptr && !memory) {
    at = k;
    for (const auto& [name, value] : {std::pair("EIO", EIO), std::pair("ENOSPC", ENOSPC),
                                      std::pair("EINTR", EINTR), std::pair("EMFILE", EMFILE)}) {
      if (std::strcmp(fault, name) == 0) error = value;
    }
  }
  std::atexit(write_count);
  counts = true;
  gallop::campaign::fail_allocation(memory ? k : -1);
  return gallop_main(argc, argv);
}
