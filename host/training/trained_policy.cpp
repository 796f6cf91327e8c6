#include "host/training/trained_policy.h"

#include <fmt/format.h>

#include <sstream>
#include <utility>

#include "host/checkpoint/checkpoint_store.h"
#include "host/error.h"

namespace gallop {
namespace {

TrainedPolicy loaded(Backend& backend, RunOptions options, const TensorFile& file,
                     std::string path) {
  TrainedPolicy policy;
  policy.options = std::make_unique<const RunOptions>(std::move(options));
  policy.checkpoint = std::move(path);
  const RunOptions& o = *policy.options;
  policy.algorithm =
      o.algorithm().create({backend, o.environment(), o.values(), o.seed(), o.configure()});
  policy.algorithm->load(file);
  return policy;
}

// The lines "name=value" of RunOptions::fingerprint.
RunOptions options_in(const std::string& text, const std::string& path) {
  std::vector<std::pair<std::string, std::string>> rows;
  std::string environment, algorithm;
  std::stringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    rows.emplace_back(line.substr(0, equals), line.substr(equals + 1));
    if (rows.back().first == "environment") environment = rows.back().second;
    if (rows.back().first == "algorithm") algorithm = rows.back().second;
  }
  RunOptions options(environment, algorithm);
  for (const auto& [name, value] : rows) {
    if (options.values().has(name)) options.values().set(name, value, path);
  }
  if (options.fingerprint() != text) {
    throw checkpoint_error(
        fmt::format("checkpoint '{}' was written with options that this program does not have, or "
                    "with another file that describes its problem",
                    path));
  }
  return options;
}

}  // namespace

TrainedPolicy load_policy(Backend& backend, const RunFolder& folder,
                          const std::function<void(const std::string&)>& warn) {
  CheckpointStore store(folder.checkpoints());
  const LoadResult result = store.load_newest_good();
  for (const std::string& warning : result.warnings) {
    if (warn) warn(warning);
  }
  if (!result.checkpoint) {
    throw checkpoint_error(
        fmt::format("run '{}' has no checkpoint yet; resume it first", folder.path()));
  }
  return loaded(backend, RunOptions::from_toml(folder.config_toml(), folder.file("config.toml")),
                result.checkpoint->file, result.checkpoint->path);
}

TrainedPolicy load_policy_file(Backend& backend, const std::string& path) {
  const TensorFile file = read_checkpoint(path);
  return loaded(backend, options_in(file.text("options"), path), file, path);
}

}  // namespace gallop
