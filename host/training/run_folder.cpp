#include <gallop/host/training/run_folder.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <vector>

#include <gallop/host/error.h>

namespace gallop {
namespace {

constexpr const char* kConfig = "config.toml";
constexpr const char* kResult = "result.json";
constexpr const char* kProblem = "problem.mdp";
constexpr const char* kInitial = "initial.safetensors";
// Files that are put in place whole. What a killed process left of one is removed when its folder
// is opened again.
constexpr std::string_view kWhole[] = {
    kConfig,       kProblem,    kInitial,     kResult,     "best.safetensors",
    "report.html", "study.csv", "study.json", "table.csv", "reports.csv"};
constexpr uint64_t kLargestText = uint64_t{1} << 20;
constexpr int kMostNumbers = 1000;

std::string normal_path(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (path.empty() || path.find('\0') != std::string::npos) {
    throw value_error("the path of a run folder is empty or has a NUL byte, expected a folder");
  }
  return path;
}

void make_folders_above(FileSystem& files, const std::string& path) {
  const std::string parent = folder_of(path);
  if (parent == "." || parent == "/" || exists(files, parent)) return;
  make_folders_above(files, parent);
  make_folder(files, parent);
}

// A new empty folder beside `path`.
std::string make_temporary_folder(FileSystem& files, const std::string& path) {
  for (int number = 0;; ++number) {
    const std::string name = temporary_name(path, ::getpid(), number);
    const int made = uninterrupted([&] { return files.make_folder(name); });
    if (made >= 0) return name;
    if (made != -EEXIST || number == kMostNumbers) throw io_error("make the folder", name, -made);
  }
}

// What this file makes in a temporary folder, with temporary files of its own; anything else stays.
void remove_temporary_folder(FileSystem& files, const std::string& path) {
  std::vector<std::string> names;
  if (files.list(path, names) < 0) return;
  for (const std::string& name : names) {
    if (name.starts_with(kConfig) || name.starts_with(kProblem) || name.starts_with(kInitial)) {
      files.remove(path + "/" + name);
    }
  }
  files.remove_folder(path);
}

Error already_there(const std::string& path) {
  return value_error(fmt::format("'{}' exists already; choose another --out", path));
}

// Renames a complete folder to the first name that is free; returns that.
std::string put_in_place(FileSystem& files, const std::string& temporary, const std::string& path,
                         bool is_numbered) {
  for (int number = 1;; ++number) {
    const std::string name = number == 1 ? path : fmt::format("{}-{}", path, number);
    const int renamed = uninterrupted([&] { return files.rename_new(temporary, name); });
    if (renamed >= 0) return name;
    const bool is_taken = renamed == -EEXIST || renamed == -ENOTEMPTY || renamed == -ENOTDIR;
    if (!is_taken) throw file_error("rename '" + temporary + "' to", name, -renamed);
    if (!is_numbered || number == kMostNumbers) throw already_there(name);
  }
}

}  // namespace

void RunFolder::refuse_existing(const std::string& path) {
  if (exists(*posix_file_system(), normal_path(path))) throw already_there(normal_path(path));
}

RunFolder RunFolder::create(const std::string& given_path, std::string_view config_toml,
                            std::shared_ptr<FileSystem> files, const RunInputs& inputs) {
  const std::string path = normal_path(given_path);
  if (exists(*files, path)) throw already_there(path);
  return created(path, config_toml, *files, inputs, false);
}

RunFolder RunFolder::create_numbered(const std::string& path, std::string_view config_toml,
                                     std::shared_ptr<FileSystem> files, const RunInputs& inputs) {
  return created(normal_path(path), config_toml, *files, inputs, true);
}

RunFolder RunFolder::created(const std::string& path, std::string_view config_toml,
                             FileSystem& files, const RunInputs& inputs, bool is_numbered) {
  make_folders_above(files, path);
  for (const std::string& leftover : leftovers_of(files, path)) {
    remove_temporary_folder(files, leftover);
  }
  const std::string temporary = make_temporary_folder(files, path);
  try {
    File folder(files, temporary, O_RDONLY | O_DIRECTORY);
    files.lock(folder.descriptor());  // where there are locks
    // Also makes the names inside the new folder durable.
    if (inputs.problem) write_file_atomically(files, temporary + "/" + kProblem, *inputs.problem);
    if (inputs.initial) write_file_atomically(files, temporary + "/" + kInitial, *inputs.initial);
    write_file_atomically(files, temporary + "/" + kConfig, config_toml);
    const std::string name = put_in_place(files, temporary, path, is_numbered);
    sync_folder(files, folder_of(path));
    return RunFolder(name, std::string(config_toml), files.within(folder.release(), name));
  } catch (...) {
    remove_temporary_folder(files, temporary);
    throw;
  }
}

RunFolder RunFolder::open(const std::string& path, std::shared_ptr<FileSystem> files) {
  RunFolder folder = opened(normal_path(path), *files, true);
  remove_leftovers(*folder.files_, folder.path_, [](std::string_view name) {
    return std::find(std::begin(kWhole), std::end(kWhole), name) != std::end(kWhole) ||
           name.ends_with(".toml");  // controllers that were learnt
  });
  return folder;
}

RunFolder RunFolder::open_to_read(const std::string& path, std::shared_ptr<FileSystem> files) {
  return opened(normal_path(path), *files, false);
}

RunFolder RunFolder::opened(const std::string& path, FileSystem& files, bool to_write) {
  const int fd = uninterrupted([&] { return files.open(path, O_RDONLY | O_DIRECTORY, 0); });
  if (fd == -ENOENT || fd == -ENOTDIR) {
    throw value_error(fmt::format(
        "'{}' is not a run folder: {}; give the folder that an earlier run was written to", path,
        fd == -ENOENT ? "there is nothing of that name" : "it is not a folder"));
  }
  if (fd < 0) throw file_error("open the run folder", path, -fd);
  // A file system without locks gives none: then nothing keeps a second writer out.
  const bool is_taken = to_write && files.lock(fd) == -EWOULDBLOCK;
  const std::shared_ptr<FileSystem> within = files.within(fd, path);
  if (is_taken) {
    throw value_error(fmt::format(
        "another process is at work in the run folder '{}'; wait until it has ended", path));
  }
  const std::string config = path + "/" + kConfig;
  if (!exists(*within, config)) {
    throw value_error(
        fmt::format("'{}' is not a run folder: there is no {} in it; give the folder that an "
                    "earlier run was written to",
                    path, kConfig));
  }
  return RunFolder(path, read_text_file(*within, config, kLargestText), within);
}

std::optional<std::string> RunFolder::read(std::string_view name) const {
  if (!exists(*files_, file(name))) return std::nullopt;
  return read_text_file(*files_, file(name), kLargestText);
}

void RunFolder::write(std::string_view name, std::string_view text) const {
  write_file_atomically(*files_, file(name), text);
}

void RunFolder::extend(std::string config_toml) {
  write(kConfig, config_toml);
  config_toml_ = std::move(config_toml);
  const int removed = files_->remove(file(kResult));
  if (removed < 0 && removed != -ENOENT) throw io_error("remove", file(kResult), -removed);
}

std::optional<std::string> RunFolder::problem() const { return read(kProblem); }

std::optional<std::string> RunFolder::result() const { return read(kResult); }

void RunFolder::write_result(std::string_view json) const { write(kResult, json); }

std::string automatic_run_path(std::string_view environment, std::string_view algorithm,
                               int64_t seed, std::time_t now, std::string_view parent) {
  std::tm utc = {};
  ::gmtime_r(&now, &utc);
  return fmt::format("{}/{}-{}-{}-{:04}{:02}{:02}T{:02}{:02}{:02}Z", parent, environment, algorithm,
                     seed, utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                     utc.tm_sec);
}

void atomic_write_file(const std::string& path, std::string_view text) {
  const std::shared_ptr<FileSystem> files = posix_file_system();
  write_file_atomically(*files, path, text);
}

}  // namespace gallop
