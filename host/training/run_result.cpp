// The final object of a run, for programs.
#include <fmt/format.h>

#include <gallop/host/files/json_value.h>
#include <gallop/host/files/printable.h>
#include <gallop/host/training/train.h>

namespace gallop {

std::string result_json(const RunOptions& options, const std::string& device, int threads,
                        const std::string& folder, const TrainResult& result,
                        double startup_seconds, double wall_seconds) {
  JsonValue json;
  json["environment"] = spec_of(options.environment()).name;
  json["algorithm"] = options.algorithm().name;
  json["seed"] = options.seed();
  json["device"] = device;
  json["threads"] = threads;
  json["mode"] = options.values().text("mode");
  json["steps"] = result.steps;
  json["iterations"] = result.iterations;
  json["reached_stop_return"] = result.reached_stop_return;
  json["startup_seconds"] = startup_seconds;
  json["train_seconds"] = result.train_seconds;
  json["wall_seconds"] = wall_seconds;
  json["eval_episodes"] = result.evaluation.returns.size();
  json["eval_return_mean"] = result.evaluation.mean;
  json["eval_return_std"] = result.evaluation.std;
  if (options.resets_nonfinite()) {
    json["nonfinite_instances"] = result.nonfinite_instances;
    json["eval_nonfinite_episodes"] = result.evaluation.nonfinite;
  }
  json["bits"] = result.bits;
  json["run"] = utf8_text(folder);
  return json.text();
}

std::optional<std::string> finished_result(const RunFolder& folder,
                                           const std::function<void(const std::string&)>& warn) {
  std::optional<std::string> text = folder.result();
  if (!text) return std::nullopt;
  std::optional<JsonValue> json = JsonValue::read(*text);
  const JsonValue* mean = json ? json->find("eval_return_mean") : nullptr;
  const JsonValue* bits = json ? json->find("bits") : nullptr;
  if (mean == nullptr || !mean->number() || bits == nullptr || bits->string() == nullptr) {
    if (warn) {
      warn(fmt::format("'{}' is not the result of a run; the run is finished once more",
                       folder.file("result.json")));
    }
    return std::nullopt;
  }
  (*json)["run"] = utf8_text(folder.path());  // it may have been moved
  // In ASCII: whatever stands in the file, a terminal may show it.
  return json->text(-1, true);
}

}  // namespace gallop
