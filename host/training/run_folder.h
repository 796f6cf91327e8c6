#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/checkpoint/durable_file.h"
#include "host/checkpoint/file_system.h"

namespace gallop {

// The folder of one run: config.toml (what was asked for, complete), checkpoints/, the logs, and
// result.json once the run is finished. It appears under its name with the configuration in it, or
// not at all. While a RunFolder lives it locks the folder, so that a run has one writer.
class RunFolder {
 public:
  // Throws a value error where something of that name exists.
  static void refuse_existing(const std::string& path);
  // Makes a new run folder and missing folders above it. Throws a value error where something of
  // that name exists, an I/O error where it cannot be made; then nothing of it stays.
  static RunFolder create(const std::string& path, std::string_view config_toml,
                          std::shared_ptr<FileSystem> files = posix_file_system());

  // Opens the folder of an earlier run to go on with it, and removes temporary files that a killed
  // process left in it. Throws a value error where it is no run folder or another process is at
  // work in it.
  static RunFolder open(const std::string& path,
                        std::shared_ptr<FileSystem> files = posix_file_system());

  RunFolder(RunFolder&& other) noexcept;
  RunFolder& operator=(RunFolder&&) = delete;
  ~RunFolder();

  const std::string& path() const { return path_; }
  const std::string& config_toml() const { return config_toml_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  std::string checkpoints() const { return file("checkpoints"); }

  // The JSON text of a finished run; empty while it is not finished.
  std::optional<std::string> result() const;
  void write_result(std::string_view json) const;

 private:
  RunFolder(std::string path, std::string config_toml, std::shared_ptr<FileSystem> files);

  std::string path_;
  std::string config_toml_;
  std::shared_ptr<FileSystem> files_;
  int lock_ = -1;  // an open descriptor of the folder
};

// "runs/cartpole-ppo-1-20260131T235959Z", with "-2" and so on behind it where that exists.
std::string automatic_run_path(std::string_view environment, std::string_view algorithm,
                               int64_t seed, std::time_t now, std::string_view parent = "runs");

// Puts a file in place with the operating system's own calls; see write_file_atomically.
void atomic_write_file(const std::string& path, std::string_view text);

}  // namespace gallop
