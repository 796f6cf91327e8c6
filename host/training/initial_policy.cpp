#include <gallop/host/training/initial_policy.h>

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <gallop/host/error.h>
#include <gallop/host/files/checkpoint_store.h>
#include <gallop/host/files/printable.h>
#include <gallop/host/options/utf8.h>

namespace gallop {
namespace {

constexpr const char* kOption = "init_from";
constexpr const char* kCopy = "initial.safetensors";
constexpr const char* kPolicy = "policy/parameters";
constexpr const char* kValue = "value/parameters";
constexpr std::string_view kStatistics = "normalizer/";
constexpr std::string_view kFirstCount = "normalizer/first_count";  // of the source itself
constexpr std::array<std::string_view, 4> kKindOfPolicy = {"hidden", "activation", "log_std",
                                                           "policy"};

LoadedCheckpoint checkpoint_at(const std::string& path) {
  const std::shared_ptr<FileSystem> files = posix_file_system();
  if (!exists(*files, path)) {
    throw value_error(fmt::format(
        "{} is {}, but there is nothing of that name; expected the folder of a run, or a "
        "checkpoint file",
        kOption, in_quotes(path)));
  }
  const int fd = files->open(path, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0) return {0, path, read_checkpoint(path)};
  files->close(fd);
  const RunFolder folder = RunFolder::open_to_read(path);
  LoadResult found = CheckpointStore(folder.checkpoints(), 2, folder.files()).load_newest_good();
  if (found.checkpoint) return std::move(*found.checkpoint);
  throw value_error(
      fmt::format("{} is {}, but that run has no checkpoint yet", kOption, in_quotes(path)));
}

// A line for each option by which the policies are of different kinds.
std::string differences(const TensorFile& source, const RunOptions& options) {
  std::string list;
  for (const auto& [name, value] : fingerprint_rows(source.text("options"))) {
    const bool counts =
        std::find(kKindOfPolicy.begin(), kKindOfPolicy.end(), name) != kKindOfPolicy.end();
    if (!counts || !options.values().has(name)) continue;
    const std::string own = options.values().value_text(name);
    if (own == value) continue;
    list +=
        fmt::format("\n  {} is {} there, {} in this run", name, in_quotes(value), in_quotes(own));
  }
  return list;
}

}  // namespace

TensorFile read_initial_policy(const RunOptions& options) {
  const LoadedCheckpoint source = checkpoint_at(options.values().text(kOption));
  const std::string list = differences(source.file, options);
  if (!list.empty()) {
    throw value_error(fmt::format(
        "the policy of '{}' is of another kind than this run's:{}\nGive this run the same",
        source.path, list));
  }
  TensorFile initial;
  for (const auto& [name, tensor] : source.file.tensors()) {
    const bool is_statistic = name.starts_with(kStatistics) && name != kFirstCount;
    if (name == kPolicy || name == kValue || is_statistic) initial.put_copy(name, tensor);
  }
  initial.tensor(kPolicy);  // or it throws
  initial.set_text("source", utf8_text(source.path));
  return initial;
}

TensorFile kept_initial_policy(const RunFolder& folder) {
  const std::string path = folder.file(kCopy);
  if (exists(*folder.files(), path)) return read_checkpoint(*folder.files(), path);
  throw value_error(fmt::format("'{}' is missing: a run with {} begins with it", path, kOption));
}

std::string initial_policy_bytes(const TensorFile& initial) {
  const std::vector<std::byte> bytes = checkpoint_bytes(0, initial);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool took_value(const TensorFile& initial, const TensorFile& learner, const char* algorithm) {
  const auto took = [&](const char* name) {
    return learner.has(name) && learner.tensor(name).bytes == initial.tensor(name).bytes;
  };
  for (const auto& [name, tensor] : initial.tensors()) {
    if (name == kValue || took(name.c_str())) continue;
    throw value_error(
        fmt::format("{} cannot begin with the policy of another run, of which it does not take the "
                    "tensor '{}'; leave init_from out, or take another algorithm",
                    algorithm, name));
  }
  return !initial.has(kValue) || took(kValue);
}

}  // namespace gallop
