#include "tests/campaign/small_run.h"

#include <fmt/format.h>

#include <gallop/host/files/checkpoint_store.h>
#include <gallop/host/files/safetensors.h>
#include <gallop/host/logging/metrics_table.h>
#include <gallop/host/report/run_report.h>
#include <gallop/host/training/run_folder.h>
#include <gallop/host/training/session.h>
#include <gallop/host/training/train.h>

namespace gallop::campaign {

RunOptions small_options(const std::string& environment, const std::string& algorithm,
                         const std::vector<std::string>& assignments) {
  RunOptions options(environment, algorithm);
  for (const char* small :
       {"n_envs=4", "n_steps=4", "hidden=4", "steps=64", "eval_episodes=2", "eval_interval=2",
        "checkpoint_interval=1", "checkpoint_seconds=0", "threads=1", "device=cpu"}) {
    options.set_assignment(small, "campaign");
  }
  for (const std::string& assignment : assignments) {
    options.set_assignment(assignment, "campaign");
  }
  return options;
}

std::string rows_of(const std::string& path, const std::shared_ptr<FileSystem>& files) {
  const MetricsTable table = summarise_metrics_csv(path, files);
  std::string text = fmt::format("{}\n", fmt::join(table.names, ","));
  for (std::size_t i = 0; i < table.steps.size(); i++) {
    text += std::to_string(table.steps[i]);
    for (std::size_t k = 0; k < table.names.size(); k++) {
      if (table.names[k].find("second") != std::string::npos) continue;
      text += fmt::format(",{}", table.rows[i][k]);
    }
    text += "\n";
  }
  return text;
}

RunOutcome train(const RunOptions& options, const std::string& path,
                 const std::shared_ptr<FileSystem>& files, Backend& backend) {
  const bool resumed = exists(*files, path);
  const RunFolder folder =
      resumed ? RunFolder::open(path, files) : RunFolder::create(path, options.to_toml(), files);
  RunOutcome outcome;
  TrainCallbacks callbacks;
  callbacks.warn = [&](const std::string& text) { outcome.warnings.push_back(text); };
  const RunOptions stored = RunOptions::from_folder(folder);
  if (!finished_result(folder, stored, callbacks.warn)) {
    Training training(stored, backend, resumed ? &folder : nullptr);
    const Provenance provenance = provenance_of(backend, 1, {"gallop", "train"});
    record_session(folder, provenance);
    const TrainResult result = training.run(folder, resumed, callbacks);
    folder.write_result(result_json(stored, provenance, path, result, 0, 0));
    write_run_report(folder, stored, {result, {}, provenance}, training, backend);
  }
  CheckpointStore store(folder.checkpoints(), 2, folder.files());
  const LoadResult last = store.load_newest_good();
  for (const std::string& warning : last.warnings) outcome.warnings.push_back(warning);
  if (last.checkpoint) {
    for (const std::byte byte : write_safetensors(last.checkpoint->file)) {
      outcome.checkpoint += char(byte);
    }
  }
  const std::string json = folder.result().value_or("");
  const std::size_t bits = json.find("\"bits\":");
  outcome.bits = bits == std::string::npos ? "" : json.substr(bits, 26);
  outcome.rows = rows_of(folder.file("metrics.csv"), folder.files());
  return outcome;
}

}  // namespace gallop::campaign
