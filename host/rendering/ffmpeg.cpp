#include <gallop/host/rendering/ffmpeg.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <gallop/host/error.h>
#include <gallop/host/files/durable_file.h>
#include <gallop/host/rendering/canvas.h>

extern char** environ;

namespace gallop {
namespace {

constexpr std::size_t kMostWords = 600;  // of ffmpeg's complaint

struct Descriptor {
  int fd = -1;
  ~Descriptor() { close(); }
  void close() {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

// A running ffmpeg that reads frames from a socket: unlike a pipe, one that was closed at the other
// end gives an error and no signal.
class Encoder {
 public:
  Encoder(const std::string& ffmpeg, const std::vector<std::string>& arguments) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
      throw io_error("open a pipe to", ffmpeg, errno);
    }
    input_.fd = ends[0];
    Descriptor theirs{ends[1]};
    complaint_.reset(std::tmpfile());
    if (!complaint_) throw io_error("make a temporary file for", ffmpeg, errno);
    std::vector<char*> words = {const_cast<char*>(ffmpeg.c_str())};
    for (const std::string& a : arguments) words.push_back(const_cast<char*>(a.c_str()));
    words.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, theirs.fd, STDIN_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, ::fileno(complaint_.get()), STDERR_FILENO);
    // Signals that this program ignores are not the other's affair.
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t usual;
    ::sigemptyset(&usual);
    ::sigaddset(&usual, SIGPIPE);
    ::sigaddset(&usual, SIGXFSZ);
    ::posix_spawnattr_setsigdefault(&attributes, &usual);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    const int error =
        ::posix_spawn(&pid_, ffmpeg.c_str(), &actions, &attributes, words.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
      pid_ = -1;
      throw io_error("start", ffmpeg, error);
    }
  }
  ~Encoder() {
    input_.close();  // ffmpeg ends with its input
    if (pid_ > 0) wait();
  }

  // False where ffmpeg takes no more.
  bool write(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(input_.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) return false;
      bytes = bytes.subspan(std::size_t(sent));
    }
    return true;
  }
  // Whether it ended well.
  bool finish() {
    input_.close();
    const int status = wait();
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  std::string complaint() const {
    std::rewind(complaint_.get());
    std::string words(kMostWords, '\0');
    words.resize(std::fread(words.data(), 1, words.size(), complaint_.get()));
    while (!words.empty() && words.back() == '\n') words.pop_back();
    return words;
  }

 private:
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  Descriptor input_;
  std::unique_ptr<std::FILE, Closer> complaint_;
  pid_t pid_ = -1;
};

void encode(const Film& film, const std::string& ffmpeg, const std::string& path) {
  const std::string size = fmt::format("{}x{}", film.width(), film.height());
  Encoder encoder(ffmpeg,
                  {"-hide_banner", "-loglevel",   "error",      "-y",
                   "-f",           "rawvideo",    "-pix_fmt",   "rgb24",
                   "-s",           size,          "-framerate", fmt::format("{:.6f}", film.fps()),
                   "-i",           "pipe:0",      "-an",        "-c:v",
                   "libx264",      "-crf",        "18",         "-pix_fmt",
                   "yuv420p",      "-movflags",   "+faststart", "-f",
                   "mp4",          "file:" + path});
  Canvas canvas(film.width(), film.height());
  bool takes = true;
  for (int k = 0; k < film.n_frames() && takes; k++) {
    canvas.draw(film.picture(k));
    takes = encoder.write(canvas.pixels());
  }
  if (!encoder.finish() || !takes) {
    throw Error(ExitCode::io, fmt::format("'{}' could not make the video: {}; write a .gif or "
                                          ".html file without it",
                                          ffmpeg, encoder.complaint()));
  }
}

}  // namespace

std::string find_ffmpeg() {
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    const std::string candidate = std::string(rest.substr(0, colon)) + "/ffmpeg";
    if (colon > 0 && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  throw Error(ExitCode::io,
              "an .mp4 file is made by ffmpeg, which is not on PATH; install it (apt-get install "
              "ffmpeg), or write a .gif or .html file, which need nothing");
}

void write_mp4(const Film& film, const std::string& ffmpeg, const std::string& path) {
  const std::shared_ptr<FileSystem> files = posix_file_system();
  const std::unique_ptr<File> file = File::temporary(*files, path);
  try {
    encode(film, ffmpeg, file->path());
    file->sync();
    file->close();
    const int renamed = uninterrupted([&] { return files->rename(file->path(), path); });
    if (renamed < 0) throw io_error("rename '" + file->path() + "' to", path, -renamed);
  } catch (...) {
    files->remove(file->path());
    throw;
  }
  sync_folder(*files, folder_of(path));
}

}  // namespace gallop
