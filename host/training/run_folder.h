#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gallop/host/files/durable_file.h>
#include <gallop/host/files/file_system.h>

namespace gallop {

// Copies of what a run was given beside its options; each may be missing.
struct RunInputs {
  std::optional<std::string> problem = {};  // the text of the file that describes the problem
  std::optional<std::string> initial = {};  // a checkpoint of what the run begins with
};

// The folder of one run: config.toml (what was asked for, complete), copies of its inputs,
// checkpoints/, best.safetensors where there are evaluations during training, the logs, and
// result.json once the run is finished. It appears under its name with the configuration in it, or
// not at all.
//
// The folder stays open. What is read and written in it is found below the open folder, whatever
// becomes of its path, and no symbolic link leads out of it. While a RunFolder that was created or
// opened to write lives, it locks the folder, so that a run has one writer; readers need no lock.
class RunFolder {
 public:
  // Throws a value error where something of that name exists.
  static void refuse_existing(const std::string& path);
  // Makes a new run folder and missing folders above it. Throws a value error where something of
  // that name exists, an I/O error where it cannot be made; then nothing of it stays. What a killed
  // process left of a folder of that name is removed.
  static RunFolder create(const std::string& path, std::string_view config_toml,
                          std::shared_ptr<FileSystem> files = posix_file_system(),
                          const RunInputs& inputs = {});
  // The same under the first name that is free: path, path-2, path-3 and so on.
  static RunFolder create_numbered(const std::string& path, std::string_view config_toml,
                                   std::shared_ptr<FileSystem> files = posix_file_system(),
                                   const RunInputs& inputs = {});

  // Opens the folder of an earlier run to go on with it, and removes temporary files that a killed
  // process left in it. Throws a value error where it is no run folder or another process is at
  // work in it.
  static RunFolder open(const std::string& path,
                        std::shared_ptr<FileSystem> files = posix_file_system());
  // Opens it to read alone: changes nothing, and another process may be at work in it.
  static RunFolder open_to_read(const std::string& path,
                                std::shared_ptr<FileSystem> files = posix_file_system());

  RunFolder(RunFolder&&) noexcept = default;
  RunFolder& operator=(RunFolder&&) = delete;

  const std::string& path() const { return path_; }
  const std::string& config_toml() const { return config_toml_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  std::string checkpoints() const { return file("checkpoints"); }
  // Finds the paths above, and those below them, in the open folder.
  const std::shared_ptr<FileSystem>& files() const { return files_; }

  // A file of the folder, empty where there is none. Throws a value error for one that is too large
  // or no file.
  std::optional<std::string> read(std::string_view name) const;
  // Puts a file in place whole.
  void write(std::string_view name, std::string_view text) const;

  // Puts another configuration in place of the one that there is, by rename, then removes the
  // result: for a run that is extended. A process that is killed between the two leaves a result
  // which finished_result does not take for that of the new configuration.
  void extend(std::string config_toml);

  // The text of the file that describes the problem, where the run has one.
  std::optional<std::string> problem() const;
  // The JSON text of a finished run; empty while it is not finished.
  std::optional<std::string> result() const;
  void write_result(std::string_view json) const;

 private:
  RunFolder(std::string path, std::string config_toml, std::shared_ptr<FileSystem> files)
      : path_(std::move(path)), config_toml_(std::move(config_toml)), files_(std::move(files)) {}
  static RunFolder created(const std::string& path, std::string_view config_toml, FileSystem& files,
                           const RunInputs& inputs, bool is_numbered);
  static RunFolder opened(const std::string& path, FileSystem& files, bool to_write);

  std::string path_;
  std::string config_toml_;
  std::shared_ptr<FileSystem> files_;  // holds the open folder, and its lock
};

// "runs/cartpole-ppo-1-20260131T235959Z", for create_numbered.
std::string automatic_run_path(std::string_view environment, std::string_view algorithm,
                               int64_t seed, std::time_t now, std::string_view parent = "runs");

// Puts a file in place with the operating system's own calls; see write_file_atomically.
void atomic_write_file(const std::string& path, std::string_view text);

}  // namespace gallop
