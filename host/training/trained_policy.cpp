#include <gallop/host/training/trained_policy.h>

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <utility>

#include <gallop/host/error.h>
#include <gallop/host/files/checkpoint_store.h>
#include <gallop/host/files/mdp_file.h>
#include <gallop/host/files/printable.h>

namespace gallop {
namespace {

TrainedPolicy loaded(Backend& backend, RunOptions options, const LoadedCheckpoint& checkpoint,
                     bool plays_only) {
  TrainedPolicy policy;
  policy.options = std::make_unique<const RunOptions>(std::move(options));
  policy.checkpoint = checkpoint.path;
  const RunOptions& o = *policy.options;
  policy.algorithm = o.algorithm().create({.backend = backend,
                                           .environment = o.environment(),
                                           .options = o.values(),
                                           .seed = o.seed(),
                                           .configure = o.configure(),
                                           .checkpoint = &checkpoint.file,
                                           .plays_only = plays_only});
  load_checkpoint(*policy.algorithm, checkpoint);
  return policy;
}

std::optional<std::string> problem_at(const std::string& path) {
  const std::shared_ptr<FileSystem> files = posix_file_system();
  if (!exists(*files, path)) return std::nullopt;
  return read_text_file(*files, path, kLargestProblem);
}

TrainedPolicy newest(Backend& backend, const RunFolder& folder,
                     const std::function<void(const std::string&)>& warn, bool plays_only) {
  CheckpointStore store(folder.checkpoints(), 2, folder.files());
  const LoadResult result = store.load_newest_good();
  for (const std::string& warning : result.warnings) {
    if (warn) warn(warning);
  }
  if (!result.checkpoint) {
    throw checkpoint_error(
        fmt::format("run '{}' has no checkpoint yet; wait for its first one, or if it is not "
                    "running, go on with it: gallop train --resume {}",
                    folder.path(), shell_quoted(folder.path())));
  }
  RunOptions options = RunOptions::from_folder(folder);
  require_options(*result.checkpoint, options, folder.file("config.toml"));
  return loaded(backend, std::move(options), *result.checkpoint, plays_only);
}

// The lines "name=value" of RunOptions::fingerprint.
RunOptions options_in(const std::string& text, const std::string& path) {
  const auto rows = fingerprint_rows(text);
  std::string environment, algorithm;
  for (const auto& [name, value] : rows) {
    if (name == "environment") environment = value;
    if (name == "algorithm") algorithm = value;
  }
  const auto refuse = [&](const std::string& why) {
    return checkpoint_error(
        fmt::format("checkpoint '{}' was written with options that this program does not have, or "
                    "with another file that describes its problem:{}",
                    path, why));
  };
  try {
    RunOptions options(environment, algorithm);
    for (const auto& [name, value] : rows) {
      if (options.values().has(name)) options.values().set(name, value, path);
    }
    // A run keeps its problem beside its best checkpoint and the folder of the others.
    const std::string folder = folder_of(path);
    const bool is_in_run = exists(*posix_file_system(), folder + "/problem.mdp");
    const std::string run = is_in_run ? folder : folder + "/..";
    const bool has_file = options.values().has("parameters.file");
    options.set_stored(run, has_file ? problem_at(run + "/problem.mdp") : std::nullopt);
    const std::string difference = options.difference_from(text, "this program");
    if (!difference.empty()) throw refuse(difference);
    return options;
  } catch (const Error& error) {
    if (error.code() != ExitCode::usage && error.code() != ExitCode::value) throw;
    throw refuse(std::string("\n  ") + error.what());
  }
}

template <class T>
bool is_finite(const Tensor& tensor) {
  for (std::size_t at = 0; at < tensor.bytes.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, tensor.bytes.data() + at, sizeof(T));
    if (!std::isfinite(value)) return false;
  }
  return true;
}

// Of what a learner that only plays leaves unread as well: no run writes another number.
void require_finite(const LoadedCheckpoint& checkpoint) {
  for (const auto& [name, tensor] : checkpoint.file.tensors()) {
    const bool is_good = tensor.dtype == DType::f32   ? is_finite<float>(tensor)
                         : tensor.dtype == DType::f64 ? is_finite<double>(tensor)
                                                      : true;
    if (is_good) continue;
    throw checkpoint_error(
        fmt::format("'{}': tensor '{}' has a number that is not finite", checkpoint.path, name));
  }
}

}  // namespace

void require_options(const LoadedCheckpoint& checkpoint, const RunOptions& options,
                     const std::string& config) {
  const std::string difference =
      options.difference_from(checkpoint.file.text("options"), "'" + config + "'");
  if (difference.empty()) return;
  throw checkpoint_error(
      fmt::format("checkpoint '{}' belongs to a run with other options:{}\nPut back what belongs "
                  "to it",
                  checkpoint.path, difference));
}

void load_checkpoint(Algorithm& algorithm, const LoadedCheckpoint& checkpoint) {
  try {
    algorithm.load(checkpoint.file);
  } catch (const Error& error) {
    if (error.code() != ExitCode::checkpoint) throw;
    throw checkpoint_error(fmt::format("'{}': {}", checkpoint.path, error.what()));
  }
  if (algorithm.steps() == checkpoint.step) {
    require_finite(checkpoint);
    return;
  }
  throw checkpoint_error(
      fmt::format("'{}': tensor 'steps' is {}, but the checkpoint is that of step {}",
                  checkpoint.path, algorithm.steps(), checkpoint.step));
}

TrainedPolicy load_policy(Backend& backend, const RunFolder& folder,
                          const std::function<void(const std::string&)>& warn) {
  return newest(backend, folder, warn, true);
}

TrainedPolicy load_learner(Backend& backend, const RunFolder& folder,
                           const std::function<void(const std::string&)>& warn) {
  return newest(backend, folder, warn, false);
}

TrainedPolicy load_policy_file(Backend& backend, const std::string& path) {
  LoadedCheckpoint checkpoint = {0, path, read_checkpoint(path)};
  checkpoint.step = step_of(checkpoint.file, path);
  return loaded(backend, options_in(checkpoint.file.text("options"), path), checkpoint, true);
}

}  // namespace gallop
