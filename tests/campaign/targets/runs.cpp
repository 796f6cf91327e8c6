// What stands in a run's folder: logs, the result, the configuration, all of it at once.
#include <fcntl.h>

#include <algorithm>

#include <gallop/host/error.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/logging/metrics_log.h>
#include <gallop/host/training/run_folder.h>
#include <gallop/host/training/train.h>
#include <gallop/host/training/trained_policy.h>
#include "tests/campaign/fuzz_target.h"
#include "tests/campaign/memory_files.h"
#include "tests/campaign/session.h"
#include "tests/campaign/small_run.h"

namespace gallop::campaign {
namespace {

using Texts = std::vector<std::string>;

std::shared_ptr<MemoryFiles> folder_with(
    const std::vector<std::pair<std::string, std::string>>& files) {
  auto memory = std::make_shared<MemoryFiles>(MemoryDisk());
  memory->make_folder("/run");
  memory->make_folder("/run/checkpoints");
  for (const auto& [name, text] : files) memory->put("/run/" + name, text);
  return memory;
}

// Whether one line begins with the other's step and number, as far as rows can be compared.
std::string run_logs(std::string_view input) {
  const std::uint64_t step = take_byte(input);
  const std::size_t split = std::min(input.find('\0'), input.size());
  const std::string csv(input.substr(0, split)),
      jsonl(input.substr(std::min(split + 1, input.size())));
  try {
    const MetricsTable table = parse_metrics_csv(csv, "fuzz.csv");
    if (table.rows.size() != table.steps.size()) finding("rows without their steps");
  } catch (const Error& error) {
    if (error.code() != ExitCode::value) finding(error.what());
  }
  const auto files = folder_with({{"metrics.csv", csv}, {"metrics.jsonl", jsonl}});
  std::string what;
  try {
    const MetricsTable summary = summarise_metrics_csv("/run/metrics.csv", files, 4);
    if (summary.rows.size() > 4) finding("a longer summary");
  } catch (const Error& error) {
    if (error.code() != ExitCode::value) finding(error.what());
    what = "no summary, ";
  }
  MendedLogs mended;
  mended = mend_logs("/run", step, files);
  what += mended.warnings.empty() ? "whole" : "mended";
  const std::string csv_left = files->text("/run/metrics.csv"),
                    json_left = files->text("/run/metrics.jsonl");
  const MendedLogs again = mend_logs("/run", step, files);
  for (const std::string& warning : again.warnings) {
    if (warning.find("it is cut off there") != std::string::npos)
      finding("mended twice: " + warning);
  }
  if (files->text("/run/metrics.csv") != csv_left ||
      files->text("/run/metrics.jsonl") != json_left) {
    finding("another log after the second time");
  }
  // The run goes on behind them.
  const std::pair<std::string, double> row[] = {{"return", 0.5}, {"seconds", 2}};
  try {
    MetricsLog("/run", files).append(step + 1, row);
  } catch (const Error& error) {
    if (error.code() == ExitCode::internal) throw;
    return what + ", goes on with other columns";
  }
  const MetricsTable table = parse_metrics_csv(files->text("/run/metrics.csv"), "mended");
  if (table.steps.empty() || table.steps.back() != step + 1)
    finding("the row that follows is lost");
  return what;
}

Texts log_seeds() {
  const std::string csv = "step,return,seconds\n10,0.5,2.5\n20,nan,5\n30,-inf,7.5\n";
  const std::string jsonl =
      "{\"step\":10,\"return\":0.5,\"seconds\":2.5}\n{\"step\":20,\"return\":null,\"seconds\":5}\n";
  return {std::string(1, char(20)) + csv + std::string(1, '\0') + jsonl, std::string(1, '\0') + csv,
          std::string(1, char(30)) + csv + "40,1",
          std::string(1, char(30)) + "step,return,seconds\r\n10,1,2\r\n",
          std::string(1, char(5)) + std::string(1, '\0') + jsonl};
}

Texts log_words() {
  return {"\n",
          ",",
          "\r\n",
          "step",
          "return",
          "seconds",
          "nan",
          "inf",
          "-inf",
          "1e400",
          " ",
          "\"",
          "{\"step\":",
          "null",
          "}\n",
          ":",
          "0x1",
          "10,0.5,2.5\n",
          std::string(1, '\0'),
          "\xff"};
}

const RunOptions& run_options() {
  static const RunOptions options = small_options("mdp", "reinforce");
  return options;
}

std::string run_result(std::string_view input) {
  static const std::string config = run_options().to_toml();
  const auto files = folder_with({{"config.toml", config}, {"result.json", std::string(input)}});
  const RunFolder folder = RunFolder::open("/run", files);
  int warnings = 0;
  const std::optional<std::string> result =
      finished_result(folder, run_options(), [&](const std::string&) { warnings++; });
  if (!result && warnings == 0) {  // of a run that was extended since: it says its steps
    const std::optional<JsonValue> json = JsonValue::read(input);
    if (!json || (json->find("steps") == nullptr && json->find("total_steps") == nullptr)) {
      finding("no result, and nothing is said");
    }
    return "a result of fewer steps";
  }
  if (!result) return "no result";
  for (const char c : *result) {
    if (c < 0x20 || c >= 0x7f) finding("a character that a terminal may obey");
  }
  const std::optional<JsonValue> json = JsonValue::read(*result);
  if (!json || json->find("run") == nullptr) finding("no JSON: " + *result);
  if (JsonValue::read(json->text())->text() != json->text()) finding("another JSON: " + *result);
  return "a result";
}

Texts result_seeds() {
  return {
      "{\"environment\":\"mdp\",\"steps\":64,\"eval_return_mean\":0.5,\"bits\":"
      "\"0123456789abcdef\",\"run\":\"x\"}",
      "{\"bits\":\"\",\"eval_return_mean\":-1e-3,\"a\":[1,[2,{\"b\":null}]],\"c\":true,\"d\":"
      "18446744073709551615}"};
}

Texts result_words() {
  return {"{",
          "}",
          "[",
          "]",
          ":",
          ",",
          "\"",
          "\\u001b",
          "\\ud800",
          "null",
          "1e400",
          "-0",
          "1.5e300",
          "\"bits\":\"x\"",
          "\"eval_return_mean\":1",
          "\"run\":",
          "\xff",
          "\x1b[2J",
          "\xc3\xa9"};
}

// Files by lines "=== NAME"; a checkpoint is a good one unless the input has one itself.
constexpr std::string_view kMark = "=== ";

std::string run_run_folder(std::string_view input) {
  static const std::unique_ptr<Backend> backend = make_cpu_backend(1);
  static const std::string checkpoint = [] {
    const auto files = std::make_shared<MemoryFiles>(MemoryDisk());
    return train(run_options(), "/run", files, *backend).checkpoint;
  }();
  std::vector<std::pair<std::string, std::string>> files;
  while (!input.empty()) {
    std::string_view line = input.substr(0, input.find('\n'));
    const std::string_view rest = input.substr(std::min(line.size() + 1, input.size()));
    const std::size_t end =
        std::min(rest.find(std::string("\n") + std::string(kMark)), rest.size());
    if (line.starts_with(kMark)) line.remove_prefix(kMark.size());
    std::string name(line.substr(0, 60)), text(rest.substr(0, end));
    if (text == "good") text = checkpoint;
    if (name.find("..") == std::string::npos) files.emplace_back(std::move(name), std::move(text));
    input = rest.substr(std::min(end + 1, rest.size()));
  }
  const auto memory = folder_with(files);
  std::string what = "opened";
  const RunFolder folder = RunFolder::open("/run", memory);
  const RunOptions options = RunOptions::from_folder(folder);
  const auto ignore = [](const std::string&) {};
  if (finished_result(folder, options, ignore)) what += " a finished run";
  const TrainedPolicy policy = load_policy(*backend, folder, ignore);
  if (policy.algorithm->steps() > 64) finding("more steps than the checkpoint has");
  return what + " with a policy";
}

Texts run_folder_seeds() {
  const std::string config = "=== config.toml\n" + run_options().to_toml();
  const std::string good = "\n=== checkpoints/step_000000000064.safetensors\ngood";
  return {config + good,
          config + good + "\n=== metrics.csv\nstep,return,seconds\n16,1,1\n=== result.json\n{}",
          config + "\n=== checkpoints/step_000000000096.safetensors\nbad" + good,
          config + "\n=== problem.mdp\nstates 1\nactions 1\nstart 1\nstep 0 0 1 1\n" + good,
          config + "\n=== checkpoints/step_000000000048.safetensors\ngood"};
}

Texts run_folder_words() {
  return {"\n=== ",
          "config.toml",
          "result.json",
          "problem.mdp",
          "checkpoints/step_000000000080.safetensors",
          "checkpoints/",
          "metrics.csv",
          "\ngood",
          "file = \"/x\"",
          "environment = \"mdp\"",
          "hidden = [4]",
          "hidden = [64]",
          "config.toml.tmp.1",
          "[parameters]\n",
          "n_states = 3",
          "seed = 2",
          ".tmp.9999999"};
}

}  // namespace

FuzzTarget logs_target() { return {"logs", run_logs, log_seeds, log_words, 1.5}; }
FuzzTarget result_target() { return {"result", run_result, result_seeds, result_words, 1.5}; }
FuzzTarget run_folder_target() {
  return {"run_folder", run_run_folder, run_folder_seeds, run_folder_words, 4};
}

}  // namespace gallop::campaign
